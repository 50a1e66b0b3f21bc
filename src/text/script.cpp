#include "text/script.hpp"

#include <algorithm>
#include <iterator>

namespace brisk::text {

namespace {

struct ScriptRange {
  char32_t first, last;
  Script script;
};

// Sorted.
constexpr ScriptRange kScriptRanges[] = {
#include "text/script_ranges.inc"
};

}  // namespace

Script script_of(char32_t code) {
  const auto* range = std::lower_bound(std::begin(kScriptRanges), std::end(kScriptRanges), code,
                                       [](const ScriptRange& r, char32_t c) { return r.last < c; });
  return range != std::end(kScriptRanges) && range->first <= code ? range->script : kAnyScript;
}

}  // namespace brisk::text
