// Q3_K: 256 values in 110 bytes (3.4375 bits each): sixteen groups of 16, each with a scale of six bits;
// symmetric around code 4.
//
//     bytes    0..31   high: bit r of byte i is the upper bit of code 32 r + i
//     bytes   32..95   low: the lower two bits of the codes (packing.hpp)
//     bytes   96..107  scales s0..s15, stored with 32 added:
//                      byte j < 8    low four bits of s(j) in its low, of s(j + 8) in its high four bits
//                      byte 8 + j    high two bits of s(j), s(j + 4), s(j + 8), s(j + 12), lowest first
//     bytes  108..109  d: scale of the scales, f16
//
// value = (d * scale) * (code - 4)
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/packing.hpp"
#include "quant/scale_fit.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 256;
constexpr int kGroupValues = 16;
constexpr int kGroups = kValues / kGroupValues;
constexpr int kMiddle = 4;        // the code of zero
constexpr int kMiddleScale = 32;  // what is added to a scale

struct Block {
  uint8_t high[kValues / 8];
  uint8_t low[kValues / 4];
  uint8_t scales[12];
  uint16_t d;
};
static_assert(sizeof(Block) == 110);

int scale_of(const Block& block, int g) noexcept {
  const int low = nibble(block.scales, 8, g);
  const int high = (block.scales[8 + g % 4] >> (g / 4 * 2)) & 3;
  return (low | (high << 4)) - kMiddleScale;
}

void put_scale(Block& block, int g, int scale) noexcept {
  const int stored = scale + kMiddleScale;
  put_nibble(block.scales, 8, g, stored & 15);
  uint8_t& high = block.scales[8 + g % 4];
  high = static_cast<uint8_t>(high | ((stored >> 4) << (g / 4 * 2)));
}

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int i = 0; i < kValues; ++i) {
    const float scale = d * static_cast<float>(scale_of(block, i / kGroupValues));
    const int high = (block.high[i % 32] >> (i / 32)) & 1;
    y[i] = scale * static_cast<float>((two_bits(block.low, i) | (high << 2)) - kMiddle);
  }
}

// Beside the plain scale, which puts the peak on the lowest code: how far the starts of the search go.
constexpr float kStretches[] = {0.70F, 0.76F, 0.82F, 0.88F, 0.94F, 1.0F,
                                1.06F, 1.12F, 1.18F, 1.24F, 1.30F, 1.36F};

float fit_group(const float* x) noexcept {
  const float plain = signed_peak(x, kGroupValues) / static_cast<float>(-kMiddle);
  return fit_scale(x, kGroupValues, plain, kStretches, [x](float scale, float* levels) {
    for (int i = 0; i < kGroupValues; ++i) {
      levels[i] = static_cast<float>(round_code(x[i] / scale, -kMiddle, kMiddle - 1));
    }
  });
}

Block encode_block(const float* x) noexcept {
  float fits[kGroups];
  for (int g = 0; g < kGroups; ++g) fits[g] = fit_group(x + g * kGroupValues);
  Block block{};
  // The scale of the largest magnitude becomes -32, so that the whole range of six bits is used.
  block.d = f32_to_f16(signed_peak(fits, kGroups) / static_cast<float>(-kMiddleScale));
  const float d = f16_to_f32(block.d);
  for (int g = 0; g < kGroups; ++g) {
    put_scale(block, g, round_code(fits[g] * inverse(d), -kMiddleScale, kMiddleScale - 1));
  }
  for (int i = 0; i < kValues; ++i) {
    const float to_code_scale = inverse(d * static_cast<float>(scale_of(block, i / kGroupValues)));
    const int code = round_code(x[i] * to_code_scale, -kMiddle, kMiddle - 1) + kMiddle;
    put_two_bits(block.low, i, code & 3);
    block.high[i % 32] = static_cast<uint8_t>(block.high[i % 32] | ((code >> 2) << (i / 32)));
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

WeightForm quant_q3_k();
WeightForm quant_q3_k() { return block_form("q3_k", ActivationForm::kF32, {DType::kQ3_K, decode, encode}); }

}  // namespace brisk::quant
