#include "text/unicode_data.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <span>

#include "base/check.hpp"
#include "base/utf8.hpp"

namespace brisk::text {

namespace {

struct CodeRange {
  char32_t first, last;
};

struct CodeShift {
  char32_t first, last;
  int32_t distance;
};

struct CodeStandIn {
  char32_t first, last, like;
};

#include "text/normalizer_tables.inc"

/// The range that holds `code`, or null. The ranges are sorted.
template <typename Range>
const Range* find_range(std::span<const Range> ranges, char32_t code) {
  const auto range =
      std::partition_point(ranges.begin(), ranges.end(), [&](const Range& r) { return r.last < code; });
  return range != ranges.end() && range->first <= code ? &*range : nullptr;
}

bool contains(std::span<const CodeRange> ranges, char32_t code) {
  return find_range(ranges, code) != nullptr;
}

}  // namespace

uint8_t combining_class(char32_t code) {
  if (code < 0x300) return 0;
  const auto value = utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->combining_class;
  return value != 0 && contains(kLaterClasses, code) ? 0 : static_cast<uint8_t>(value);
}

void append_decomposition(char32_t code, bool compatible, std::u32string& out) {
  if (code < 0x80 || contains(kLaterDecompositions, code)) {
    out += code;
    return;
  }
  utf8proc_int32_t parts[32];
  int boundary = 0;
  const auto options =
      static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0));
  const utf8proc_ssize_t count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), parts, 32, options, &boundary);
  BRISK_ASSERT(count > 0 && count <= 32, "a decomposition has at most 18 characters");
  out.append(parts, parts + count);
}

char32_t composition(char32_t first, char32_t second) {
  // Between these no character combines with one before it: Latin, then ideographs, Hangul syllables, forms.
  if (second < 0x300 || (second >= 0x3400 && second < 0x11000)) return 0;
  utf8proc_int32_t pair[3] = {static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second), 0};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  if (utf8proc_normalize_utf32(pair, 2, options) != 1) return 0;
  const auto whole = static_cast<char32_t>(pair[0]);
  return contains(kLaterDecompositions, whole) ? 0 : whole;
}

bool is_mark(char32_t code) { return code >= 0x300 && contains(kMarks, code); }

bool is_bert_accent(char32_t code) { return code >= 0x300 && contains(kNonspacingMarks, code); }

bool is_bert_control(char32_t code) { return contains(kControls, code); }

char32_t grapheme_stand_in(char32_t code) {
  const CodeStandIn* found = code < 0x80 ? nullptr : find_range<CodeStandIn>(kGraphemeStandIns, code);
  return found != nullptr ? found->like : code;
}

void append_lower_case(char32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code >= 'A' && code <= 'Z' ? code + 32 : code);
  } else if (code == 0x130) {
    out += "i\u0307";  // the only one that becomes two
  } else if (const CodeShift* later = find_range<CodeShift>(kLaterLowerCase, code)) {
    utf8_append(out, static_cast<char32_t>(static_cast<int32_t>(code) + later->distance));
  } else {
    utf8_append(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
  }
}

}  // namespace brisk::text
