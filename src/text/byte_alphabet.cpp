#include "text/byte_alphabet.hpp"

#include <array>

#include "base/utf8.hpp"

namespace brisk::text {

namespace {

constexpr int kAlphabetEnd = 0x144;  // one past the last character
constexpr int16_t kNoByte = -1;

constexpr bool stands_for_itself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr auto kCharOfByte = [] {
  std::array<uint16_t, 256> table{};
  uint16_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    table[static_cast<size_t>(byte)] = stands_for_itself(byte) ? static_cast<uint16_t>(byte) : next++;
  }
  return table;
}();

constexpr auto kByteOfChar = [] {
  std::array<int16_t, kAlphabetEnd> table{};
  table.fill(kNoByte);
  for (int byte = 0; byte < 256; ++byte) {
    table[kCharOfByte[static_cast<size_t>(byte)]] = static_cast<int16_t>(byte);
  }
  return table;
}();

}  // namespace

char32_t alphabet_char(uint8_t byte) { return kCharOfByte[byte]; }

void append_alphabet(std::string& out, std::string_view bytes) {
  for (const char c : bytes) utf8_append(out, alphabet_char(static_cast<uint8_t>(c)));
}

void append_alphabet_bytes(std::string& out, std::string_view text) {
  const size_t before = out.size();
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = utf8_decode(text, at);
    const int16_t byte = c.valid && c.code_point < kAlphabetEnd ? kByteOfChar[c.code_point] : kNoByte;
    if (byte == kNoByte) {
      out.resize(before);
      out.append(text);
      return;
    }
    out += static_cast<char>(byte);
    at += c.length;
  }
}

}  // namespace brisk::text
