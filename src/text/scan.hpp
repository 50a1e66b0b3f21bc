// What the split rules are made of. A matcher returns the end of what it matches at `at`, or `at` itself for
// no match; what it reads beyond what it matches must be bounded, or the search is not linear any more.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "text/char_class.hpp"
#include "text/split_rules.hpp"

namespace brisk::text::scan {

/// The first match at or after `from`.
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

inline size_t skip_classes(std::string_view text, size_t at, uint16_t any_of) {
  return skip_while(text, at, [any_of](const Char& c) { return c.is(any_of); });
}

/// At most `most` numbers.
inline size_t skip_numbers(std::string_view text, size_t at, int most) {
  for (Char c = char_at(text, at); most > 0 && c.is(kNumber); c = char_at(text, at), --most) at += c.length;
  return at;
}

/// " ?X+" for one class of characters; a lone space is no match.
template <typename Predicate>
size_t match_space_run(std::string_view text, size_t at, Predicate&& wanted) {
  const size_t start = at + (char_at(text, at).code == ' ' ? 1 : 0);
  const size_t end = skip_while(text, start, wanted);
  return end == start ? at : end;
}

/// "\s?X+"; the optional space may itself be an X.
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

/// The character before `at`, which must not be 0.
inline Char char_before(std::string_view text, size_t at) {
  size_t begin = at - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  return char_at(text, begin);
}

struct Range {
  char32_t first, last;
};

/// `ranges` must be sorted.
template <size_t n>
bool in_ranges(const Range (&ranges)[n], char32_t code) {
  const Range* range = std::lower_bound(std::begin(ranges), std::end(ranges), code,
                                        [](const Range& r, char32_t c) { return r.last < c; });
  return range != std::end(ranges) && range->first <= code;
}

}  // namespace brisk::text::scan
