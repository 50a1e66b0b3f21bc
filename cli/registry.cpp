// The list of verbs, written by the build from the files of verbs/.
#include <algorithm>

#include "cli/verb.hpp"

namespace brisk::cli {

#define BRISK_ITEM(name) Verb name();
#include "verbs.inc"
#undef BRISK_ITEM

std::span<const Verb> all_verbs() {
  static const std::vector<Verb> verbs = [] {
    std::vector<Verb> list = {
#define BRISK_ITEM(name) name(),
#include "verbs.inc"
#undef BRISK_ITEM
    };
    std::sort(list.begin(), list.end(), [](const Verb& a, const Verb& b) {
      return a.group != b.group ? a.group < b.group : a.name < b.name;
    });
    return list;
  }();
  return verbs;
}

const Verb* find_verb(std::string_view name) {
  for (const Verb& verb : all_verbs()) {
    if (verb.name == name) return &verb;
    for (const std::string& alias : words(verb.aliases)) {
      if (alias == name) return &verb;
    }
  }
  return nullptr;
}

Status unknown_verb(std::string_view name) {
  std::vector<std::string> known;
  for (const Verb& verb : all_verbs()) {
    known.emplace_back(verb.name);
    for (std::string& alias : words(verb.aliases)) known.push_back(std::move(alias));
  }
  const std::string near = nearest(name, known);
  return usage_error({"brisk", "a verb", "'" + std::string(name) + "'",
                      near.empty() ? "'brisk help' for the list" : "'brisk " + near + "'"});
}

}  // namespace brisk::cli
