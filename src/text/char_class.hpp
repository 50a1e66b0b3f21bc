// What kind of character a code point is, for the pre-tokenizers: tables that hold what Hugging Face's
// tokenizers take each code point for (char_class_tables.inc), so that every build cuts texts alike.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brisk::text {

/// Bits of Char::classes; by Unicode 16 unless noted. \p{Lo} and \p{Lm} are kLetter without a case.
inline constexpr uint16_t kLetter = 1;               ///< \p{L}
inline constexpr uint16_t kNumber = 2;               ///< \p{N}
inline constexpr uint16_t kSpace = 4;                ///< \s: the White_Space property
inline constexpr uint16_t kPunct = 8;                ///< \p{P}
inline constexpr uint16_t kSymbol = 16;              ///< \p{S}
inline constexpr uint16_t kMark = 32;                ///< \p{M}
inline constexpr uint16_t kUpper = 64;               ///< \p{Lu} and \p{Lt}
inline constexpr uint16_t kLower = 128;              ///< \p{Ll}
inline constexpr uint16_t kDigit = 256;              ///< \p{Nd}
inline constexpr uint16_t kHan = 512;                ///< \p{Han}
inline constexpr uint16_t kWord = 1024;              ///< \w: alphabetic, marks, \p{Nd}, \p{Pc}, joiners
inline constexpr uint16_t kSplitPunctuation = 2048;  ///< of step "Punctuation": ASCII's, \p{P} of Unicode 8
inline constexpr uint16_t kSplitNumber = 4096;       ///< of step "Digits": \p{N} of Unicode 17

inline constexpr char32_t kNoChar = 0xFFFFFFFF;

/// One character of a text; past the end `code` is kNoChar, `length` 0 and `classes` 0.
struct Char {
  char32_t code;
  uint8_t length;  ///< bytes
  uint16_t classes;

  bool is(uint16_t any_of) const { return (classes & any_of) != 0; }
  bool is_line_end() const { return code == '\r' || code == '\n'; }
};

/// The classes of any code point.
uint16_t classes_of(char32_t code);

namespace detail {

constexpr uint16_t ascii_classes(char c) {
  constexpr uint16_t kSign = kSplitPunctuation;
  if (c >= 'a' && c <= 'z') return kLetter | kLower | kWord;
  if (c >= 'A' && c <= 'Z') return kLetter | kUpper | kWord;
  if (c >= '0' && c <= '9') return kNumber | kDigit | kSplitNumber | kWord;
  if (c == ' ' || (c >= '\t' && c <= '\r')) return kSpace;
  if (c == '_') return kPunct | kWord | kSign;
  if (std::string_view("$+<=>^`|~").find(c) != std::string_view::npos) return kSymbol | kSign;
  return c > ' ' && c < 0x7F ? kPunct | kSign : 0;
}

inline constexpr auto kAsciiClasses = [] {
  std::array<uint16_t, 128> table{};
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
