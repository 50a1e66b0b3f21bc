// Regular expressions that no hand-written rule knows, run by PCRE2 under limits, so that no pattern and no
// text can take more than a bounded share of time, stack or memory.
//
// The expressions come from tokenizer.json, written for Oniguruma or Rust's regex. What PCRE2 reads
// differently is rewritten where that is exact (\s, \w, \b, (?m)), and refused by name where it is not
// (\h, set operations and nested sets in brackets, {n,m}+, options in the middle of a group). Recursion,
// callouts and verbs are refused too. docs/design/pre-tokenizers.md has the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "text/split_rules.hpp"

namespace brisk::text {

/// The longest expression that is accepted, in bytes.
inline constexpr size_t kLongestPattern = 4096;

class Pattern {
 public:
  /// Compiles `regex`; `where` names the file in errors. Thread-safe to use afterwards.
  static Result<Pattern> compile(std::string_view regex, const std::string& where);

 private:
  friend class PatternSearch;
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

/// The matches of a pattern in one text, from left to right. An empty match is given too, but never one that
/// touches the match before it; so the search ends.
class PatternSearch {
 public:
  /// `text` must be well-formed UTF-8 and outlive the search.
  PatternSearch(const Pattern& pattern, std::string_view text);
  ~PatternSearch();
  PatternSearch(const PatternSearch&) = delete;
  PatternSearch& operator=(const PatternSearch&) = delete;

  /// The next match, or none. More work than the limit allows (a multiple of the text's length) is a
  /// bad-input error that names the pattern.
  Result<std::optional<Match>> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace brisk::text
