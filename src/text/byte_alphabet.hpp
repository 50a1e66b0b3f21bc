// The alphabet in which byte-level BPE vocabularies write bytes: one printable character per byte.
//
// Bytes 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF stand for the code point of the same number; the other 68 bytes,
// in order, are U+0100 to U+0143 (so a space is U+0120). The alphabet is GPT-2's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace brisk::text {

/// The character (U+0021 to U+0143) that stands for a byte.
char32_t alphabet_char(uint8_t byte);

/// Appends the characters that stand for `bytes`, as UTF-8.
void append_alphabet(std::string& out, std::string_view bytes);

/// Appends the bytes that the characters of `text` stand for. A text with a character outside the alphabet
/// is appended as it is, whole, as Hugging Face's ByteLevel decoder does.
void append_alphabet_bytes(std::string& out, std::string_view text);

}  // namespace brisk::text
