#include "base/utf8.hpp"

#include <cstring>

namespace brisk {

namespace {

uint8_t byte_at(std::string_view text, size_t at) { return static_cast<uint8_t>(text[at]); }

// The range that the second byte must be in, by first byte (Unicode 15, table 3-7).
struct Lead {
  uint8_t length;  // 0: not a lead byte
  uint8_t low, high;
};

Lead lead_of(uint8_t b) {
  if (b < 0x80) return {1, 0, 0};
  if (b >= 0xC2 && b <= 0xDF) return {2, 0x80, 0xBF};
  if (b == 0xE0) return {3, 0xA0, 0xBF};
  if (b == 0xED) return {3, 0x80, 0x9F};
  if (b >= 0xE1 && b <= 0xEF) return {3, 0x80, 0xBF};
  if (b == 0xF0) return {4, 0x90, 0xBF};
  if (b >= 0xF1 && b <= 0xF3) return {4, 0x80, 0xBF};
  if (b == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// How many bytes at `at` are a prefix of a well-formed sequence (0 when the first byte leads nothing).
uint8_t well_formed_prefix(std::string_view text, size_t at, const Lead& lead) {
  if (lead.length == 0) return 0;
  uint8_t n = 1;
  while (n < lead.length && at + n < text.size()) {
    const uint8_t b = byte_at(text, at + n);
    const uint8_t low = n == 1 ? lead.low : 0x80;
    const uint8_t high = n == 1 ? lead.high : 0xBF;
    if (b < low || b > high) break;
    ++n;
  }
  return n;
}

// How many bytes of ASCII `text` begins with, counted by eights but for its end.
size_t ascii_prefix(std::string_view text) {
  size_t at = 0;
  for (uint64_t eight = 0; at + sizeof(eight) <= text.size(); at += sizeof(eight)) {
    std::memcpy(&eight, text.data() + at, sizeof(eight));
    if ((eight & 0x8080808080808080U) != 0) break;
  }
  while (at < text.size() && byte_at(text, at) < 0x80) ++at;
  return at;
}

}  // namespace

Utf8Char utf8_decode(std::string_view text, size_t at) {
  const uint8_t first = byte_at(text, at);
  const Lead lead = lead_of(first);
  const uint8_t have = well_formed_prefix(text, at, lead);
  if (have == 0) return {kReplacementCharacter, 1, false};
  if (have < lead.length) return {kReplacementCharacter, have, false};
  if (lead.length == 1) return {first, 1, true};
  char32_t code_point = first & (0x7FU >> lead.length);
  for (uint8_t i = 1; i < lead.length; ++i) code_point = (code_point << 6) | (byte_at(text, at + i) & 0x3FU);
  return {code_point, lead.length, true};
}

void utf8_append(std::string& out, char32_t c) {
  if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = kReplacementCharacter;
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

bool utf8_valid(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    at += ascii_prefix(text.substr(at));
    if (at == text.size()) break;
    const Utf8Char c = utf8_decode(text, at);
    if (!c.valid) return false;
    at += c.length;
  }
  return true;
}

std::string utf8_sanitize(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = utf8_decode(text, at);
    utf8_append(out, c.code_point);
    at += c.length;
  }
  return out;
}

size_t utf8_floor(std::string_view text, size_t limit) {
  if (limit >= text.size()) return text.size();
  size_t at = limit;
  while (at > 0 && limit - at < 3 && (byte_at(text, at) & 0xC0) == 0x80) --at;
  return at;
}

size_t utf8_incomplete_tail(std::string_view text) {
  const size_t longest = text.size() < 3 ? text.size() : 3;
  for (size_t n = longest; n > 0; --n) {
    const size_t at = text.size() - n;
    const Lead lead = lead_of(byte_at(text, at));
    if (lead.length > n && well_formed_prefix(text, at, lead) == n) return n;
  }
  return 0;
}

std::string escape_for_terminal(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  auto escape = [&out](uint8_t b) {
    out += "\\x";
    out += kHex[b >> 4];
    out += kHex[b & 15];
  };
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = utf8_decode(text, at);
    const bool control = c.code_point < 0x20 || (c.code_point >= 0x7F && c.code_point < 0xA0);
    if (c.valid && !control) {
      out.append(text.substr(at, c.length));
    } else {
      for (uint8_t i = 0; i < c.length; ++i) escape(byte_at(text, at + i));
    }
    at += c.length;
  }
  return out;
}

}  // namespace brisk
