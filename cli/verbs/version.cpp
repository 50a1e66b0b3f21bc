// brisk version (also --version).
#include "cli/output.hpp"
#include "cli/verb.hpp"

namespace brisk::cli {
namespace {

Status run(const Arguments& arguments) {
  if (arguments.flag("json")) return print_json({{"version", BRISK_VERSION}});
  return print("brisk " BRISK_VERSION "\n");
}

}  // namespace

Verb verb_version() {
  return {
      .name = "version",
      .group = VerbGroup::kHelp,
      .summary = "print the version",
      .options = {kJsonOption},
      .examples = {"brisk --version"},
      .run = run,
  };
}

}  // namespace brisk::cli
