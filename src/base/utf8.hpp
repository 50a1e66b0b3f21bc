// UTF-8: strict decoding, encoding, and text made safe for a terminal or a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace brisk {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

/// One decoded code point and the bytes it took. Ill-formed input (lone surrogates, overlong forms, cut
/// sequences, stray bytes) gives `valid == false`, U+FFFD, and the length of its maximal ill-formed part
/// (Unicode 15, section 3.9, "substitution of maximal subparts"): the way Python's errors="replace" does.
struct Utf8Char {
  char32_t code_point;
  uint8_t length;
  bool valid;
};

/// Decodes the code point at `text[at]`; `at` must be < text.size().
Utf8Char utf8_decode(std::string_view text, size_t at);
/// Appends `code_point`; surrogates and values above U+10FFFF become U+FFFD.
void utf8_append(std::string& out, char32_t code_point);
bool utf8_valid(std::string_view text);
/// The text with every ill-formed part replaced by U+FFFD.
std::string utf8_sanitize(std::string_view text);
/// The largest length <= limit that does not cut a code point of `text`.
size_t utf8_floor(std::string_view text, size_t limit);
/// How many bytes at the end of `text` begin a well-formed code point that is not complete yet (0 to 3).
size_t utf8_incomplete_tail(std::string_view text);
/// The text with control characters (tab and line feed among them) and ill-formed bytes written as \xNN.
std::string escape_for_terminal(std::string_view text);

}  // namespace brisk
