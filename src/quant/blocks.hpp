// What the files of the block formats share: walking over blocks, and rounding values to codes.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace brisk::quant {

/// Calls decode_block(block, out) for each block. Blocks are copied out first: in a file they have no
/// alignment.
template <typename Block, int64_t kValues, typename Fn>
void for_blocks_in(const std::byte* blocks, int64_t count, float* out, Fn&& decode_block) noexcept {
  for (int64_t i = 0; i < count / kValues; ++i) {
    Block block;
    std::memcpy(&block, blocks + i * static_cast<int64_t>(sizeof(Block)), sizeof(Block));
    decode_block(block, out + i * kValues);
  }
}

/// Calls encode_block(values) -> Block for each block and stores the result.
template <typename Block, int64_t kValues, typename Fn>
void for_blocks_out(const float* values, int64_t count, std::byte* out, Fn&& encode_block) noexcept {
  for (int64_t i = 0; i < count / kValues; ++i) {
    const Block block = encode_block(values + i * kValues);
    std::memcpy(out + i * static_cast<int64_t>(sizeof(Block)), &block, sizeof(Block));
  }
}

/// x cut to an integer in [low, high]; NaN gives low.
inline int to_code(float x, int low, int high) noexcept {
  if (!(x > static_cast<float>(low))) return low;
  if (x >= static_cast<float>(high)) return high;
  return static_cast<int>(x);
}

/// x rounded to nearest (halves away from zero), in [low, high]; NaN gives low.
inline int round_code(float x, int low, int high) noexcept { return to_code(std::round(x), low, high); }

/// 1 / x, and 0 for 0.
inline float inverse(float x) noexcept { return x == 0.0F ? 0.0F : 1.0F / x; }

/// The value of the largest magnitude, with its sign (the first of several; 0 when there is none).
inline float signed_peak(const float* values, int64_t count) noexcept {
  float peak = 0.0F;
  // Kept beside the peak: Clang 19 (-O2) gets fabs(peak) wrong when it unrolls this loop and the first value
  // is negative.
  float magnitude = 0.0F;
  for (int64_t i = 0; i < count; ++i) {
    if (std::fabs(values[i]) > magnitude) {
      magnitude = std::fabs(values[i]);
      peak = values[i];
    }
  }
  return peak;
}

struct Range {
  float low, high;
};
/// Smallest and largest of `count` >= 1 values.
inline Range range_of(const float* values, int64_t count) noexcept {
  Range range{values[0], values[0]};
  for (int64_t i = 1; i < count; ++i) {
    if (values[i] < range.low) range.low = values[i];
    if (values[i] > range.high) range.high = values[i];
  }
  return range;
}

}  // namespace brisk::quant
