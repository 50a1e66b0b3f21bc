// brisk rm: removes a model from Brisk's own folder or from the Hugging Face cache.
#include <unistd.h>

#include "base/utf8.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"
#include "cli/verb.hpp"
#include "hub/ollama.hpp"
#include "hub/removal.hpp"
#include "hub/settings.hpp"

namespace brisk::cli {
namespace {

/// What removing the model takes away; models of other tools' stores are refused.
Result<hub::Removal> plan(const std::string& name) {
  if (name.starts_with(hub::kOllamaPrefix)) {
    return usage_error({name, "a model of Brisk's folder or of the Hugging Face cache", "one of Ollama's",
                        "'ollama rm " + name.substr(hub::kOllamaPrefix.size()) + "'"});
  }
  if (name.starts_with(hub::kLmStudioPrefix)) {
    return usage_error({name, "a model of Brisk's folder or of the Hugging Face cache", "one of LM Studio's",
                        "removing it in LM Studio, under My Models"});
  }
  Result<hub::Removal> own = hub::plan_own_removal(name);
  const bool may_be_repo = hub::has_store_prefix(name) || name.find('/') != name.npos;
  if (own.ok() || !may_be_repo) return own;
  BRISK_ASSIGN(const std::string cache, hub::cache_of_hub());
  BRISK_ASSIGN(const hub::RepoName repo, hub::parse_repo(name));
  return hub::plan_removal(cache, repo);
}

std::string describe(const std::string& name, const hub::Removal& removal) {
  return escape_for_terminal(name) + (removal.whole_repo ? " (the whole repository)" : "") + ", " +
         human_bytes(removal.bytes);
}

/// Whether the line typed at the terminal is a yes.
bool read_yes() {
  constexpr size_t kLongest = 64;
  char line[kLongest];
  const ssize_t got = read(STDIN_FILENO, line, sizeof line);
  std::string_view answer(line, got > 0 ? static_cast<size_t>(got) : 0);
  answer = answer.substr(0, answer.find('\n'));
  return answer == "y" || answer == "Y" || answer == "yes";
}

/// Asks on the terminal; elsewhere --yes must have answered already.
Status confirm(const Arguments& arguments, const std::string& what) {
  if (arguments.flag("yes")) return {};
  if (!input_is_terminal() || !error_is_terminal() || arguments.flag("json")) {
    return usage_error({"brisk rm", "--yes, since nobody can be asked", "none", "-y"});
  }
  print_error("Remove " + what + "? [y/N] ");
  if (read_yes()) return {};
  return usage_error({"brisk rm", "the answer y", "another; nothing is removed", ""});
}

Status run(const Arguments& arguments) {
  const std::string name = arguments.positional(0);
  BRISK_ASSIGN(const hub::Removal removal, plan(name));
  const std::string what = describe(name, removal);
  BRISK_TRY(confirm(arguments, what));
  BRISK_TRY(hub::remove_paths(removal));
  if (arguments.flag("json")) {
    return print_json({{"name", name}, {"bytes", removal.bytes}, {"paths", removal.paths}});
  }
  return print("Removed " + what + ".\n");
}

}  // namespace

Verb verb_rm() {
  return {
      .name = "rm",
      .aliases = "remove",
      .group = VerbGroup::kFiles,
      .summary = "remove a model from this machine",
      .details =
          "Of the Hugging Face cache, hf:OWNER/REPO removes the whole repository and hf:OWNER/REPO:QUANT one "
          "model; files that another snapshot uses stay. Models of Ollama and LM Studio are removed by "
          "these.",
      .positionals = {{.name = "MODEL", .help = "a name of 'brisk list'", .required = true, .file = false}},
      .options = {{.name = "yes", .aliases = "-y", .help = "do not ask"}, kJsonOption},
      .examples = {"brisk rm hf:OWNER/REPO:Q4_K_M", "brisk rm my-model -y"},
      .run = run,
  };
}

}  // namespace brisk::cli
