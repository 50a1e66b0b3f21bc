// The steps that pre-tokenizers are made of, one maker each, as Hugging Face's tokenizers 0.23 define them.
// (rules_step and bert_words_step stand in text/pre_tokenizer.hpp.)
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "text/pattern.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/split_rules.hpp"

namespace brisk::text {

/// What becomes of the stretches that a pattern matches.
enum class SplitBehavior : uint8_t {
  kRemoved,             ///< dropped; what lies between them stays
  kIsolated,            ///< words of their own
  kMergedWithPrevious,  ///< the end of the word before
  kMergedWithNext,      ///< the beginning of the word after
  kContiguous,          ///< words of their own, neighbours joined
};

using StepPtr = std::shared_ptr<const PreTokenizerStep>;

/// `invert`: what lies between the matches counts as matched, and the matches as not.
StepPtr rule_split_step(SplitRule rule, SplitBehavior behavior, bool invert);
/// An empty literal matches nothing.
StepPtr literal_split_step(std::string literal, SplitBehavior behavior, bool invert);
/// A known regular expression becomes its rule, any other a PCRE2 pattern (text/pattern.hpp). A pattern that
/// is too long, wrong or not to be had is a bad-input error; `where` names the file.
Result<StepPtr> pattern_split_step(std::string_view regex, SplitBehavior behavior, bool invert,
                                   const std::string& where);

/// The same with PCRE2, whether a rule is known or not.
StepPtr compiled_split_step(Pattern pattern, SplitBehavior behavior, bool invert);

/// GPT-2's words. `add_prefix_space`: a word that begins with no space gets one. `use_regex` off: no cuts.
/// The bytes stay as they are: the word model spells them (TokenSpelling::kByteAlphabet).
StepPtr byte_level_step(bool add_prefix_space, bool use_regex);

/// Which words get the mark in front when they do not begin with it.
enum class PrependScheme : uint8_t { kAlways, kFirst, kNever };
/// `replacement` (one character, usually U+2581) in the place of each space; `split`: a word begins at each.
StepPtr metaspace_step(std::string replacement, PrependScheme prepend_scheme, bool split);

/// Numbers apart from the rest; `individual`: each number character a word.
StepPtr digits_step(bool individual);
/// ASCII's punctuation and symbols, and \p{P}.
StepPtr punctuation_step(SplitBehavior behavior);
/// The matches of \w+|[^\w\s]+
StepPtr whitespace_step();
/// What stands between white space.
StepPtr whitespace_split_step();
/// What stands between occurrences of `delimiter`.
StepPtr char_delimiter_step(std::string delimiter);
/// A cut where the script changes; kana count as Han, a space as any script.
StepPtr unicode_scripts_step();
/// Words of `length` characters (> 0), the last one perhaps shorter.
StepPtr fixed_length_step(int64_t length);

}  // namespace brisk::text
