// The rules by which pre-tokenizers cut a text into words. Each is one regular expression of the kind that
// tokenizer.json files carry, written by hand as a scanner: linear in the text, no recursion, no heap.
//
// The text is well-formed UTF-8; its end is the end for look-ahead too. Letters, numbers and so on are
// Unicode's (text/char_class.hpp), \s is White_Space. In the expressions below
//
//     C = (?i:'s|'t|'re|'ve|'m|'ll|'d)          U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
//     S = \s+(?!\S)|\s+                         L = [\p{Ll}\p{Lm}\p{Lo}\p{M}]
#pragma once

#include <cstddef>
#include <string_view>

namespace brisk::text {

/// A stretch of the text; none was found when it is empty (begin == end == text.size()).
struct Match {
  size_t begin, end;
};

/// The first stretch at or after `from` that the rule matches; `from` is 0 or the end of the match before.
/// Searching a text from match to match takes time linear in its length.
using SplitRule = Match (*)(std::string_view text, size_t from);

// --- Whole word rules (split_words.cpp) --------------------------------------------------------------

/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|S
Match split_gpt2(std::string_view text, size_t from);
/// C|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|S
Match split_llama3(std::string_view text, size_t from);
/// As split_llama3 with C = 's|'t|'re|'ve|'m|'ll|'d in either case of ASCII.
Match split_llama3_ascii(std::string_view text, size_t from);
/// As split_llama3 with \p{N}.
Match split_qwen2(std::string_view text, size_t from);
/// As split_qwen2 with marks counted as letters: [\p{L}\p{M}]+ and [^\s\p{L}\p{M}\p{N}]+.
Match split_qwen35(std::string_view text, size_t from);
/// As split_qwen2 without C.
Match split_ufakzeka(std::string_view text, size_t from);
/// As split_llama3 with \p{N}+.
Match split_minicpm5(std::string_view text, size_t from);
/// As split_qwen2 with ` ?[^\s\p{L}\p{N}\r\n]+` and no line ends after it.
Match split_seed_coder(std::string_view text, size_t from);
/// C|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|S
Match split_exaone_moe(std::string_view text, size_t from);
/// As split_llama3 with white space in powers of two: in the place of S
/// \s{512}(?!\S)|\s{256}(?!\S)|...|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}
Match split_jais2(std::string_view text, size_t from);

/// [^\r\n\p{L}\p{N}]?U*L+C?|[^\r\n\p{L}\p{N}]?U+L*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|S
Match split_gpt4o(std::string_view text, size_t from);
/// As split_gpt4o without C and with \p{N}.
Match split_tekken(std::string_view text, size_t from);
/// As split_gpt4o with U and L both [\p{L}\p{M}]: no cut where the case changes.
Match split_gpt4o_uncased(std::string_view text, size_t from);
/// As split_gpt4o_uncased with \p{N}.
Match split_youtu(std::string_view text, size_t from);
/// As split_gpt4o with U = [\p{L}\p{M}] but a-z and L = [\p{L}\p{M}] but A-Z.
Match split_granite_embedding(std::string_view text, size_t from);
/// \p{Han}+|, then as split_gpt4o with U and L less \p{Han}, and [\r\n]* after signs.
Match split_kimi_k2(std::string_view text, size_t from);
/// H+|[^\r\n\p{L}\p{N}]?(\p{L} but H)+C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|S
/// with H the blocks of ideographs that llama.cpp lists.
Match split_kimi_k2_llama_cpp(std::string_view text, size_t from);

/// [!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|S
Match split_deepseek_v3(std::string_view text, size_t from);
/// As split_deepseek_v3 with ` ?[\p{P}\p{S}]+|[\r\n]|S` at the end.
Match split_spark(std::string_view text, size_t from);
/// 's|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+
Match split_clip(std::string_view text, size_t from);

// --- Rules of one kind of character (split_runs.cpp) --------------------------------------------------

/// \p{N}
Match split_each_number(std::string_view text, size_t from);
/// \p{N}+
Match split_numbers(std::string_view text, size_t from);
/// \p{N}{1,3}
Match split_numbers_by_three(std::string_view text, size_t from);
/// [0-9][0-9][0-9]
Match split_three_digits(std::string_view text, size_t from);
/// \d{1,3}(?=(?:\d{3})*\b)
Match split_digits_from_right(std::string_view text, size_t from);
/// What lies between the matches of (?=(\d{3})+(?!\d)), which are empty. \d: [0-9] as in llama.cpp.
Match split_before_triples(std::string_view text, size_t from);
/// Up to the first, then between the ends of the groups of three numbers, counted from the right of each run
/// of \p{N}: what llama.cpp does for AfMoE and Tiny Aya.
Match split_after_triples(std::string_view text, size_t from);

/// Numbers of step "Digits": one, or a run.
Match split_each_numeric(std::string_view text, size_t from);
Match split_numerics(std::string_view text, size_t from);
/// One character of step "Punctuation".
Match split_each_punctuation(std::string_view text, size_t from);
/// \w+|[^\w\s]+
Match split_words_or_signs(std::string_view text, size_t from);
/// \s+
Match split_spaces(std::string_view text, size_t from);
/// \S+
Match split_non_space(std::string_view text, size_t from);

/// [\r\n]
Match split_line_ends(std::string_view text, size_t from);
/// [^\n]+|[\n]+
Match split_lines(std::string_view text, size_t from);
/// \s+$ at the end of the text only
Match split_trailing_space(std::string_view text, size_t from);
/// [\p{P}$+<=>^`|~]+
Match split_punctuation(std::string_view text, size_t from);
/// \s?\p{L}+
Match split_space_letters(std::string_view text, size_t from);
/// \s?\p{P}+
Match split_space_punctuation(std::string_view text, size_t from);
/// ` ?[^(\s|.,!?…。，、।۔،)]+`
Match split_bloom(std::string_view text, size_t from);
/// <sentinel:[0-9]+>
Match split_sentinels(std::string_view text, size_t from);
/// (IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z
Match split_image_tokens(std::string_view text, size_t from);
/// [\t\n], four spaces or two
Match split_indents(std::string_view text, size_t from);
/// [\p{P}!-/:-@\[-`{-~]
Match split_each_sign(std::string_view text, size_t from);

/// \s? and letters of the bicameral scripts that DeepSeek LLM lists
Match split_deepseek_letters(std::string_view text, size_t from);
/// \s? and characters of U+0021-002F, 003A-007E, FF01-FF0F, FF1A-FF5E, 2018-201F, 3000-3002
Match split_deepseek_punctuation(std::string_view text, size_t from);
/// Runs of U+0800-9FA5 and U+AC00-D7FF
Match split_deepseek_cjk(std::string_view text, size_t from);
/// Runs of U+4E00-9FA5 and U+3040-30FF
Match split_han_kana(std::string_view text, size_t from);
/// Runs of Han, kana, Thai, Lao, Khmer, Myanmar and Hangul, as AfMoE lists them
Match split_afmoe_scripts(std::string_view text, size_t from);
/// Runs of one of: Hangul, CJK punctuation, Bopomofo, Han and kana, as Youtu lists them
Match split_youtu_scripts(std::string_view text, size_t from);

}  // namespace brisk::text
