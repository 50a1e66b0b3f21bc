#include "text/split_rules.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "text/char_class.hpp"

namespace brisk::text {

namespace {

// A matcher returns the end of what it matches at `at`, or `at` itself for no match; what it reads beyond
// what it matches must be bounded, or the search is not linear any more.
template <auto matches_at>
Match search(std::string_view text, size_t from) {
  for (size_t at = from; at < text.size(); at += char_at(text, at).length) {
    const size_t end = matches_at(text, at);
    if (end != at) return {at, end};
  }
  return {text.size(), text.size()};
}

template <typename Predicate>
size_t skip_while(std::string_view text, size_t at, Predicate&& wanted) {
  for (Char c = char_at(text, at); c.length != 0 && wanted(c); c = char_at(text, at)) at += c.length;
  return at;
}

size_t skip_classes(std::string_view text, size_t at, uint8_t any_of) {
  return skip_while(text, at, [any_of](const Char& c) { return c.is(any_of); });
}

// At most `most` numbers.
size_t skip_numbers(std::string_view text, size_t at, int most) {
  for (Char c = char_at(text, at); most > 0 && c.is(kNumber); c = char_at(text, at), --most) at += c.length;
  return at;
}

// \s+(?!\S)|\s+ : all the white space at the end of a text, else all but its last character unless it is
// the only one (which then goes with the word that follows).
size_t match_space(std::string_view text, size_t at) {
  size_t end = at;
  size_t last = at;
  for (Char c = char_at(text, end); c.is(kSpace); c = char_at(text, end)) {
    last = end;
    end += c.length;
  }
  return end == text.size() || last == at ? end : last;
}

// \s*[\r\n]+|\s+(?!\S)|\s+ : white space up to its last line end, if it has one.
size_t match_lines_or_space(std::string_view text, size_t at) {
  size_t end = at;
  size_t after_line = at;
  for (Char c = char_at(text, end); c.is(kSpace); c = char_at(text, end)) {
    end += c.length;
    if (c.is_line_end()) after_line = end;
  }
  return after_line != at ? after_line : match_space(text, at);
}

// 's|'t|'re|'ve|'m|'ll|'d, in any case if asked (the long s is an s then).
size_t match_contraction(std::string_view text, size_t at, bool any_case) {
  if (char_at(text, at).code != '\'') return at;
  const auto letter = [&](const Char& c) -> char32_t {
    if (!any_case) return c.code;
    if (c.code == 0x17F) return 's';
    return c.code >= 'A' && c.code <= 'Z' ? c.code + ('a' - 'A') : c.code;
  };
  const Char one = char_at(text, at + 1);
  const size_t after_one = at + 1 + one.length;
  const char32_t a = letter(one);
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return after_one;
  const Char two = char_at(text, after_one);
  const char32_t b = letter(two);
  const bool found = (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l');
  return found ? after_one + two.length : at;
}

// " ?X+" for one class of characters; a lone space is no match.
template <typename Predicate>
size_t match_space_run(std::string_view text, size_t at, Predicate&& wanted) {
  const size_t start = at + (char_at(text, at).code == ' ' ? 1 : 0);
  const size_t end = skip_while(text, start, wanted);
  return end == start ? at : end;
}

// "\s?X+"; the optional space may itself be an X.
template <typename Predicate>
size_t match_any_space_run(std::string_view text, size_t at, Predicate&& wanted) {
  const Char first = char_at(text, at);
  if (first.is(kSpace)) {
    const size_t start = at + first.length;
    const size_t end = skip_while(text, start, wanted);
    if (end != start) return end;
  }
  return skip_while(text, at, wanted);
}

bool no_word_or_space(const Char& c) { return !c.is(kSpace | kLetter | kNumber); }

size_t match_gpt2(std::string_view text, size_t at) {
  if (const size_t end = match_contraction(text, at, false); end != at) return end;
  const size_t start = at + (char_at(text, at).code == ' ' ? 1 : 0);
  const Char first = char_at(text, start);
  if (first.is(kLetter)) return skip_classes(text, start, kLetter);
  if (first.is(kNumber)) return skip_classes(text, start, kNumber);
  if (first.length != 0 && !first.is(kSpace)) return skip_while(text, start, no_word_or_space);
  return match_space(text, at);
}

// " ?[^\s\p{L}\p{N}]+" and the line ends (and slashes) after it.
size_t match_other_and_lines(std::string_view text, size_t at, uint8_t word_classes, bool slashes) {
  const uint8_t excluded = kSpace | kNumber | word_classes;
  const size_t end = match_space_run(text, at, [excluded](const Char& c) { return !c.is(excluded); });
  if (end == at) return at;
  return skip_while(text, end,
                    [slashes](const Char& c) { return c.is_line_end() || (slashes && c.code == '/'); });
}

// "[^\r\n\p{L}\p{N}]?X+" with X the characters of `word_classes`.
size_t match_prefixed_word(std::string_view text, size_t at, uint8_t word_classes) {
  const Char first = char_at(text, at);
  if (!first.is_line_end() && !first.is(kLetter | kNumber)) {
    const size_t start = at + first.length;
    const size_t end = skip_classes(text, start, word_classes);
    if (end != start) return end;
  }
  return skip_classes(text, at, word_classes);
}

template <uint8_t word_classes, int most_numbers>
size_t match_llama3(std::string_view text, size_t at) {
  if (const size_t end = match_contraction(text, at, true); end != at) return end;
  if (const size_t end = match_prefixed_word(text, at, word_classes); end != at) return end;
  if (const size_t end = skip_numbers(text, at, most_numbers); end != at) return end;
  if (const size_t end = match_other_and_lines(text, at, word_classes, false); end != at) return end;
  return match_lines_or_space(text, at);
}

// Titles, modifiers, caseless letters and marks count as both cases.
bool may_be_upper(const Char& c) { return c.is(kLetter | kMark) && !c.is(kLower); }
bool may_be_lower(const Char& c) { return c.is(kLetter | kMark) && !c.is(kUpper); }

// "U*L+": when nothing of L follows the run of U, the run gives back its end, up to the last character
// that is in both.
size_t match_upper_then_lower(std::string_view text, size_t at) {
  size_t end_of_both = at;
  size_t end = at;
  for (Char c = char_at(text, end); may_be_upper(c); c = char_at(text, end)) {
    end += c.length;
    if (may_be_lower(c)) end_of_both = end;
  }
  const size_t lower_end = skip_while(text, end, may_be_lower);
  return lower_end != end ? lower_end : end_of_both;
}

// "U+L*"
size_t match_upper(std::string_view text, size_t at) {
  const size_t end = skip_while(text, at, may_be_upper);
  return end == at ? at : skip_while(text, end, may_be_lower);
}

// Both forms of a cased word, each with the optional character before it and without.
size_t match_cased_word(std::string_view text, size_t at) {
  const Char first = char_at(text, at);
  const bool has_prefix = first.length != 0 && !first.is_line_end() && !first.is(kLetter | kNumber);
  const size_t after_prefix = at + first.length;
  for (auto* form : {match_upper_then_lower, match_upper}) {
    if (has_prefix) {
      if (const size_t end = form(text, after_prefix); end != after_prefix) return end;
    }
    if (const size_t end = form(text, at); end != at) return end;
  }
  return at;
}

template <bool contractions, int most_numbers>
size_t match_gpt4o(std::string_view text, size_t at) {
  if (const size_t end = match_cased_word(text, at); end != at) {
    return contractions ? match_contraction(text, end, true) : end;
  }
  if (const size_t end = skip_numbers(text, at, most_numbers); end != at) return end;
  if (const size_t end = match_other_and_lines(text, at, kLetter, true); end != at) return end;
  return match_lines_or_space(text, at);
}

bool is_ascii_letter(const Char& c) { return c.code < 0x80 && c.is(kLetter); }

size_t match_deepseek_v3(std::string_view text, size_t at) {
  const Char first = char_at(text, at);
  if (first.code < 0x80 && first.is(kPunct | kSymbol)) {
    if (const size_t end = skip_while(text, at + 1, is_ascii_letter); end != at + 1) return end;
  }
  if (!first.is_line_end() && !first.is(kLetter | kPunct | kSymbol)) {
    const size_t start = at + first.length;
    if (const size_t end = skip_classes(text, start, kLetter | kMark); end != start) return end;
  }
  if (const size_t end = skip_classes(text, at, kLetter | kMark); end != at) return end;
  const auto is_sign = [](const Char& c) { return c.is(kPunct | kSymbol); };
  if (const size_t end = match_space_run(text, at, is_sign); end != at) {
    return skip_while(text, end, [](const Char& c) { return c.is_line_end(); });
  }
  return match_lines_or_space(text, at);
}

template <int most>
size_t match_numbers(std::string_view text, size_t at) {
  return skip_numbers(text, at, most);
}

size_t match_three_digits(std::string_view text, size_t at) {
  for (size_t i = at; i < at + 3; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return at;
  }
  return at + 3;
}

size_t match_line_end(std::string_view text, size_t at) {
  return at + (char_at(text, at).is_line_end() ? 1 : 0);
}

size_t match_punctuation(std::string_view text, size_t at) {
  return skip_while(text, at, [](const Char& c) { return c.is(kPunct) || (c.code < 0x80 && c.is(kSymbol)); });
}

template <uint8_t classes>
size_t match_any_space_classes(std::string_view text, size_t at) {
  return match_any_space_run(text, at, [](const Char& c) { return c.is(classes); });
}

struct Range {
  char32_t first, last;
};

template <size_t n>
bool in_ranges(const Range (&ranges)[n], char32_t code) {
  const Range* range = std::lower_bound(std::begin(ranges), std::end(ranges), code,
                                        [](const Range& r, char32_t c) { return r.last < c; });
  return range != std::end(ranges) && range->first <= code;
}

// The letters of DeepSeek LLM's second rule, from its tokenizer.json.
constexpr Range kDeepseekLetters[] = {
    {0x0041, 0x005A},   {0x0061, 0x007A},   {0x00B5, 0x00B5},   {0x00C0, 0x00D6},   {0x00D8, 0x00F6},
    {0x00F8, 0x01BA},   {0x01BC, 0x01BF},   {0x01C4, 0x0293},   {0x0295, 0x02AF},   {0x0370, 0x0373},
    {0x0376, 0x0377},   {0x037B, 0x037D},   {0x037F, 0x037F},   {0x0386, 0x0386},   {0x0388, 0x038A},
    {0x038C, 0x038C},   {0x038E, 0x03A1},   {0x03A3, 0x03F5},   {0x03F7, 0x0481},   {0x048A, 0x052F},
    {0x0531, 0x0556},   {0x10A0, 0x10C5},   {0x13A0, 0x13F5},   {0x13F8, 0x13FD},   {0x1C90, 0x1CBA},
    {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},   {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},   {0x1E00, 0x1F15},
    {0x1F18, 0x1F1D},   {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},   {0x1F59, 0x1F59},
    {0x1F5B, 0x1F5B},   {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},   {0x1FB6, 0x1FBC},
    {0x1FBE, 0x1FBE},   {0x1FC2, 0x1FC4},   {0x1FC6, 0x1FCC},   {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},
    {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},   {0x1FF6, 0x1FFC},   {0x2102, 0x2102},   {0x2107, 0x2107},
    {0x210A, 0x2113},   {0x2115, 0x2115},   {0x2119, 0x211D},   {0x2124, 0x2124},   {0x2126, 0x2126},
    {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},   {0x213C, 0x213F},
    {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2184},   {0x2C00, 0x2C7B},   {0x2C7E, 0x2CE4},
    {0x2CEB, 0x2CEE},   {0x2CF2, 0x2CF3},   {0xA640, 0xA66D},   {0xA680, 0xA69B},   {0xA722, 0xA76F},
    {0xA771, 0xA787},   {0xA78B, 0xA78E},   {0xAB70, 0xABBF},   {0xFB00, 0xFB06},   {0xFB13, 0xFB17},
    {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},   {0x10400, 0x1044F}, {0x104B0, 0x104D3}, {0x104D8, 0x104FB},
    {0x10C80, 0x10CB2}, {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF}, {0x1E900, 0x1E943},
};

constexpr Range kDeepseekPunctuation[] = {
    {0x0021, 0x002F}, {0x003A, 0x007E}, {0x2018, 0x201F},
    {0x3000, 0x3002}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF5E},
};

size_t match_deepseek_letters(std::string_view text, size_t at) {
  return match_any_space_run(text, at, [](const Char& c) { return in_ranges(kDeepseekLetters, c.code); });
}

size_t match_deepseek_punctuation(std::string_view text, size_t at) {
  return match_any_space_run(text, at, [](const Char& c) { return in_ranges(kDeepseekPunctuation, c.code); });
}

size_t match_deepseek_cjk(std::string_view text, size_t at) {
  return skip_while(text, at, [](const Char& c) {
    return (c.code >= 0x0800 && c.code <= 0x9FA5) || (c.code >= 0xAC00 && c.code <= 0xD7FF);
  });
}

size_t match_han_kana(std::string_view text, size_t at) {
  return skip_while(text, at, [](const Char& c) {
    return (c.code >= 0x4E00 && c.code <= 0x9FA5) || (c.code >= 0x3040 && c.code <= 0x30FF);
  });
}

}  // namespace

Match split_gpt2(std::string_view text, size_t from) { return search<match_gpt2>(text, from); }
Match split_llama3(std::string_view text, size_t from) {
  return search<match_llama3<kLetter, 3>>(text, from);
}
Match split_qwen2(std::string_view text, size_t from) { return search<match_llama3<kLetter, 1>>(text, from); }
Match split_qwen35(std::string_view text, size_t from) {
  return search<match_llama3<kLetter | kMark, 1>>(text, from);
}
Match split_gpt4o(std::string_view text, size_t from) { return search<match_gpt4o<true, 3>>(text, from); }
Match split_tekken(std::string_view text, size_t from) { return search<match_gpt4o<false, 1>>(text, from); }
Match split_deepseek_v3(std::string_view text, size_t from) { return search<match_deepseek_v3>(text, from); }
Match split_each_number(std::string_view text, size_t from) { return search<match_numbers<1>>(text, from); }
Match split_numbers_by_three(std::string_view text, size_t from) {
  return search<match_numbers<3>>(text, from);
}
Match split_three_digits(std::string_view text, size_t from) {
  return search<match_three_digits>(text, from);
}
Match split_line_ends(std::string_view text, size_t from) { return search<match_line_end>(text, from); }
Match split_punctuation(std::string_view text, size_t from) { return search<match_punctuation>(text, from); }
Match split_space_letters(std::string_view text, size_t from) {
  return search<match_any_space_classes<kLetter>>(text, from);
}
Match split_space_punctuation(std::string_view text, size_t from) {
  return search<match_any_space_classes<kPunct>>(text, from);
}
Match split_deepseek_letters(std::string_view text, size_t from) {
  return search<match_deepseek_letters>(text, from);
}
Match split_deepseek_punctuation(std::string_view text, size_t from) {
  return search<match_deepseek_punctuation>(text, from);
}
Match split_deepseek_cjk(std::string_view text, size_t from) {
  return search<match_deepseek_cjk>(text, from);
}
Match split_han_kana(std::string_view text, size_t from) { return search<match_han_kana>(text, from); }

// Found in one forward pass: looking from each space to the end of its run would be quadratic.
Match split_trailing_space(std::string_view text, size_t from) {
  size_t begin = from;
  for (size_t at = from; at < text.size();) {
    const Char c = char_at(text, at);
    at += c.length;
    if (!c.is(kSpace)) begin = at;
  }
  return {begin, text.size()};
}

}  // namespace brisk::text
