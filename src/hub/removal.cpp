// What goes with a model, and its removal.
#include "hub/removal.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "base/paths.hpp"
#include "hub/cache.hpp"
#include "hub/hash.hpp"
#include "hub/select.hpp"
#include "hub/walk.hpp"

namespace brisk::hub {

namespace fs = std::filesystem;

namespace {

/// A link of a snapshot and the blob that it leads to.
struct Link {
  std::string path;
  std::string name;  // in the repository
  std::string blob;  // its name in blobs/; empty when it leads elsewhere
};

std::vector<Link> links_of(const RepoFolder& folder, const std::string& cache) {
  std::vector<Link> links;
  Warnings warnings;
  for (const std::string& commit : folders_of(folder.path() + "/snapshots")) {
    for (const FoundFile& file : walk(folder.snapshot(commit), kRepoDepth, cache, warnings)) {
      const std::string path = folder.snapshot(commit) + "/" + file.name;
      std::error_code error;
      const std::string blob = fs::read_symlink(path, error).filename();
      links.push_back({path, file.name, !error && is_hash(blob) ? blob : ""});
    }
  }
  return links;
}

/// The bytes that removing a file or link gives back.
uint64_t own_bytes(const std::string& path) {
  struct stat status;
  return lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) ? static_cast<uint64_t>(status.st_size)
                                                                      : 0;
}

Result<Removal> whole_repo(const RepoFolder& folder) {
  Removal removal{.paths = {folder.path(), folder.locks()}, .whole_repo = true};
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder.path(), error), end; !error && it != end;
       it.increment(error)) {
    removal.bytes += own_bytes(it->path());
  }
  return removal;
}

Status not_here(const std::string& name) {
  return environment_error({name, "a name of 'brisk list'", "no such model", "'brisk list'"});
}

/// Snapshots share blobs and refs, so one revision alone is never removed; taking the name for that of the
/// whole repository would remove more than was asked for.
Status refuse_revision(const RepoName& name) {
  if (name.revision == "main") return {};
  RepoName all = name;
  all.revision = "main";
  return usage_error({name.text(), "a whole repository or one quant of it",
                      "the revision '" + name.revision + "'",
                      "'brisk rm " + all.text() + "', for all its revisions"});
}

}  // namespace

Result<Removal> plan_removal(const std::string& cache, const RepoName& name) {
  BRISK_TRY(refuse_revision(name));
  const RepoFolder folder(cache, name.repo);
  std::error_code error;
  if (fs::symlink_status(folder.path(), error).type() != fs::file_type::directory)
    return not_here(name.text());
  if (name.quant.empty() && name.file.empty()) return whole_repo(folder);
  const std::vector<Link> links = links_of(folder, cache);
  std::set<std::string> names;
  for (const Link& link : links) names.insert(link.name);
  BRISK_ASSIGN(const std::vector<std::string> chosen, select_files(name, {names.begin(), names.end()}));
  Removal removal;
  std::set<std::string> freed, kept;
  for (const Link& link : links) {
    const bool goes = std::ranges::find(chosen, link.name) != chosen.end();
    (goes ? freed : kept).insert(link.blob);
    if (goes) removal.paths.push_back(link.path);
    if (goes && link.blob.empty()) removal.bytes += own_bytes(link.path);
  }
  for (const std::string& blob : freed) {
    if (blob.empty() || kept.contains(blob)) continue;
    removal.paths.push_back(folder.blob(blob));
    removal.bytes += own_bytes(folder.blob(blob));
  }
  return removal;
}

Result<Removal> plan_own_removal(const std::string& name) {
  BRISK_ASSIGN(const std::string folder, models_folder());
  BRISK_ASSIGN(const std::vector<StoredModel> models, own_models());
  constexpr std::string_view kGguf = ".gguf";
  const auto model = std::ranges::find_if(models, [&](const StoredModel& entry) {
    return entry.name == name || entry.name + std::string(kGguf) == name;
  });
  if (model == models.end()) return not_here(name);
  Removal removal;
  Warnings warnings;
  for (const GgufChoice& choice : gguf_choices(names_of(walk(folder, 1, "", warnings)))) {
    if (choice.name != model->name) continue;
    for (const std::string& file : choice.files) removal.paths.push_back(folder + "/" + file);
  }
  if (removal.paths.empty()) removal.paths.push_back(model->path);
  removal.bytes = model->bytes;
  return removal;
}

Status remove_paths(const Removal& removal) {
  for (const std::string& path : removal.paths) {
    std::error_code error;
    fs::remove_all(path, error);
    if (!error) continue;
    return environment_error({path, "to remove it", error.message(), "checking its permissions"});
  }
  return {};
}

}  // namespace brisk::hub
