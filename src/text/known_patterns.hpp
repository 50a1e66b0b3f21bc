// The regular expressions that tokenizer.json files of known models carry, and the hand-written rule of each
// (text/split_rules.hpp). They never reach PCRE2: the rules are linear and faster.
#pragma once

#include <span>
#include <string_view>

#include "text/split_rules.hpp"

namespace brisk::text {

struct KnownPattern {
  std::string_view regex;  ///< as written in the file, after JSON's escapes
  SplitRule rule;
};

/// All known patterns; several spellings may share a rule.
std::span<const KnownPattern> known_patterns();

/// The rule that is equal to `regex`, or null when it is not known.
SplitRule find_known_rule(std::string_view regex);

}  // namespace brisk::text
