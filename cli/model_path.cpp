#include "cli/model_path.hpp"

#include <sys/stat.h>

#include <optional>

#include "base/paths.hpp"
#include "cli/pulling.hpp"
#include "hub/cache.hpp"

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
  std::string hint = nearest(model, names);
  const bool may_be_repo = !model.ends_with(kSuffix) && hub::parse_repo(model).ok();
  if (hint.empty()) hint = may_be_repo ? "'brisk pull " + model + "'" : "'brisk list' for the names";
  return environment_error(
      {model, "a model's file or folder, or a name of 'brisk list'", "no such file", std::move(hint)});
}

/// The path of OWNER/REPO[:QUANT], if the Hugging Face cache has that repository.
std::optional<Result<std::string>> find_repo(const std::string& model) {
  const Result<hub::RepoName> name = hub::parse_repo(model);
  const Result<std::string> cache = hub::cache_of_hub();
  if (!name.ok() || !cache.ok()) return std::nullopt;
  if (hub::RepoFolder(*cache, name->repo).commits("main").empty()) return std::nullopt;
  return hub::find_in_cache(*cache, *name);
}

/// The model of -hf, pulled when it is missing.
Result<std::string> model_of_hub(const Arguments& arguments) {
  BRISK_ASSIGN(hub::Settings settings, hub::read_settings());
  settings.offline = settings.offline || arguments.flag("offline");
  BRISK_ASSIGN(const hub::RepoName name, hub::parse_repo(arguments.text("hf-repo"), settings.endpoint));
  Result<std::string> path = hub::find_in_cache(settings.cache, name);
  if (path.ok() || settings.offline) return path;
  BRISK_ASSIGN(const hub::PullReport report, pull_showing(settings, name, {}));
  return report.path;
}

}  // namespace

Result<std::vector<CachedModel>> cached_models() { return hub::own_models(); }

Result<std::string> find_model(const std::string& model) {
  if (is_built_in(model)) return built_in_model();
  if (model == "-") {
    return environment_error({"standard input", "the file of a model", "a stream",
                              "saving it to a file first: a model is read in place"});
  }
  if (hub::has_store_prefix(model)) return hub::find_in_store(model);
  const std::string path = expand_home(model);
  if (exists(path)) return path;
  BRISK_ASSIGN(const std::vector<CachedModel> cached, cached_models());
  for (const CachedModel& entry : cached) {
    if (model == entry.name || model == entry.name + std::string(kSuffix)) return entry.path;
  }
  if (std::optional<Result<std::string>> repo = find_repo(model)) return *std::move(repo);
  return not_found(model, cached);
}

Result<std::shared_ptr<const models::ModelSource>> open_model(const std::string& model) {
  BRISK_ASSIGN(const std::string path, find_model(model));
  return models::ModelSource::open(path);
}

Result<runtime::TextParts> open_text(const std::string& model) {
  BRISK_ASSIGN(const std::string path, find_model(model));
  return runtime::open_text_parts(path);
}

Result<std::string> model_argument(const Arguments& arguments, size_t place) {
  const std::string word = arguments.positional(place);
  std::vector<std::string> given;  // on the line; what the environment says gives way
  if (!word.empty()) given.push_back("'" + word + "'");
  for (const char* option : {"model", "hf-repo"}) {
    if (!arguments.given(option) || !arguments.spelled(option).starts_with("-")) continue;
    given.push_back(arguments.spelled(option) + " '" + arguments.text(option) + "'");
  }
  if (given.size() > 1) {
    return usage_error({"brisk", "the model once", given[0] + " and " + given[1], "one of them"});
  }
  if (!word.empty()) return word;
  const bool by_path =
      !given.empty() && arguments.spelled("model").starts_with("-") && arguments.given("model");
  if (arguments.given("hf-repo") && !by_path) return model_of_hub(arguments);
  return arguments.text("model");
}

}  // namespace brisk::cli
