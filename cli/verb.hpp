// What a verb is. Each file verbs/<name>.cpp defines verb_<name>(), which returns its table; the build lists
// them, and from the tables come parsing, help and shell completion.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "cli/options.hpp"

namespace brisk::cli {

/// The headings of `brisk help`, in this order.
enum class VerbGroup : uint8_t { kUse, kFiles, kJudge, kText, kHelp };

struct Verb {
  std::string_view name;
  std::string_view aliases = {};  ///< separated by spaces
  VerbGroup group = VerbGroup::kUse;
  std::string_view summary;       ///< one line, for the list of verbs
  std::string_view details = {};  ///< further lines of its own help; may be empty
  std::vector<Positional> positionals = {};
  std::vector<Option> options = {};
  std::vector<std::string_view> examples;  ///< whole lines, the first shown first
  Status (*run)(const Arguments& arguments);
};

/// All verbs, by group, then by name.
std::span<const Verb> all_verbs();
/// By name or alias; null when there is none.
const Verb* find_verb(std::string_view name);
/// "expected a verb, got X; try the nearest".
Status unknown_verb(std::string_view name);

/// The option of nearly every verb.
inline constexpr Option kJsonOption = {.name = "json", .help = "print one JSON object (errors too)"};

}  // namespace brisk::cli
