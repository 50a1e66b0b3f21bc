// utf8proc knows the categories of its own Unicode version; code points that it takes for unassigned are
// looked up in unicode_additions.inc, so that every build splits text as Unicode 16 does.
#include "text/char_class.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

#include "base/utf8.hpp"

namespace brisk::text {

namespace {

struct Addition {
  char32_t first, last;
  uint8_t classes;
};

// Assigned after Unicode 13; sorted. Written by tools/oracles/tokenizer_cases.py.
constexpr Addition kAdditions[] = {
#include "text/unicode_additions.inc"
};

uint8_t added_classes(char32_t code) {
  const auto* range = std::lower_bound(std::begin(kAdditions), std::end(kAdditions), code,
                                       [](const Addition& a, char32_t c) { return a.last < c; });
  return range != std::end(kAdditions) && range->first <= code ? range->classes : 0;
}

bool is_white_space(char32_t code, utf8proc_category_t category) {
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP || (code >= '\t' && code <= '\r') || code == 0x85;
}

uint8_t category_classes(utf8proc_category_t category) {
  switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LT: return kLetter | kUpper;
    case UTF8PROC_CATEGORY_LL: return kLetter | kLower;
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return kLetter;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return kMark;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return kNumber;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: return kPunct;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO: return kSymbol;
    default: return 0;
  }
}

}  // namespace

uint8_t classes_of(char32_t code) {
  if (code > 0x10FFFF) return 0;
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  if (category == UTF8PROC_CATEGORY_CN) return added_classes(code);
  if (is_white_space(code, category)) return kSpace;
  return category_classes(category);
}

Char detail::wide_char_at(std::string_view text, size_t at) {
  const Utf8Char c = utf8_decode(text, at);
  return {c.code_point, c.length, classes_of(c.code_point)};
}

}  // namespace brisk::text
