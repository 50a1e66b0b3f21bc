// The rules by which pre-tokenizers cut a text into words. Each is one regular expression of the kind that
// tokenizer.json files carry, written by hand as a scanner: linear in the text, no recursion, no heap.
//
// The text is well-formed UTF-8; its end is the end for look-ahead too. Letters, numbers and so on are
// Unicode's (text/char_class.hpp), \s is White_Space.
#pragma once

#include <cstddef>
#include <string_view>

namespace brisk::text {

/// A stretch of the text; none was found when it is empty (begin == end == text.size()).
struct Match {
  size_t begin, end;
};

/// The first stretch at or after `from` that the rule matches. Searching a text from match to match takes
/// time linear in its length.
using SplitRule = Match (*)(std::string_view text, size_t from);

/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
Match split_gpt2(std::string_view text, size_t from);
/// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+
/// |\s+(?!\S)|\s+
Match split_llama3(std::string_view text, size_t from);
/// As split_llama3 with \p{N}.
Match split_qwen2(std::string_view text, size_t from);
/// As split_qwen2 with marks counted as letters: [\p{L}\p{M}]+ and [^\s\p{L}\p{M}\p{N}]+.
Match split_qwen35(std::string_view text, size_t from);
/// With U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}], L = [\p{Ll}\p{Lm}\p{Lo}\p{M}], C = (?i:'s|'t|'re|'ve|'m|'ll|'d)?
/// [^\r\n\p{L}\p{N}]?U*L+C|[^\r\n\p{L}\p{N}]?U+L*C|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+
/// |\s+(?!\S)|\s+
Match split_gpt4o(std::string_view text, size_t from);
/// As split_gpt4o without C and with \p{N}.
Match split_tekken(std::string_view text, size_t from);
/// [!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+
/// |\s+(?!\S)|\s+
Match split_deepseek_v3(std::string_view text, size_t from);

/// \p{N}
Match split_each_number(std::string_view text, size_t from);
/// \p{N}{1,3}
Match split_numbers_by_three(std::string_view text, size_t from);
/// [0-9][0-9][0-9]
Match split_three_digits(std::string_view text, size_t from);
/// [\r\n]
Match split_line_ends(std::string_view text, size_t from);
/// \s+$ at the end of the text only
Match split_trailing_space(std::string_view text, size_t from);
/// [\p{P}$+<=>^`|~]+
Match split_punctuation(std::string_view text, size_t from);
/// \s?\p{L}+
Match split_space_letters(std::string_view text, size_t from);
/// \s?\p{P}+
Match split_space_punctuation(std::string_view text, size_t from);
/// \s? and letters of the bicameral scripts that DeepSeek LLM lists
Match split_deepseek_letters(std::string_view text, size_t from);
/// \s? and characters of U+0021-002F, 003A-007E, FF01-FF0F, FF1A-FF5E, 2018-201F, 3000-3002
Match split_deepseek_punctuation(std::string_view text, size_t from);
/// Runs of U+0800-9FA5 and U+AC00-D7FF
Match split_deepseek_cjk(std::string_view text, size_t from);
/// Runs of U+4E00-9FA5 and U+3040-30FF
Match split_han_kana(std::string_view text, size_t from);

}  // namespace brisk::text
