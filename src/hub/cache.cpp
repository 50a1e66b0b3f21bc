// Reading and linking of the Hugging Face cache.
#include "hub/cache.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "base/file.hpp"
#include "base/json.hpp"
#include "hub/listing.hpp"
#include "hub/select.hpp"

namespace brisk::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "models--";
constexpr std::string_view kSeparator = "--";
constexpr uint64_t kLongestRef = 256;
constexpr std::string_view kIndex = ".safetensors.index.json";

std::string folder_of(std::string_view repo) {
  std::string folder(kPrefix);
  const size_t slash = repo.find('/');
  if (slash != repo.npos) folder.append(repo.substr(0, slash)).append(kSeparator);
  return folder.append(repo.substr(slash == repo.npos ? 0 : slash + 1));
}

/// "OWNER/NAME" of "models--OWNER--NAME"; empty when it is no such folder.
std::string repo_of(std::string_view folder) {
  if (!folder.starts_with(kPrefix)) return {};
  std::string repo(folder.substr(kPrefix.size()));
  if (const size_t cut = repo.find(kSeparator); cut != repo.npos) repo.replace(cut, kSeparator.size(), "/");
  const Result<RepoName> name = parse_repo("hf:" + repo);
  return name.ok() && name->repo == repo ? repo : "";
}

int64_t modified_of(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? status.st_mtime : 0;
}

Status system_error(const std::string& path, std::string expected, const std::error_code& error) {
  return environment_error(
      {path, std::move(expected), error.message(), "checking the path and its permissions"});
}

/// A shard that an index of the `chosen` files names and the snapshot lacks: half a model. Empty when all
/// are there.
Result<std::string> missing_shard(const std::string& snapshot, const std::vector<std::string>& chosen,
                                  const std::vector<std::string>& files) {
  for (const std::string& file : chosen) {
    if (!file.ends_with(kIndex)) continue;
    BRISK_ASSIGN(const std::string text, read_file(snapshot + "/" + file, JsonLimits().bytes));
    BRISK_ASSIGN(const Json index, parse_json(text, snapshot + "/" + file));
    const auto map = index.is_object() ? index.find("weight_map") : index.end();
    if (map == index.end() || !map->is_object()) continue;
    for (const auto& entry : map->items()) {
      const std::string shard = entry.value().is_string() ? entry.value().get<std::string>() : "(no name)";
      if (std::ranges::find(files, shard) == files.end()) return shard;
    }
  }
  return std::string();
}

/// The model with the sum of its files.
StoredModel sum_of(StoredModel model, const std::vector<FoundFile>& files,
                   const std::vector<std::string>& chosen) {
  for (const FoundFile& file : files) {
    if (std::ranges::find(chosen, file.name) == chosen.end()) continue;
    model.bytes += file.bytes;
    model.modified = std::max(model.modified, file.modified);
  }
  return model;
}

Result<std::string> find_in_snapshot(const RepoFolder& folder, const std::string& cache,
                                     const std::string& commit, const RepoName& name) {
  Warnings warnings;
  const std::string snapshot = folder.snapshot(commit);
  const std::vector<std::string> files = names_of(walk(snapshot, kRepoDepth, cache, warnings));
  BRISK_ASSIGN(const std::vector<std::string> chosen, select_files(name, files));
  if (chosen.front().ends_with(".gguf") || !name.file.empty()) return snapshot + "/" + chosen.front();
  BRISK_ASSIGN(const std::string missing, missing_shard(snapshot, chosen, files));
  if (missing.empty()) return snapshot;
  return environment_error({name.text(), "all its files", "no '" + missing + "'",
                            "'brisk pull " + name.text() + "', which goes on where it stopped"});
}

Status not_pulled(const RepoName& name) {
  return environment_error({name.text(), "a model of the Hugging Face cache", "no such model",
                            "'brisk pull " + name.text() + "'"});
}

/// The same error, which says first why nothing is fetched.
Status while_offline(const Status& status) {
  ErrorParts parts = status.parts();
  parts.got += "; offline mode is on";
  parts.hint = "without offline mode (--offline, HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE): " + parts.hint;
  return {status.code(), std::move(parts)};
}

/// Adds a folder of safetensors, or why it cannot run.
void list_folder(const RepoName& name, const std::string& snapshot, const std::vector<FoundFile>& files,
                 std::vector<StoredModel>& models, Warnings& warnings) {
  const std::vector<std::string> all = names_of(files);
  const auto chosen = select_files(name, all);
  if (!chosen.ok()) return;
  const Result<std::string> missing = missing_shard(snapshot, *chosen, all);
  if (!missing.ok()) {
    warnings.push_back(name.text() + ": " + missing.status().message());
  } else if (!missing->empty()) {
    warnings.push_back(name.text() + ": no '" + *missing + "'; 'brisk pull' fetches it");
  } else {
    models.push_back(sum_of({Store::kHub, name.text(), snapshot}, files, *chosen));
  }
}

