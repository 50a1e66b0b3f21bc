// brisk list: the models in the cache folder.
#include <ctime>

#include "base/paths.hpp"
#include "base/utf8.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"
#include "cli/verb.hpp"

namespace brisk::cli {
namespace {

std::string date(int64_t seconds, const char* format) {
  const time_t time = seconds;
  tm parts{};
  char text[40];
  if (gmtime_r(&time, &parts) == nullptr || strftime(text, sizeof text, format, &parts) == 0) return "?";
  return text;
}

Status run(const Arguments& arguments) {
  BRISK_ASSIGN(const std::string folder, models_folder());
  BRISK_ASSIGN(const std::vector<CachedModel> models, cached_models());
  if (arguments.flag("json")) {
    Json list = Json::array();
    for (const CachedModel& model : models) {
      list.push_back({{"name", model.name},
                      {"path", model.path},
                      {"bytes", model.bytes},
                      {"modified", date(model.modified, "%Y-%m-%dT%H:%M:%SZ")}});
    }
    return print_json({{"folder", folder}, {"models", list}});
  }
  if (models.empty()) {
    return print("No models in " + escape_for_terminal(folder) +
                 ".\nscripts/fetch_model.sh fetches the built-in one.\n");
  }
  Table table({{"NAME"}, {"SIZE", true}, {"MODIFIED"}});
  for (const CachedModel& model : models) {
    const bool built_in = model.name + ".gguf" == kBuiltInModel;
    table.add({escape_for_terminal(model.name) + (built_in ? " (built-in)" : ""), human_bytes(model.bytes),
               date(model.modified, "%Y-%m-%d %H:%M")});
  }
  return print(table.text());
}

}  // namespace

Verb verb_list() {
  return {
      .name = "list",
      .aliases = "ls",
      .group = VerbGroup::kFiles,
      .summary = "list the models in the cache folder",
      .options = {kJsonOption},
      .examples = {"brisk list", "brisk list --json"},
      .run = run,
  };
}

}  // namespace brisk::cli
