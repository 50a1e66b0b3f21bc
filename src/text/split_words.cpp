// Rules that know a whole word: contractions, letters, numbers, signs, white space. Most differ in a part
// or two only (match_parts).
#include <cstdint>

#include "text/scan.hpp"
#include "text/split_rules.hpp"

namespace brisk::text {

namespace {

using scan::match_space_run;
using scan::search;
using scan::skip_classes;
using scan::skip_numbers;
using scan::skip_while;

// --- White space -------------------------------------------------------------------------------------

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

// \s*[\r\n]+ : white space up to its last line end, if it has one.
size_t match_lines(std::string_view text, size_t at) {
  size_t after_line = at;
  for (Char c = char_at(text, at); c.is(kSpace); c = char_at(text, at)) {
    at += c.length;
    if (c.is_line_end()) after_line = at;
  }
  return after_line;
}

size_t match_lines_or_space(std::string_view text, size_t at) {
  const size_t end = match_lines(text, at);
  return end != at ? end : match_space(text, at);
}

// \s{512}(?!\S)|...|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}
size_t match_space_by_powers(std::string_view text, size_t at) {
  constexpr int kMost = 512;
  size_t ends[kMost + 1];
  int count = 0;
  Char c = char_at(text, at);
  for (ends[0] = at; c.is(kSpace) && count < kMost; c = char_at(text, ends[count])) {
    ends[count + 1] = ends[count] + c.length;
    ++count;
  }
  if (count == 0) return at;
  // The last character belongs to the word that follows, if one does.
  const int free = c.length != 0 && !c.is(kSpace) ? count - 1 : count;
  int power = kMost;
  while (power > free && power > 1) power /= 2;
  return ends[power];
}

// As match_lines_or_space. When the character before is white space but no line end, the run was looked
// through before and cut: it has no line end, and looking again would take quadratic time.
size_t match_lines_or_space_by_powers(std::string_view text, size_t at) {
  const Char before = at == 0 ? Char{kNoChar, 0, 0} : scan::char_before(text, at);
  const bool looked_through = before.is(kSpace) && !before.is_line_end();
  const size_t end = looked_through ? at : match_lines(text, at);
  return end != at ? end : match_space_by_powers(text, at);
}

// --- Contractions ------------------------------------------------------------------------------------

enum class Contraction { kNone, kLowerCase, kAsciiCase, kAnyCase };

// 's|'t|'re|'ve|'m|'ll|'d; in Unicode's any case a long s is an s too.
template <Contraction kind>
size_t match_contraction(std::string_view text, size_t at) {
  if (kind == Contraction::kNone || at >= text.size() || text[at] != '\'') return at;
  const auto letter = [](const Char& c) -> char32_t {
    if (kind == Contraction::kLowerCase) return c.code;
    if (kind == Contraction::kAnyCase && c.code == 0x17F) return 's';
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

// --- Words -------------------------------------------------------------------------------------------

bool may_prefix_word(const Char& c) { return c.length != 0 && !c.is_line_end() && !c.is(kLetter | kNumber); }

// "[^\r\n\p{L}\p{N}]?X+"
template <typename Predicate>
size_t match_prefixed_run(std::string_view text, size_t at, Predicate&& wanted) {
  const Char first = char_at(text, at);
  if (may_prefix_word(first)) {
    const size_t start = at + first.length;
    const size_t end = skip_while(text, start, wanted);
    if (end != start) return end;
  }
  return skip_while(text, at, wanted);
}

template <uint16_t classes>
size_t match_word(std::string_view text, size_t at) {
  return match_prefixed_run(text, at, [](const Char& c) { return c.is(classes); });
}

// Titles, modifiers, caseless letters and marks count as both cases.
struct UnicodeCase {
  static bool upper(const Char& c) { return c.is(kLetter | kMark) && !c.is(kLower); }
  static bool lower(const Char& c) { return c.is(kLetter | kMark) && !c.is(kUpper); }
};

struct AsciiCase {
  static bool upper(const Char& c) { return c.is(kLetter | kMark) && !(c.code >= 'a' && c.code <= 'z'); }
  static bool lower(const Char& c) { return c.is(kLetter | kMark) && !(c.code >= 'A' && c.code <= 'Z'); }
};

struct UnicodeCaseNoHan {
  static bool upper(const Char& c) { return UnicodeCase::upper(c) && !c.is(kHan); }
  static bool lower(const Char& c) { return UnicodeCase::lower(c) && !c.is(kHan); }
};

// "U*L+": when nothing of L follows the run of U, the run gives back its end, up to the last character
// that is in both.
template <typename Case>
size_t match_upper_then_lower(std::string_view text, size_t at) {
  size_t end_of_both = at;
  size_t end = at;
  for (Char c = char_at(text, end); Case::upper(c); c = char_at(text, end)) {
    end += c.length;
    if (Case::lower(c)) end_of_both = end;
  }
  const size_t lower_end = skip_while(text, end, Case::lower);
  return lower_end != end ? lower_end : end_of_both;
}

// "U+L*"
template <typename Case>
size_t match_upper(std::string_view text, size_t at) {
  const size_t end = skip_while(text, at, Case::upper);
  return end == at ? at : skip_while(text, end, Case::lower);
}

// Both forms of a cased word, each with the optional character before it and without.
template <typename Case>
size_t match_cased_word(std::string_view text, size_t at) {
  const Char first = char_at(text, at);
  const bool has_prefix = may_prefix_word(first);
  const size_t after_prefix = at + first.length;
  for (auto* form : {match_upper_then_lower<Case>, match_upper<Case>}) {
    if (has_prefix) {
      if (const size_t end = form(text, after_prefix); end != after_prefix) return end;
    }
    if (const size_t end = form(text, at); end != at) return end;
  }
  return at;
}

// "(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+" : letters with their marks, single spaces between them allowed.
size_t match_joined_letters(std::string_view text, size_t at) {
  if (!char_at(text, at).is(kLetter)) return at;
  for (Char c = char_at(text, at); c.is(kLetter); c = char_at(text, at)) {
    at = skip_classes(text, at + c.length, kMark);
    if (char_at(text, at).code == ' ' && char_at(text, at + 1).is(kLetter)) ++at;
  }
  return at;
}

size_t match_joined_words(std::string_view text, size_t at) {
  const Char first = char_at(text, at);
  if (may_prefix_word(first)) {
    const size_t start = at + first.length;
    if (const size_t end = match_joined_letters(text, start); end != start) return end;
  }
  return match_joined_letters(text, at);
}

// The blocks of ideographs that llama.cpp takes for Han.
constexpr scan::Range kLlamaCppHan[] = {
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
    {0x2A700, 0x2B81F}, {0x2B820, 0x2EBEF}, {0x2F800, 0x2FA1F},
};

bool is_llama_cpp_han(const Char& c) { return c.code >= 0x3400 && scan::in_ranges(kLlamaCppHan, c.code); }

size_t match_word_without_han(std::string_view text, size_t at) {
  return match_prefixed_run(text, at, [](const Char& c) { return c.is(kLetter) && !is_llama_cpp_han(c); });
}

// --- Signs -------------------------------------------------------------------------------------------

// What may follow a run of signs.
enum class AfterSigns { kNothing, kLines, kLinesAndSlashes, kOneLineOrSlash };

template <AfterSigns after>
size_t skip_after_signs(std::string_view text, size_t at) {
  const auto wanted = [](const Char& c) {
    return c.is_line_end() || (after != AfterSigns::kLines && c.code == '/');
  };
  if constexpr (after == AfterSigns::kNothing) return at;
  if constexpr (after == AfterSigns::kOneLineOrSlash) return at + (wanted(char_at(text, at)) ? 1 : 0);
  return skip_while(text, at, wanted);
}

// " ?X+" and what may follow.
template <AfterSigns after, typename Predicate>
size_t match_signs(std::string_view text, size_t at, Predicate&& wanted) {
  const size_t end = match_space_run(text, at, wanted);
  return end == at ? at : skip_after_signs<after>(text, end);
}

// --- Rules made of parts -----------------------------------------------------------------------------

// A rule is a type that names its parts; a rule that differs from another in some of them is derived from it.
// The alternatives are tried in this order.
template <typename Parts>
size_t match_parts(std::string_view text, size_t at) {
  if (const size_t end = match_contraction<Parts::kContraction>(text, at); end != at) return end;
  if (const size_t end = Parts::word(text, at); end != at)
    return match_contraction<Parts::kEnding>(text, end);
  if (const size_t end = skip_numbers(text, at, Parts::kMostNumbers); end != at) return end;
  const auto is_sign = [](const Char& c) { return !c.is(kSpace | kNumber | Parts::kNoSigns); };
  if (const size_t end = match_signs<Parts::kAfterSigns>(text, at, is_sign); end != at) return end;
  return Parts::space(text, at);
}

struct Llama3 {
  static constexpr Contraction kContraction = Contraction::kAnyCase;
  static constexpr auto word = match_word<kLetter>;
  static constexpr Contraction kEnding = Contraction::kNone;  // what may follow a word
  static constexpr int kMostNumbers = 3;                      // in one word
  static constexpr uint16_t kNoSigns = kLetter;               // what signs cannot be, beside numbers and \s
  static constexpr AfterSigns kAfterSigns = AfterSigns::kLines;
  static constexpr auto space = match_lines_or_space;
};

struct Llama3Ascii : Llama3 {
  static constexpr Contraction kContraction = Contraction::kAsciiCase;
};

struct Jais2 : Llama3 {
  static constexpr auto space = match_lines_or_space_by_powers;
};

struct MiniCpm5 : Llama3 {
  static constexpr int kMostNumbers = INT32_MAX;
};

struct Qwen2 : Llama3 {
  static constexpr int kMostNumbers = 1;
};

struct Qwen35 : Qwen2 {
  static constexpr auto word = match_word < kLetter | kMark > ;
  static constexpr uint16_t kNoSigns = kLetter | kMark;
};

struct Ufakzeka : Qwen2 {
  static constexpr Contraction kContraction = Contraction::kNone;
};

struct SeedCoder : Qwen2 {
  static constexpr AfterSigns kAfterSigns = AfterSigns::kNothing;
};

struct ExaoneMoe : Qwen2 {
  static constexpr auto word = match_joined_words;
  static constexpr AfterSigns kAfterSigns = AfterSigns::kOneLineOrSlash;
};

struct Gpt4o : Llama3 {
  static constexpr Contraction kContraction = Contraction::kNone;
  static constexpr auto word = match_cased_word<UnicodeCase>;
  static constexpr Contraction kEnding = Contraction::kAnyCase;
  static constexpr AfterSigns kAfterSigns = AfterSigns::kLinesAndSlashes;
};

struct Tekken : Gpt4o {
  static constexpr Contraction kEnding = Contraction::kNone;
  static constexpr int kMostNumbers = 1;
};

// llama.cpp's, as the two that follow.
struct Gpt4oUncased : Gpt4o {
  static constexpr auto word = match_word < kLetter | kMark > ;
  static constexpr Contraction kEnding = Contraction::kAsciiCase;
};

struct Youtu : Gpt4oUncased {
  static constexpr int kMostNumbers = 1;
};

struct GraniteEmbedding : Gpt4oUncased {
  static constexpr auto word = match_cased_word<AsciiCase>;
};

struct KimiK2 : Gpt4o {
  static constexpr auto word = match_cased_word<UnicodeCaseNoHan>;
  static constexpr AfterSigns kAfterSigns = AfterSigns::kLines;
};

struct KimiK2LlamaCpp : KimiK2 {
  static constexpr auto word = match_word_without_han;
  static constexpr Contraction kEnding = Contraction::kAsciiCase;
};

// --- Rules of their own ------------------------------------------------------------------------------

bool no_word_or_space(const Char& c) { return !c.is(kSpace | kLetter | kNumber); }

size_t match_gpt2(std::string_view text, size_t at) {
  if (const size_t end = match_contraction<Contraction::kLowerCase>(text, at); end != at) return end;
  const size_t start = at + (char_at(text, at).code == ' ' ? 1 : 0);
  const Char first = char_at(text, start);
  if (first.is(kLetter)) return skip_classes(text, start, kLetter);
  if (first.is(kNumber)) return skip_classes(text, start, kNumber);
  if (first.length != 0 && !first.is(kSpace)) return skip_while(text, start, no_word_or_space);
  return match_space(text, at);
}

size_t match_clip(std::string_view text, size_t at) {
  if (const size_t end = match_contraction<Contraction::kLowerCase>(text, at); end != at) return end;
  if (const size_t end = skip_classes(text, at, kLetter); end != at) return end;
  if (const size_t end = skip_numbers(text, at, 1); end != at) return end;
  return skip_while(text, at, no_word_or_space);
}

size_t match_kimi_k2(std::string_view text, size_t at) {
  if (const size_t end = skip_classes(text, at, kHan); end != at) return end;
  return match_parts<KimiK2>(text, at);
}

size_t match_kimi_k2_llama_cpp(std::string_view text, size_t at) {
  if (const size_t end = skip_while(text, at, is_llama_cpp_han); end != at) return end;
  return match_parts<KimiK2LlamaCpp>(text, at);
}

bool is_ascii_letter(const Char& c) { return c.code < 0x80 && c.is(kLetter); }

template <AfterSigns after, auto space>
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
  if (const size_t end = match_signs<after>(text, at, is_sign); end != at) return end;
  return space(text, at);
}

// [\r\n]|\s+(?!\S)|\s+
size_t match_line_end_or_space(std::string_view text, size_t at) {
  return char_at(text, at).is_line_end() ? at + 1 : match_space(text, at);
}

}  // namespace

Match split_gpt2(std::string_view text, size_t from) { return search<match_gpt2>(text, from); }
Match split_llama3(std::string_view text, size_t from) { return search<match_parts<Llama3>>(text, from); }
Match split_llama3_ascii(std::string_view text, size_t from) {
  return search<match_parts<Llama3Ascii>>(text, from);
}
Match split_qwen2(std::string_view text, size_t from) { return search<match_parts<Qwen2>>(text, from); }
Match split_qwen35(std::string_view text, size_t from) { return search<match_parts<Qwen35>>(text, from); }
Match split_ufakzeka(std::string_view text, size_t from) { return search<match_parts<Ufakzeka>>(text, from); }
Match split_minicpm5(std::string_view text, size_t from) { return search<match_parts<MiniCpm5>>(text, from); }
Match split_seed_coder(std::string_view text, size_t from) {
  return search<match_parts<SeedCoder>>(text, from);
}
Match split_exaone_moe(std::string_view text, size_t from) {
  return search<match_parts<ExaoneMoe>>(text, from);
}
Match split_jais2(std::string_view text, size_t from) { return search<match_parts<Jais2>>(text, from); }
Match split_gpt4o(std::string_view text, size_t from) { return search<match_parts<Gpt4o>>(text, from); }
Match split_tekken(std::string_view text, size_t from) { return search<match_parts<Tekken>>(text, from); }
Match split_gpt4o_uncased(std::string_view text, size_t from) {
  return search<match_parts<Gpt4oUncased>>(text, from);
}
Match split_youtu(std::string_view text, size_t from) { return search<match_parts<Youtu>>(text, from); }
Match split_granite_embedding(std::string_view text, size_t from) {
  return search<match_parts<GraniteEmbedding>>(text, from);
}
Match split_kimi_k2(std::string_view text, size_t from) { return search<match_kimi_k2>(text, from); }
Match split_kimi_k2_llama_cpp(std::string_view text, size_t from) {
  return search<match_kimi_k2_llama_cpp>(text, from);
}
Match split_deepseek_v3(std::string_view text, size_t from) {
  return search<match_deepseek_v3<AfterSigns::kLines, match_lines_or_space>>(text, from);
}
Match split_spark(std::string_view text, size_t from) {
  return search<match_deepseek_v3<AfterSigns::kNothing, match_line_end_or_space>>(text, from);
}
Match split_clip(std::string_view text, size_t from) { return search<match_clip>(text, from); }

}  // namespace brisk::text
