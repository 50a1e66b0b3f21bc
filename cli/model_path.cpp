#include "cli/model_path.hpp"

#include <sys/stat.h>

#include <map>
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

/// A model's name and what a user may take for it: without the store's prefix, without the tag, and of that
/// the last part. In small letters.
std::vector<std::string> short_names(const std::string& name) {
  std::vector<std::string> names = {hub::lower_case(name)};
  if (hub::has_store_prefix(name)) names.push_back(names.back().substr(names.back().find(':') + 1));
  names.push_back(names.back().substr(0, names.back().rfind(':')));
  names.push_back(names.back().substr(names.back().rfind('/') + 1));
  return names;
}

/// The name of any store that is nearest to the word; empty when none is near.
std::string nearest_model(const std::string& word) {
  const Result<hub::ModelList> list = hub::list_models();
  if (!list.ok()) return {};
  std::vector<std::string> known;
  std::map<std::string, std::string> full;  // by short name
  for (const hub::StoredModel& model : list->models) {
    for (const std::string& name : short_names(model.name)) {
      if (full.emplace(name, model.name).second) known.push_back(name);
    }
  }
  const auto found = full.find(nearest(hub::lower_case(word), known));
  return found == full.end() ? "" : "'" + found->second + "'";
}

Status not_found(const std::string& model) {
  std::string hint = nearest_model(model);
  const bool may_be_repo = !model.ends_with(kSuffix) && hub::parse_repo(model).ok();
  if (may_be_repo) hint += (hint.empty() ? "'brisk pull " : ", or 'brisk pull ") + model + "'";
  if (hint.empty()) hint = "'brisk list' for the names";
  return environment_error(
      {model, "a model's file or folder, or a name of 'brisk list'", "no such file", std::move(hint)});
}

/// The path of OWNER/REPO[:QUANT], if the Hugging Face cache has that repository.
std::optional<Result<std::string>> find_repo(const std::string& model) {
  const Result<hub::RepoName> name = hub::parse_repo(model);
  const Result<std::string> cache = hub::cache_of_hub();
  if (!name.ok() || !cache.ok()) return std::nullopt;
  if (hub::RepoFolder(*cache, name->repo).commits("main").empty()) return std::nullopt;
  return hub::find_in_cache(*cache, *name, hub::offline_of_hub());
}

/// The model of -hf, pulled when it is missing.
Result<std::string> model_of_hub(const Arguments& arguments) {
  BRISK_ASSIGN(hub::Settings settings, hub::read_settings());
  settings.offline = settings.offline || arguments.flag("offline");
  BRISK_ASSIGN(const hub::RepoName name, hub::parse_repo(arguments.text("hf-repo"), settings.endpoint));
  Result<std::string> path = hub::find_in_cache(settings.cache, name, settings.offline);
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
  return not_found(model);
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

Result<std::string> required_model(const Arguments& arguments, const std::string& verb) {
  BRISK_ASSIGN(std::string model, model_argument(arguments));
  if (model.empty()) return usage_error({"brisk " + verb, "MODEL or -m MODEL", "nothing", "built-in"});
  return model;
}

}  // namespace brisk::cli
