// brisk list: the models on this machine, of Brisk's own folder and of the stores of other tools.
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

Json list_json(const std::string& folder, const hub::ModelList& list) {
  Json models = Json::array();
  for (const hub::StoredModel& model : list.models) {
    models.push_back({{"name", model.name},
                      {"store", hub::store_name(model.store)},
                      {"path", model.path},
                      {"bytes", model.bytes},
                      {"modified", date(model.modified, "%Y-%m-%dT%H:%M:%SZ")}});
  }
  return {{"folder", folder}, {"models", std::move(models)}, {"warnings", list.warnings}};
}

std::string list_text(const std::string& folder, const hub::ModelList& list) {
  if (list.models.empty()) {
    return "No models in " + escape_for_terminal(folder) +
           " nor in the stores of other tools.\nscripts/fetch_model.sh fetches the built-in one, "
           "'brisk pull OWNER/REPO' one of the Hugging Face hub.\n";
  }
  Table table({{"NAME"}, {"STORE"}, {"SIZE", true}, {"MODIFIED"}});
  for (const hub::StoredModel& model : list.models) {
    const bool built_in = model.store == hub::Store::kBrisk && model.name + ".gguf" == kBuiltInModel;
    table.add({escape_for_terminal(model.name) + (built_in ? " (built-in)" : ""),
               std::string(hub::store_name(model.store)), human_bytes(model.bytes),
               date(model.modified, "%Y-%m-%d %H:%M")});
  }
  return table.text();
}

Status run(const Arguments& arguments) {
  BRISK_ASSIGN(const std::string folder, models_folder());
  BRISK_ASSIGN(const hub::ModelList list, hub::list_models());
  if (arguments.flag("json")) return print_json(list_json(folder, list));
  BRISK_TRY(print(list_text(folder, list)));
  for (const std::string& warning : list.warnings) {
    print_error("warning: left out: " + escape_for_terminal(warning) + "\n");
  }
  return {};
}

}  // namespace

Verb verb_list() {
  return {
      .name = "list",
      .aliases = "ls",
      .group = VerbGroup::kFiles,
      .summary = "list the models on this machine",
      .details =
          "Those of Brisk's own folder, of the Hugging Face cache, of Ollama and of LM Studio; all of them "
          "are "
          "used where they lie. A name may be typed wherever a model is asked for.",
      .options = {kJsonOption},
      .examples = {"brisk list", "brisk list --json"},
      .run = run,
  };
}

}  // namespace brisk::cli
