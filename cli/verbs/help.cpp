// brisk help: the verbs, or one of them.
#include "cli/help.hpp"

#include "cli/output.hpp"
#include "cli/verb.hpp"

namespace brisk::cli {
namespace {

Status run(const Arguments& arguments) {
  const std::string name = arguments.positional(0);
  if (name.empty()) return print(overview());
  const Verb* verb = find_verb(name);
  if (verb == nullptr) return unknown_verb(name);
  return print(help_of(*verb));
}

}  // namespace

Verb verb_help() {
  return {
      .name = "help",
      .group = VerbGroup::kHelp,
      .summary = "list the verbs, or tell about one",
      .positionals = {{.name = "VERB", .help = "the verb to tell about", .file = false}},
      .examples = {"brisk help run"},
      .run = run,
  };
}

}  // namespace brisk::cli
