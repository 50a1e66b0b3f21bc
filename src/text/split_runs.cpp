// Rules that look at one kind of character: runs of numbers, signs, spaces, scripts.
#include "text/scan.hpp"
#include "text/split_rules.hpp"

namespace brisk::text {

namespace {

using scan::in_ranges;
using scan::match_any_space_run;
using scan::Range;
using scan::search;
using scan::skip_classes;
using scan::skip_numbers;
using scan::skip_while;

template <uint16_t classes>
size_t match_run(std::string_view text, size_t at) {
  return skip_classes(text, at, classes);
}

template <uint16_t classes>
size_t match_one(std::string_view text, size_t at) {
  const Char c = char_at(text, at);
  return c.is(classes) ? at + c.length : at;
}

template <uint16_t classes>
size_t match_any_space_classes(std::string_view text, size_t at) {
  return match_any_space_run(text, at, [](const Char& c) { return c.is(classes); });
}

// --- Numbers -----------------------------------------------------------------------------------------

bool is_ascii_digit(const Char& c) { return c.code >= '0' && c.code <= '9'; }
bool is_decimal(const Char& c) { return c.is(kDigit); }
bool is_number(const Char& c) { return c.is(kNumber); }

// \w of Oniguruma, for \b: without the joiners, with the superscripts and fractions of Latin-1.
bool is_word(const Char& c) {
  if (c.code == 0x200C || c.code == 0x200D) return false;
  const bool latin_number =
      c.code == 0xB2 || c.code == 0xB3 || c.code == 0xB9 || (c.code >= 0xBC && c.code <= 0xBE);
  return c.is(kWord) || latin_number;
}

size_t match_three_digits(std::string_view text, size_t at) {
  for (size_t i = at; i < at + 3; ++i) {
    if (i >= text.size() || !is_ascii_digit(char_at(text, i))) return at;
  }
  return at + 3;
}

// A run of characters of one kind.
struct Run {
  size_t begin, end;
  size_t count;  // characters
};

using IsKind = bool (*)(const Char& c);

// The first run at or after `at`; an empty one at the end of the text when there is none.
template <IsKind is_kind>
Run find_run(std::string_view text, size_t at) {
  at = skip_while(text, at, [](const Char& c) { return !is_kind(c); });
  Run run{at, at, 0};
  for (Char c = char_at(text, at); is_kind(c); c = char_at(text, run.end)) {
    run.end += c.length;
    ++run.count;
  }
  return run;
}

// Whether `at` is inside of a run. Rules that cut runs from the right have counted it then, and `at`, the end
// of their last match, has a multiple of three before it: to count again would take quadratic time.
template <IsKind is_kind>
bool inside_run(std::string_view text, size_t at) {
  return at > 0 && is_kind(char_at(text, at)) && is_kind(scan::char_before(text, at));
}

template <IsKind is_kind>
size_t skip_three(std::string_view text, size_t at) {
  for (int n = 0; n < 3; ++n) {
    const Char c = char_at(text, at);
    if (!is_kind(c)) break;
    at += c.length;
  }
  return at;
}

// The end of the first group of a run that is cut into threes from the right.
template <IsKind is_kind>
size_t first_group_end(std::string_view text, const Run& run) {
  size_t at = run.begin;
  const size_t size = run.count % 3 == 0 ? 3 : run.count % 3;
  for (size_t n = 0; n < size; ++n) at += char_at(text, at).length;
  return at;
}

// --- Sets of characters ------------------------------------------------------------------------------

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

// As llama.cpp has them: U+4E00 to U+FAFF because one of its ranges begins at U+8C48, which U+F900 normalizes
// to.
constexpr Range kAfmoeScripts[] = {
    {0x0E40, 0x0EFF}, {0x1000, 0x109F}, {0x1100, 0x11FF}, {0x1780, 0x17FF}, {0x2F00, 0x2FDF},
    {0x3040, 0x30FF}, {0x3400, 0x4DBF}, {0x4E00, 0xFAFF}, {0xFF65, 0xFF9F},
};

constexpr Range kHangul[] = {{0x3131, 0x318E}, {0xAC00, 0xD7A3}};
constexpr Range kCjkPunctuation[] = {
    {0x2014, 0x2014}, {0x2018, 0x2019}, {0x201C, 0x201D}, {0x2026, 0x2026}, {0x3001, 0x303F},
    {0xFE30, 0xFE4F}, {0xFF01, 0xFF01}, {0xFF0C, 0xFF0C}, {0xFF1A, 0xFF1B},
};
constexpr Range kBopomofo[] = {{0x3105, 0x312F}};
constexpr Range kHanKana[] = {{0x3040, 0x30FF}, {0x4E00, 0x9FA5}};

// ( ) | . , ! ? and the same of other scripts.
constexpr Range kBloomSigns[] = {
    {'!', '!'},       {'(', ')'},       {',', ','},       {'.', '.'},
    {'?', '?'},       {'|', '|'},       {0x060C, 0x060C}, {0x06D4, 0x06D4},
    {0x0964, 0x0964}, {0x2026, 0x2026}, {0x3001, 0x3002}, {0xFF0C, 0xFF0C},
};

template <auto& ranges>
size_t match_ranges(std::string_view text, size_t at) {
  return skip_while(text, at, [](const Char& c) { return in_ranges(ranges, c.code); });
}

template <auto& ranges>
size_t match_any_space_ranges(std::string_view text, size_t at) {
  return match_any_space_run(text, at, [](const Char& c) { return in_ranges(ranges, c.code); });
}

size_t match_deepseek_cjk(std::string_view text, size_t at) {
  return skip_while(text, at, [](const Char& c) {
    return (c.code >= 0x0800 && c.code <= 0x9FA5) || (c.code >= 0xAC00 && c.code <= 0xD7FF);
  });
}

size_t match_youtu_scripts(std::string_view text, size_t at) {
  for (const auto match : {match_ranges<kHangul>, match_ranges<kCjkPunctuation>, match_ranges<kBopomofo>,
                           match_ranges<kHanKana>}) {
    if (const size_t end = match(text, at); end != at) return end;
  }
  return at;
}

size_t match_bloom(std::string_view text, size_t at) {
  return scan::match_space_run(
      text, at, [](const Char& c) { return !c.is(kSpace) && !in_ranges(kBloomSigns, c.code); });
}

// --- Signs, spaces, lines ----------------------------------------------------------------------------

bool is_ascii_sign(const Char& c) { return c.code < 0x80 && c.is(kPunct | kSymbol); }

size_t match_punctuation(std::string_view text, size_t at) {
  return skip_while(text, at, [](const Char& c) { return c.is(kPunct) || is_ascii_sign(c); });
}

size_t match_sign(std::string_view text, size_t at) {
  const Char c = char_at(text, at);
  return c.is(kPunct) || is_ascii_sign(c) ? at + c.length : at;
}

size_t match_line_end(std::string_view text, size_t at) {
  return at + (char_at(text, at).is_line_end() ? 1 : 0);
}

size_t match_line(std::string_view text, size_t at) {
  const bool line_end = text[at] == '\n';
  const size_t end = line_end ? text.find_first_not_of('\n', at) : text.find('\n', at);
  return end == std::string_view::npos ? text.size() : end;
}

size_t match_word_or_signs(std::string_view text, size_t at) {
  if (const size_t end = skip_classes(text, at, kWord); end != at) return end;
  return skip_while(text, at, [](const Char& c) { return !c.is(kWord | kSpace); });
}

size_t match_non_space(std::string_view text, size_t at) {
  return skip_while(text, at, [](const Char& c) { return !c.is(kSpace); });
}

size_t match_indent(std::string_view text, size_t at) {
  if (text[at] == '\t' || text[at] == '\n') return at + 1;
  const std::string_view rest = text.substr(at, 4);
  if (rest == "    ") return at + 4;
  return rest.starts_with("  ") ? at + 2 : at;
}

// --- Chameleon's tokens ------------------------------------------------------------------------------

size_t match_sentinel(std::string_view text, size_t at) {
  constexpr std::string_view kHead = "<sentinel:";
  if (!text.substr(at).starts_with(kHead)) return at;
  const size_t digits = at + kHead.size();
  const size_t end = skip_while(text, digits, is_ascii_digit);
  return end != digits && end < text.size() && text[end] == '>' ? end + 1 : at;
}

size_t match_image_token(std::string_view text, size_t at) {
  constexpr std::string_view kHead = "IMGIMG";
  if (!text.substr(at).starts_with(kHead)) return at;
  size_t end = at + kHead.size();
  for (int n = 0; n < 4 && end < text.size() && text[end] >= 'A' && text[end] <= 'I'; ++n) ++end;
  return end != at + kHead.size() && end < text.size() && text[end] == 'Z' ? end + 1 : at;
}

template <int most>
size_t match_numbers(std::string_view text, size_t at) {
  return skip_numbers(text, at, most);
}

}  // namespace

Match split_each_number(std::string_view text, size_t from) { return search<match_one<kNumber>>(text, from); }
Match split_numbers(std::string_view text, size_t from) { return search<match_run<kNumber>>(text, from); }
Match split_numbers_by_three(std::string_view text, size_t from) {
  return search<match_numbers<3>>(text, from);
}
Match split_three_digits(std::string_view text, size_t from) {
  return search<match_three_digits>(text, from);
}

// The run must end at a word's end: then groups of three fit between any group and that.
Match split_digits_from_right(std::string_view text, size_t from) {
  if (inside_run<is_decimal>(text, from)) return {from, skip_three<is_decimal>(text, from)};
  Run run = find_run<is_decimal>(text, from);
  while (run.count != 0 && is_word(char_at(text, run.end))) run = find_run<is_decimal>(text, run.end);
  return {run.begin, run.count == 0 ? run.end : first_group_end<is_decimal>(text, run)};
}

Match split_before_triples(std::string_view text, size_t from) {
  size_t at = from;
  if (inside_run<is_ascii_digit>(text, from)) {
    at = skip_three<is_ascii_digit>(text, from);
    if (is_ascii_digit(char_at(text, at))) return {from, at};
  }
  for (Run run = find_run<is_ascii_digit>(text, at); run.count != 0;
       run = find_run<is_ascii_digit>(text, run.end)) {
    if (run.count < 3) continue;
    const size_t cut = run.begin + run.count % 3;
    if (cut != from) return {from, cut};
    if (run.count > 3) return {from, cut + 3};
  }
  return {from, text.size()};
}

Match split_after_triples(std::string_view text, size_t from) {
  if (inside_run<is_number>(text, from)) return {from, skip_three<is_number>(text, from)};
  const Run run = find_run<is_number>(text, from);
  return {from, run.count == 0 ? text.size() : first_group_end<is_number>(text, run)};
}

Match split_each_numeric(std::string_view text, size_t from) {
  return search<match_one<kSplitNumber>>(text, from);
}
Match split_numerics(std::string_view text, size_t from) {
  return search<match_run<kSplitNumber>>(text, from);
}
Match split_each_punctuation(std::string_view text, size_t from) {
  return search<match_one<kSplitPunctuation>>(text, from);
}
Match split_words_or_signs(std::string_view text, size_t from) {
  return search<match_word_or_signs>(text, from);
}
Match split_spaces(std::string_view text, size_t from) { return search<match_run<kSpace>>(text, from); }
Match split_non_space(std::string_view text, size_t from) { return search<match_non_space>(text, from); }

Match split_line_ends(std::string_view text, size_t from) { return search<match_line_end>(text, from); }
Match split_lines(std::string_view text, size_t from) { return search<match_line>(text, from); }

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

Match split_punctuation(std::string_view text, size_t from) { return search<match_punctuation>(text, from); }
Match split_space_letters(std::string_view text, size_t from) {
  return search<match_any_space_classes<kLetter>>(text, from);
}
Match split_space_punctuation(std::string_view text, size_t from) {
  return search<match_any_space_classes<kPunct>>(text, from);
}
Match split_bloom(std::string_view text, size_t from) { return search<match_bloom>(text, from); }
Match split_sentinels(std::string_view text, size_t from) { return search<match_sentinel>(text, from); }
Match split_image_tokens(std::string_view text, size_t from) { return search<match_image_token>(text, from); }
Match split_indents(std::string_view text, size_t from) { return search<match_indent>(text, from); }
Match split_each_sign(std::string_view text, size_t from) { return search<match_sign>(text, from); }

Match split_deepseek_letters(std::string_view text, size_t from) {
  return search<match_any_space_ranges<kDeepseekLetters>>(text, from);
}
Match split_deepseek_punctuation(std::string_view text, size_t from) {
  return search<match_any_space_ranges<kDeepseekPunctuation>>(text, from);
}
Match split_deepseek_cjk(std::string_view text, size_t from) {
  return search<match_deepseek_cjk>(text, from);
}
Match split_han_kana(std::string_view text, size_t from) {
  return search<match_ranges<kHanKana>>(text, from);
}
Match split_afmoe_scripts(std::string_view text, size_t from) {
  return search<match_ranges<kAfmoeScripts>>(text, from);
}
Match split_youtu_scripts(std::string_view text, size_t from) {
  return search<match_youtu_scripts>(text, from);
}

}  // namespace brisk::text
