#include "cli/model_path.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/paths.hpp"
#include "base/utf8.hpp"

namespace brisk::cli {
namespace {

constexpr std::string_view kSuffix = ".gguf";

bool exists(const std::string& path) {
  struct stat status;
  // A link that leads nowhere is there, too: opening it tells what is wrong.
  return lstat(path.c_str(), &status) == 0;
}

bool is_built_in(const std::string& model) {
  return model.empty() || model == "built-in" || model == "builtin";
}

Result<std::string> built_in_model() {
  BRISK_ASSIGN(const std::string folder, models_folder());
  const std::string path = folder + "/" + kBuiltInModel;
  if (exists(path)) return path;
  return environment_error({"built-in model", path, "no such file",
                            "scripts/fetch_model.sh, which fetches it, or -m FILE for another model"});
}

Status not_found(const std::string& model, const std::vector<CachedModel>& cached) {
  std::vector<std::string> names;
  for (const CachedModel& entry : cached) names.push_back(entry.name);
  const std::string near = nearest(model, names);
  return environment_error({model, "a GGUF file or the name of a model in the cache folder", "no such file",
                            near.empty() ? "'brisk list' for the names" : near});
}

}  // namespace

Result<std::vector<CachedModel>> cached_models() {
  BRISK_ASSIGN(const std::string folder, models_folder());
  std::vector<CachedModel> models;
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) return models;
  while (const dirent* entry = readdir(directory)) {
    const std::string file = entry->d_name;
    const std::string path = folder + "/" + file;
    struct stat status;
    if (!file.ends_with(kSuffix) || stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    models.push_back({file.substr(0, file.size() - kSuffix.size()), path,
                      static_cast<uint64_t>(status.st_size), status.st_mtime});
  }
  closedir(directory);
  std::sort(models.begin(), models.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return models;
}

Result<std::string> find_model(const std::string& model) {
  if (is_built_in(model)) return built_in_model();
  if (model == "-") {
    return environment_error({"standard input", "the file of a model", "a stream",
                              "saving it to a file first: a model is read in place"});
  }
  const std::string path = expand_home(model);
  if (exists(path)) return path;
  BRISK_ASSIGN(const std::vector<CachedModel> cached, cached_models());
  for (const CachedModel& entry : cached) {
    if (model == entry.name || model == entry.name + std::string(kSuffix)) return entry.path;
  }
  return not_found(model, cached);
}

Result<std::shared_ptr<formats::GgufFile>> open_model(const std::string& model) {
  BRISK_ASSIGN(const std::string path, find_model(model));
  return formats::GgufFile::open(path);
}

Result<std::string> model_argument(const Arguments& arguments, size_t place) {
  const std::string word = arguments.positional(place);
  const bool on_line = arguments.given("model") && arguments.spelled("model").starts_with("-");
  if (!word.empty() && on_line) {
    return usage_error(
        {"brisk", "the model once",
         "'" + word + "' and " + arguments.spelled("model") + " '" + arguments.text("model") + "'",
         "one of them"});
  }
  return word.empty() ? arguments.text("model") : word;
}

}  // namespace brisk::cli