std::vector<StoredModel> list_snapshot(const std::string& cache, const std::string& repo,
                                       const std::string& snapshot, Warnings& warnings) {
  std::vector<StoredModel> models;
  const std::vector<FoundFile> files = walk(snapshot, kRepoDepth, cache, warnings);
  const std::vector<GgufChoice> choices = gguf_choices(names_of(files));
  for (const GgufChoice& choice : choices) {
    const auto same = std::ranges::count(choices, choice.label, &GgufChoice::label);
    RepoName name{.repo = repo};
    if (choice.label.empty() || same > 1) {
      name.file = choice.files.front();
    } else {
      name.quant = choice.label;
    }
    if (choice.files.size() != choice.parts) {
      warnings.push_back(name.text() + ": " + std::to_string(choice.files.size()) + " of " +
                         std::to_string(choice.parts) + " parts; 'brisk pull' fetches the others");
      continue;
    }
    models.push_back(
        sum_of({Store::kHub, name.text(), snapshot + "/" + choice.files.front()}, files, choice.files));
  }
  if (choices.empty()) list_folder({.repo = repo}, snapshot, files, models, warnings);
  return models;
}

}  // namespace

Status make_shared_folders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return system_error(path, "to make this folder", error);
  return {};
}

RepoFolder::RepoFolder(std::string cache, std::string_view repo)
    : cache_(std::move(cache)), folder_(folder_of(repo)), path_(cache_ + "/" + folder_) {}

std::string RepoFolder::commit_of(const std::string& revision) const {
  if (is_commit(revision)) return revision;
  const Result<std::string> text = read_file(path_ + "/refs/" + revision, kLongestRef);
  if (!text.ok()) return {};
  const std::string commit = text->substr(0, text->find_first_of("\r\n"));
  return is_commit(commit) ? commit : "";
}

std::vector<std::string> RepoFolder::commits(const std::string& revision) const {
  std::vector<std::string> all = folders_of(path_ + "/snapshots");
  std::erase_if(all, [](const std::string& commit) { return !is_commit(commit); });
  std::ranges::stable_sort(all, std::ranges::greater(),
                           [&](const auto& commit) { return modified_of(snapshot(commit)); });
  const std::string first = commit_of(revision);
  const auto place = std::ranges::find(all, first);
  if (place != all.end()) std::rotate(all.begin(), place, place + 1);
  if (revision != "main") all.resize(place == all.end() ? 0 : 1);
  return all;
}

Status RepoFolder::link(const std::string& commit, const std::string& name, const std::string& hash) const {
  const std::string path = snapshot(commit) + "/" + name;
  std::string target = "../../blobs/" + hash;
  for (const char c : name) target = (c == '/' ? "../" : "") + target;
  std::error_code error;
  if (fs::read_symlink(path, error) == target) return {};
  // On a disk without links the file itself is there.
  if (!fs::exists(blob(hash), error) && fs::is_regular_file(path, error)) return {};
  BRISK_TRY(make_shared_folders(path.substr(0, path.rfind('/'))));
  const std::string temporary = path + ".link-" + std::to_string(getpid());
  fs::remove(temporary, error);
  fs::create_symlink(target, temporary, error);
  if (error == std::errc::operation_not_permitted || error == std::errc::function_not_supported ||
      error == std::errc::operation_not_supported) {
    // A disk without links (FAT): the file itself goes there, as Hugging Face's tools do it.
    fs::rename(blob(hash), path, error);
    return error ? system_error(path, "to move the file to its place", error) : Status();
  }
  if (error) return system_error(path, "to make a link", error);
  fs::rename(temporary, path, error);
  return error ? system_error(path, "to make a link", error) : Status();
}

Status RepoFolder::write_ref(const std::string& revision, const std::string& commit) const {
  if (revision == commit || commit_of(revision) == commit) return {};
  const std::string path = path_ + "/refs/" + revision;
  BRISK_TRY(make_shared_folders(path.substr(0, path.rfind('/'))));
  BRISK_ASSIGN(AtomicFile file, AtomicFile::create(path, true));
  BRISK_TRY(file.write(commit));
  return file.commit();
}

Result<std::string> find_in_cache(const std::string& cache, const RepoName& name, bool offline) {
  const RepoFolder folder(cache, name.repo);
  Status first;
  for (const std::string& commit : folder.commits(name.revision)) {
    Result<std::string> path = find_in_snapshot(folder, cache, commit, name);
    if (path.ok()) return path;
    if (first.ok()) first = path.status();
  }
  if (first.ok()) first = not_pulled(name);
  return offline ? while_offline(first) : first;
}

std::vector<StoredModel> list_cache(const std::string& cache, Warnings& warnings) {
  std::vector<StoredModel> models;
  for (const std::string& entry : folders_of(cache)) {
    const std::string repo = repo_of(entry);
    if (repo.empty()) continue;
    const RepoFolder folder(cache, repo);
    std::set<std::string> known;
    for (const std::string& commit : folder.commits("main")) {
      for (StoredModel& model : list_snapshot(cache, repo, folder.snapshot(commit), warnings)) {
        if (known.insert(model.name).second) models.push_back(std::move(model));
      }
    }
  }
  return models;
}

}  // namespace brisk::hub
