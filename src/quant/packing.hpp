// Where small codes lie in the bytes of a block, for the layouts that several formats share. The writing
// functions expect bytes that were zero.
#pragma once

#include <cstdint>

namespace brisk::quant {

/// 2 * half codes of four bits in `half` bytes: byte i holds code i in its low and code half + i in its high
/// bits.
inline int nibble(const uint8_t* bytes, int half, int i) noexcept {
  return (bytes[i % half] >> (i / half * 4)) & 15;
}
inline void put_nibble(uint8_t* bytes, int half, int i, int code) noexcept {
  bytes[i % half] = static_cast<uint8_t>(bytes[i % half] | (code << (i / half * 4)));
}

/// 256 codes of two bits in 64 bytes: two halves of 128 codes, each in four runs of 32. Of half h, code i of
/// run r lies in byte 32 h + i, bits 2 r and 2 r + 1.
inline int two_bits(const uint8_t* bytes, int i) noexcept {
  return (bytes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2)) & 3;
}
inline void put_two_bits(uint8_t* bytes, int i, int code) noexcept {
  uint8_t& byte = bytes[i / 128 * 32 + i % 32];
  byte = static_cast<uint8_t>(byte | (code << (i % 128 / 32 * 2)));
}

/// Codes of four bits, two a byte: code i lies in byte i / 2, in the low bits when i is even.
inline int packed_nibble(const uint8_t* bytes, int i) noexcept { return (bytes[i / 2] >> (i % 2 * 4)) & 15; }
inline void put_packed_nibble(uint8_t* bytes, int i, int code) noexcept {
  bytes[i / 2] = static_cast<uint8_t>(bytes[i / 2] | (code << (i % 2 * 4)));
}

/// A little-endian word of 32 bits at any address.
inline uint32_t load_word(const uint8_t (&bytes)[4]) noexcept {
  return bytes[0] | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}
inline void store_word(uint32_t word, uint8_t (&bytes)[4]) noexcept {
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<uint8_t>(word >> (8 * i));
}

}  // namespace brisk::quant
