// A quick hash of short texts. Tables that outlive a call take a key of their own, so that no file can be
// made to collide.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace brisk::text {

namespace detail {

// Odd, with no pattern: the fractional parts of the golden ratio and of the square root of 3.
inline constexpr uint64_t kMixA = 0x9E3779B97F4A7C15;
inline constexpr uint64_t kMixB = 0xBB67AE8584CAA73B;

/// Both halves of the 128-bit product: depends on every bit of either factor.
inline uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

/// The first `n` bytes (0 to 8) as a number.
inline uint64_t load_bytes(const char* bytes, size_t n) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, n);
  return value;
}

}  // namespace detail

inline uint64_t text_hash(std::string_view text, uint64_t key) {
  using namespace detail;  // NOLINT
  uint64_t state = mix(key ^ kMixA, text.size() ^ kMixB);
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) state = mix(state ^ load_bytes(text.data() + at, 8), key ^ kMixB);
  if (at < text.size()) state = mix(state ^ load_bytes(text.data() + at, text.size() - at), key ^ kMixB);
  return mix(state ^ kMixA, kMixB);
}

}  // namespace brisk::text
