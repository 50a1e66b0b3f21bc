// Q2_K: 256 values in 84 bytes (2.625 bits each): sixteen groups of 16, each with a scale and a minimum.
//
//     bytes   0..15   byte g: scale of group g in the low four bits, its minimum in the high four
//     bytes  16..79   codes of two bits (packing.hpp)
//     bytes  80..81   d: scale of the scales, f16
//     bytes  82..83   dmin: scale of the minima, f16
//
// value = (d * scale) * code - (dmin * minimum)
#include <algorithm>

#include "quant/affine_fit.hpp"
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/packing.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 256;
constexpr int kGroupValues = 16;
constexpr int kGroups = kValues / kGroupValues;
constexpr int kTop = 3;       // largest code
constexpr int kTopPart = 15;  // largest scale and minimum

struct Block {
  uint8_t groups[kGroups];
  uint8_t codes[kValues / 4];
  uint16_t d;
  uint16_t dmin;
};
static_assert(sizeof(Block) == 84);

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  const float dmin = f16_to_f32(block.dmin);
  for (int i = 0; i < kValues; ++i) {
    const uint8_t group = block.groups[i / kGroupValues];
    const float scale = d * static_cast<float>(group & 15);
    const float minimum = dmin * static_cast<float>(group >> 4);
    y[i] = scale * static_cast<float>(two_bits(block.codes, i)) - minimum;
  }
}

int code_of(float x, float scale, float minimum) noexcept {
  return round_code((x + minimum) * inverse(scale), 0, kTop);
}

float error_of(const float* x, float scale, float minimum) noexcept {
  float sum = 0.0F;
  for (int i = 0; i < kGroupValues; ++i) {
    const float miss = scale * static_cast<float>(code_of(x[i], scale, minimum)) - minimum - x[i];
    sum += miss * miss;
  }
  return sum;
}

// Four bits are coarse: the scale and the minimum of a group are chosen together, among those beside the fit.
uint8_t choose_group(const float* x, const AffineFit& fit, float d, float dmin) noexcept {
  const int scale = round_code(fit.scale * inverse(d), 0, kTopPart);
  const int minimum = round_code(fit.minimum * inverse(dmin), 0, kTopPart);
  uint8_t best = static_cast<uint8_t>(scale | (minimum << 4));
  float least = error_of(x, d * static_cast<float>(scale), dmin * static_cast<float>(minimum));
  for (int s = std::max(scale - 1, 0); s <= std::min(scale + 1, kTopPart); ++s) {
    for (int m = std::max(minimum - 1, 0); m <= std::min(minimum + 1, kTopPart); ++m) {
      const float error = error_of(x, d * static_cast<float>(s), dmin * static_cast<float>(m));
      if (!(error < least)) continue;
      least = error;
      best = static_cast<uint8_t>(s | (m << 4));
    }
  }
  return best;
}

Block encode_block(const float* x) noexcept {
  AffineFit fits[kGroups];
  float most_scale = 0.0F, most_minimum = 0.0F;
  for (int g = 0; g < kGroups; ++g) {
    fits[g] = fit_affine(x + g * kGroupValues, kGroupValues, kTop);
    most_scale = std::max(most_scale, fits[g].scale);
    most_minimum = std::max(most_minimum, fits[g].minimum);
  }
  Block block{};
  block.d = f32_to_f16(most_scale / kTopPart);
  block.dmin = f32_to_f16(most_minimum / kTopPart);
  const float d = f16_to_f32(block.d);
  const float dmin = f16_to_f32(block.dmin);
  for (int g = 0; g < kGroups; ++g) {
    const float* values = x + g * kGroupValues;
    const uint8_t group = choose_group(values, fits[g], d, dmin);
    const float scale = d * static_cast<float>(group & 15);
    const float minimum = dmin * static_cast<float>(group >> 4);
    block.groups[g] = group;
    for (int i = 0; i < kGroupValues; ++i) {
      put_two_bits(block.codes, g * kGroupValues + i, code_of(values[i], scale, minimum));
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

WeightForm quant_q2_k();
WeightForm quant_q2_k() { return block_form("q2_k", ActivationForm::kF32, {DType::kQ2_K, decode, encode}); }

}  // namespace brisk::quant
