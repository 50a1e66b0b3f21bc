// What kind of character a code point is (Unicode 16), for the pre-tokenizers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brisk::text {

/// Bits of Char::classes. \p{Lo} and \p{Lm} are kLetter alone.
inline constexpr uint8_t kLetter = 1;   ///< \p{L}
inline constexpr uint8_t kNumber = 2;   ///< \p{N}
inline constexpr uint8_t kSpace = 4;    ///< \s: the White_Space property
inline constexpr uint8_t kPunct = 8;    ///< \p{P}
inline constexpr uint8_t kSymbol = 16;  ///< \p{S}
inline constexpr uint8_t kMark = 32;    ///< \p{M}
inline constexpr uint8_t kUpper = 64;   ///< \p{Lu} and \p{Lt}, beside kLetter
inline constexpr uint8_t kLower = 128;  ///< \p{Ll}, beside kLetter

inline constexpr char32_t kNoChar = 0xFFFFFFFF;

/// One character of a text; past the end `code` is kNoChar, `length` 0 and `classes` 0.
struct Char {
  char32_t code;
  uint8_t length;  ///< bytes
  uint8_t classes;

  bool is(uint8_t any_of) const { return (classes & any_of) != 0; }
  bool is_line_end() const { return code == '\r' || code == '\n'; }
};

/// The classes of any code point.
uint8_t classes_of(char32_t code);

namespace detail {

constexpr uint8_t ascii_classes(char c) {
  if (c >= 'a' && c <= 'z') return kLetter | kLower;
  if (c >= 'A' && c <= 'Z') return kLetter | kUpper;
  if (c >= '0' && c <= '9') return kNumber;
  if (c == ' ' || (c >= '\t' && c <= '\r')) return kSpace;
  if (std::string_view("$+<=>^`|~").find(c) != std::string_view::npos) return kSymbol;
  return c > ' ' && c < 0x7F ? kPunct : 0;
}

inline constexpr auto kAsciiClasses = [] {
  std::array<uint8_t, 128> table{};
  for (size_t c = 0; c < 128; ++c) table[c] = ascii_classes(static_cast<char>(c));
  return table;
}();

Char wide_char_at(std::string_view text, size_t at);

}  // namespace detail

/// The character that begins at `at`. The text must be well-formed UTF-8 and `at` a boundary in it.
inline Char char_at(std::string_view text, size_t at) {
  if (at >= text.size()) return {kNoChar, 0, 0};
  const auto byte = static_cast<uint8_t>(text[at]);
  if (byte < 0x80) return {byte, 1, detail::kAsciiClasses[byte]};
  return detail::wide_char_at(text, at);
}

}  // namespace brisk::text
