// IQ4_XS: 256 values in 136 bytes (4.25 bits each): eight groups of 32, each with a scale of six bits;
// sixteen uneven levels (uneven_levels.hpp).
//
//     bytes   0..1    d: scale of the scales, f16
//     bytes   2..3    bits 2 g and 2 g + 1: the high two bits of the scale of group g
//     bytes   4..7    byte j: the low four bits of the scales of groups 2 j (low) and 2 j + 1 (high)
//     bytes   8..135  codes: byte 16 g + i holds code i of group g in its low and code 16 + i in its high
//     four bits
//
// Scales are stored with 32 added. value = (d * scale) * level[code]
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/packing.hpp"
#include "quant/uneven_levels.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 256;
constexpr int kGroupValues = 32;
constexpr int kGroups = kValues / kGroupValues;
constexpr int kMiddleScale = 32;

struct Block {
  uint16_t d;
  uint16_t scales_high;
  uint8_t scales_low[kGroups / 2];
  uint8_t codes[kGroups][kGroupValues / 2];
};
static_assert(sizeof(Block) == 136);

int scale_of(const Block& block, int g) noexcept {
  const int low = packed_nibble(block.scales_low, g);
  const int high = (block.scales_high >> (2 * g)) & 3;
  return (low | (high << 4)) - kMiddleScale;
}

void put_scale(Block& block, int g, int scale) noexcept {
  const int stored = scale + kMiddleScale;
  put_packed_nibble(block.scales_low, g, stored & 15);
  block.scales_high = static_cast<uint16_t>(block.scales_high | ((stored >> 4) << (2 * g)));
}

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int g = 0; g < kGroups; ++g) {
    const float scale = d * static_cast<float>(scale_of(block, g));
    for (int i = 0; i < kGroupValues; ++i) {
      *y++ = scale * uneven_level(nibble(block.codes[g], kGroupValues / 2, i));
    }
  }
}

Block encode_block(const float* x) noexcept {
  float fits[kGroups];
  for (int g = 0; g < kGroups; ++g) fits[g] = fit_uneven(x + g * kGroupValues);
  Block block{};
  // The scale of the largest magnitude becomes -32, so that the whole range of six bits is used.
  block.d = f32_to_f16(signed_peak(fits, kGroups) / static_cast<float>(-kMiddleScale));
  const float d = f16_to_f32(block.d);
  for (int g = 0; g < kGroups; ++g) {
    const int scale = round_code(fits[g] * inverse(d), -kMiddleScale, kMiddleScale - 1);
    put_scale(block, g, scale);
    const float to_level = inverse(d * static_cast<float>(scale));
    for (int i = 0; i < kGroupValues; ++i) {
      put_nibble(block.codes[g], kGroupValues / 2, i, uneven_code(x[g * kGroupValues + i] * to_level));
    }
  }
  return block;
}

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  for_blocks_in<Block, kValues>(blocks, count, out, decode_block);
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  for_blocks_out<Block, kValues>(values, count, out, encode_block);
}

}  // namespace

WeightForm quant_iq4_xs();
WeightForm quant_iq4_xs() {
  return block_form("iq4_xs", ActivationForm::kF32, {DType::kIQ4_XS, decode, encode});
}

}  // namespace brisk::quant
