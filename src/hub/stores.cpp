// Brisk's own folder, LM Studio's, and the list of all stores.
#include "hub/stores.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/file.hpp"
#include "base/paths.hpp"
#include "hub/cache.hpp"
#include "hub/listing.hpp"
#include "hub/ollama.hpp"
#include "hub/select.hpp"
#include "hub/settings.hpp"

namespace brisk::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGguf = ".gguf";
constexpr int kLmStudioDepth = 3;

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

/// The files that lie directly in the folder `prefix` ("a/b/") of the walk.
std::vector<FoundFile> directly_in(const std::vector<FoundFile>& files, const std::string& prefix) {
  std::vector<FoundFile> out;
  for (const FoundFile& file : files) {
    if (!file.name.starts_with(prefix)) continue;
    const std::string name = file.name.substr(prefix.size());
    if (name.find('/') == name.npos) out.push_back({name, file.bytes, file.modified});
  }
  return out;
}

void add_files(StoredModel& model, const std::vector<FoundFile>& files,
               const std::vector<std::string>& chosen) {
  for (const FoundFile& file : files) {
    if (std::ranges::find(chosen, file.name) == chosen.end()) continue;
    model.bytes += file.bytes;
    model.modified = std::max(model.modified, file.modified);
  }
}

Status not_in_store(const std::string& name, Store store, const std::vector<StoredModel>& models) {
  std::vector<std::string> names;
  for (const StoredModel& model : models) names.push_back(model.name);
  const std::string near = near_names(name, names);
  return environment_error({name, "a model of " + std::string(store_name(store)), "no such model",
                            near.empty() ? "'brisk list' for what there is" : near});
}

Result<std::string> find_by_name(const std::string& name, Store store,
                                 const std::vector<StoredModel>& models) {
  for (const StoredModel& model : models) {
    if (model.name == name || model.name + std::string(kGguf) == name) return model.path;
  }
  return not_in_store(name, store, models);
}

}  // namespace

std::string_view store_name(Store store) {
  switch (store) {
    case Store::kBrisk: return "Brisk";
    case Store::kHub: return "Hugging Face";
    case Store::kOllama: return "Ollama";
    case Store::kLmStudio: return "LM Studio";
  }
  return "";
}

std::vector<StoredModel> models_below(const std::string& folder, int depth, const std::string& root,
                                      Store store, Warnings& warnings) {
  std::vector<StoredModel> models;
  const std::vector<FoundFile> files = walk(folder, depth, root, warnings);
  for (const GgufChoice& choice : gguf_choices(names_of(files))) {
    if (choice.files.size() != choice.parts) {
      warnings.push_back(folder + "/" + choice.name + ": " + std::to_string(choice.files.size()) + " of " +
                         std::to_string(choice.parts) + " parts");
      continue;
    }
    StoredModel model{store, choice.name, folder + "/" + choice.files.front()};
    add_files(model, files, choice.files);
    models.push_back(std::move(model));
  }
  constexpr std::string_view kConfig = "/config.json";
  for (const FoundFile& file : files) {
    if (!file.name.ends_with(kConfig)) continue;
    const std::string name = file.name.substr(0, file.name.size() - kConfig.size());
    const std::vector<FoundFile> inside = directly_in(files, name + "/");
    const bool weights =
        std::ranges::any_of(inside, [](const auto& f) { return f.name.ends_with(".safetensors"); });
    if (!weights) continue;
    StoredModel model{store, name, folder + "/" + name};
    add_files(model, inside, names_of(inside));
    models.push_back(std::move(model));
  }
  std::ranges::sort(models, {}, &StoredModel::name);
  return models;
}

Result<std::vector<StoredModel>> own_models() {
  BRISK_ASSIGN(const std::string folder, models_folder());
  Warnings warnings;  // links lead where the user wants in the user's own folder
  return models_below(folder, 1, "", Store::kBrisk, warnings);
}

std::vector<std::string> lm_studio_folders() {
  std::vector<std::string> folders;
  const Result<std::string> home = home_folder();
  if (!home.ok()) return folders;
  // Newer versions write down where their home is.
  constexpr uint64_t kLongestPath = 4096;
  const Result<std::string> pointer = read_file(*home + "/.lmstudio-home-pointer", kLongestPath);
  std::vector<std::string> places = {*home + "/.lmstudio/models", *home + "/.cache/lm-studio/models"};
  if (pointer.ok())
    places.insert(places.begin(), pointer->substr(0, pointer->find_first_of("\r\n")) + "/models");
  for (const std::string& place : places) {
    if (is_folder(place) && std::ranges::find(folders, place) == folders.end()) folders.push_back(place);
  }
  return folders;
}

std::vector<StoredModel> list_lm_studio(const std::string& folder, Warnings& warnings) {
  std::vector<StoredModel> models = models_below(folder, kLmStudioDepth, folder, Store::kLmStudio, warnings);
  for (StoredModel& model : models) model.name = std::string(kLmStudioPrefix) + model.name;
  return models;
}

Result<ModelList> list_models() {
  ModelList list;
  BRISK_ASSIGN(list.models, own_models());
  BRISK_ASSIGN(const std::string cache, cache_of_hub());
  const auto add = [&](std::vector<StoredModel> models) {
    for (StoredModel& model : models) list.models.push_back(std::move(model));
  };
  add(list_cache(cache, list.warnings));
  for (const std::string& folder : ollama_folders()) add(list_ollama(folder, list.warnings));
  for (const std::string& folder : lm_studio_folders()) add(list_lm_studio(folder, list.warnings));
  std::ranges::stable_sort(list.models, {},
                           [](const auto& model) { return std::pair(model.store, model.name); });
  // Two snapshots may warn of the same file.
  std::ranges::sort(list.warnings);
  list.warnings.erase(std::ranges::unique(list.warnings).begin(), list.warnings.end());
  return list;
}

bool has_store_prefix(std::string_view name) {
  return has_hub_prefix(name) || name.starts_with(kOllamaPrefix) || name.starts_with(kLmStudioPrefix);
}

Result<std::string> find_in_store(const std::string& name) {
  Warnings warnings;
  std::vector<StoredModel> models;
  const bool ollama = name.starts_with(kOllamaPrefix);
  if (!ollama && !name.starts_with(kLmStudioPrefix)) {
    BRISK_ASSIGN(const RepoName repo, parse_repo(name));
    BRISK_ASSIGN(const std::string cache, cache_of_hub());
    return find_in_cache(cache, repo, offline_of_hub());
  }
  for (const std::string& folder : ollama ? ollama_folders() : lm_studio_folders()) {
    const std::vector<StoredModel> found =
        ollama ? list_ollama(folder, warnings) : list_lm_studio(folder, warnings);
    models.insert(models.end(), found.begin(), found.end());
  }
  const std::string full = ollama ? with_tag(name) : name;
  Result<std::string> path = find_by_name(full, ollama ? Store::kOllama : Store::kLmStudio, models);
  if (path.ok()) return path;
  // What the list warns of is why a model is not there.
  for (const std::string& warning : warnings) {
    if (warning.starts_with(full + ": ")) {
      return bad_input({full, "a model in one file", warning.substr(full.size() + 2),
                        "pulling it again with the tool that keeps it"});
    }
  }
  return path;
}

}  // namespace brisk::hub
