// Text by code points. Character data comes from utf8proc; unicode_exceptions.inc has what is not to be seen
// from a category or a mapping of one character to one.
#include "text/template/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/utf8.hpp"

namespace brisk::text::tmpl {
namespace {

struct CodeRange {
  char32_t first, last;
};
struct SpecialCase {
  char32_t code;
  char32_t upper[3];  // 0: no further character
  char32_t title[3];
};
#include "text/template/unicode_exceptions.inc"

bool is_in(std::span<const CodeRange> ranges, char32_t c) {
  const auto it = std::lower_bound(ranges.begin(), ranges.end(), c,
                                   [](const CodeRange& range, char32_t code) { return range.last < code; });
  return it != ranges.end() && it->first <= c;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

utf8proc_category_t category(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

bool is_cased(char32_t c) { return is_upper(c) || is_lower(c) || is_title(c); }

void append_upper(std::string& out, char32_t c, bool title) {
  if (c >= 0x80) {
    const auto* it =
        std::lower_bound(std::begin(kSpecialCases), std::end(kSpecialCases), c,
                         [](const SpecialCase& entry, char32_t code) { return entry.code < code; });
    if (it != std::end(kSpecialCases) && it->code == c) {
      for (const char32_t part : title ? it->title : it->upper) {
        if (part != 0) utf8_append(out, part);
      }
      return;
    }
  }
  const auto code = static_cast<utf8proc_int32_t>(c);
  utf8_append(out, static_cast<char32_t>(title ? utf8proc_totitle(code) : utf8proc_toupper(code)));
}

/// Whether the sigma at `at` ends a word, where Greek writes it differently.
bool is_final_sigma(std::string_view text, size_t at, size_t length) {
  const auto cased = [](std::string_view s) {
    size_t n = 0;
    return !s.empty() && is_cased(character_at(s, 0, n));
  };
  return cased(last_character(text.substr(0, at))) && !cased(first_character(text.substr(at + length)));
}

void append_lower(std::string& out, std::string_view text, size_t at, size_t length, char32_t c) {
  if (c == 0x130) {
    out += "i\u0307";
  } else if (c == 0x3A3 && is_final_sigma(text, at, length)) {
    out += "\u03C2";
  } else {
    utf8_append(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

/// Maps each character; `map` gets the output, the character, its place and length.
template <typename Map>
std::string map_characters(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0, length = 0; at < text.size(); at += length) {
    const char32_t c = character_at(text, at, length);
    map(out, c, at, length);
  }
  return out;
}

}  // namespace

int64_t count_characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

size_t offset_of_character(std::string_view text, int64_t index) {
  if (is_ascii(text)) return std::min(static_cast<size_t>(index), text.size());
  size_t at = 0;
  for (size_t length = 0; index > 0 && at < text.size(); --index, at += length)
    character_at(text, at, length);
  return at;
}

char32_t character_at(std::string_view text, size_t at, size_t& length) {
  const Utf8Char c = utf8_decode(text, at);
  length = c.length;
  return c.code_point;
}

std::string_view first_character(std::string_view text) {
  return text.empty() ? text : text.substr(0, utf8_decode(text, 0).length);
}

std::string_view last_character(std::string_view text) {
  size_t at = text.size();
  while (at > 0 && (static_cast<unsigned char>(text[--at]) & 0xC0) == 0x80) {
  }
  return text.substr(at);
}

size_t find_text(std::string_view text, std::string_view needle, size_t from) {
  if (from > text.size()) return std::string_view::npos;
  // memmem and not find(): that compares the whole needle again at every place.
  const void* found = memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

bool is_space(char32_t c) {
  if (c < 0x80) return (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x20);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_line_break(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_alphabetic(char32_t c) {
  const utf8proc_category_t k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

bool is_decimal(char32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }

int decimal_value(char32_t c) {
  if (!is_decimal(c)) return -1;
  const auto* after = std::upper_bound(std::begin(kDecimalZeros), std::end(kDecimalZeros), c);
  const char32_t zero = after == std::begin(kDecimalZeros) ? 0 : *(after - 1);
  return c - zero < 10 ? static_cast<int>(c - zero) : -1;
}

bool is_digit(char32_t c) { return is_decimal(c) || is_in(kOtherDigits, c); }

bool is_numeric(char32_t c) {
  const utf8proc_category_t k = category(c);
  return (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO) || is_in(kOtherNumbers, c);
}

bool is_upper(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LU || is_in(kOtherUpper, c); }
bool is_lower(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LL || is_in(kOtherLower, c); }
bool is_title(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LT; }

bool starts_identifier(char32_t c) {
  if (c < 0x80) return c == '_' || is_alphabetic(c);
  const bool is_letter = is_alphabetic(c) || category(c) == UTF8PROC_CATEGORY_NL;
  return is_letter ? !is_in(kNotIdentifierStarts, c) : is_in(kOtherIdentifierStarts, c);
}

bool continues_identifier(char32_t c) {
  if (c < 0x80) return c == '_' || is_alphabetic(c) || is_decimal(c);
  const utf8proc_category_t k = category(c);
  const bool is_part = is_alphabetic(c) || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_MN ||
                       k == UTF8PROC_CATEGORY_MC || k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_PC;
  return is_part ? !is_in(kNotIdentifierParts, c) : is_in(kOtherIdentifierParts, c);
}

bool is_printable(char32_t c) {
  if (c == ' ') return true;
  const utf8proc_category_t k = category(c);
  return k != UTF8PROC_CATEGORY_CN && !(k >= UTF8PROC_CATEGORY_ZS && k <= UTF8PROC_CATEGORY_CO);
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t begin = 0;
  for (size_t at = 0, length = 0; at < text.size(); at += length) {
    if (!is_line_break(character_at(text, at, length))) continue;
    if (text.substr(at).starts_with("\r\n")) length = 2;
    lines.push_back(text.substr(begin, at - begin + (keep_ends ? length : 0)));
    begin = at + length;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

bool has_case(std::string_view text, bool upper) {
  bool any = false;
  for (size_t at = 0, length = 0; at < text.size(); at += length) {
    const char32_t c = character_at(text, at, length);
    if (is_title(c) || (upper ? is_lower(c) : is_upper(c))) return false;
    any |= upper ? is_upper(c) : is_lower(c);
  }
  return any;
}

std::string to_upper(std::string_view text) {
  return map_characters(text,
                        [](std::string& out, char32_t c, size_t, size_t) { append_upper(out, c, false); });
}

std::string to_lower(std::string_view text) {
  return map_characters(text, [&](std::string& out, char32_t c, size_t at, size_t length) {
    append_lower(out, text, at, length, c);
  });
}

std::string case_fold(std::string_view text) {
  return map_characters(text, [](std::string& out, char32_t c, size_t, size_t) {
    utf8proc_int32_t folded[8];
    const auto count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), folded, 8, UTF8PROC_CASEFOLD, nullptr);
    for (utf8proc_ssize_t i = 0; i < std::min<utf8proc_ssize_t>(count, 8); ++i)
      utf8_append(out, static_cast<char32_t>(folded[i]));
  });
}

std::string to_title(std::string_view text) {
  bool inside_word = false;
  return map_characters(text, [&](std::string& out, char32_t c, size_t at, size_t length) {
    if (inside_word) {
      append_lower(out, text, at, length, c);
    } else {
      append_upper(out, c, true);
    }
    inside_word = is_cased(c);
  });
}

std::string capitalize(std::string_view text) {
  return map_characters(text, [&](std::string& out, char32_t c, size_t at, size_t length) {
    if (at == 0) {
      append_upper(out, c, true);
    } else {
      append_lower(out, text, at, length, c);
    }
  });
}

std::string swap_case(std::string_view text) {
  return map_characters(text, [&](std::string& out, char32_t c, size_t at, size_t length) {
    if (is_upper(c)) {
      append_lower(out, text, at, length, c);
    } else if (is_lower(c)) {
      append_upper(out, c, false);
    } else {
      out += text.substr(at, length);
    }
  });
}

std::string_view strip(std::string_view text, Side side, const std::string_view* characters) {
  const auto goes = [&](std::string_view one) {
    size_t length = 0;
    return characters == nullptr ? is_space(character_at(one, 0, length))
                                 : characters->find(one) != std::string_view::npos;
  };
  while (side != Side::kRight && !text.empty() && goes(first_character(text))) {
    text.remove_prefix(first_character(text).size());
  }
  while (side != Side::kLeft && !text.empty() && goes(last_character(text))) {
    text.remove_suffix(last_character(text).size());
  }
  return text;
}

}  // namespace brisk::text::tmpl
