// Q6_K: 256 values in 210 bytes (6.5625 bits each): sixteen groups of 16, each with an i8 scale; symmetric
// around code 32.
//
//     bytes    0..127  low: the low four bits of the codes
//     bytes  128..191  high: their upper two bits
//     bytes  192..207  scales of the groups, i8
//     bytes  208..209  d: scale of the scales, f16
//
// The codes lie in two halves of 128 values, each in four runs of 32. Of half h, value i of run r has its
//     low bits   in byte 64 h + 32 (r % 2) + i of `low`, low four bits for r < 2, high four bits otherwise
//     high bits  in byte 32 h + i of `high`, bits 2 r and 2 r + 1
// value = (d * scale) * (code - 32)
#include <algorithm>

#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 256;
constexpr int kGroupValues = 16;
constexpr int kGroups = kValues / kGroupValues;

struct Block {
  uint8_t low[kValues / 2];
  uint8_t high[kValues / 4];
  int8_t scales[kGroups];
  uint16_t d;
};
static_assert(sizeof(Block) == 210);

// Where the bits of value `index` lie.
struct Place {
  int low_byte, low_shift;
  int high_byte, high_shift;
};

Place place_of(int index) noexcept {
  const int half = index / 128;
  const int run = index % 128 / 32;
  const int i = index % 32;
  return {64 * half + 32 * (run % 2) + i, run / 2 * 4, 32 * half + i, 2 * run};
}

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int index = 0; index < kValues; ++index) {
    const Place at = place_of(index);
    const int low = (block.low[at.low_byte] >> at.low_shift) & 15;
    const int high = (block.high[at.high_byte] >> at.high_shift) & 3;
    const float scale = d * static_cast<float>(block.scales[index / kGroupValues]);
    y[index] = scale * static_cast<float>((low | (high << 4)) - 32);
  }
}

// The scale of one group with the least squared error among some around peak / -32, each refined once by
// least squares over the codes that it gives. Zero when the values give none.
float fit_scale(const float* x) noexcept {
  const float plain = signed_peak(x, kGroupValues) / -32.0F;
  if (plain == 0.0F || !std::isfinite(1.0F / plain)) return 0.0F;
  auto code = [](float value, float scale) { return static_cast<float>(round_code(value / scale, -32, 31)); };
  float best = plain;
  float least = -1.0F;
  constexpr int kSteps = 8;
  for (int step = -kSteps; step <= kSteps; ++step) {
    const float start = plain * (1.0F + 0.01F * static_cast<float>(step));
    float products = 0.0F, squares = 0.0F;
    for (int i = 0; i < kGroupValues; ++i) {
      const float q = code(x[i], start);
      products += q * x[i];
      squares += q * q;
    }
    const float scale = squares > 0.0F ? products / squares : start;
    float error = 0.0F;
    for (int i = 0; i < kGroupValues; ++i) {
      const float miss = scale * code(x[i], scale) - x[i];
      error += miss * miss;
    }
    if (least < 0.0F || error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

Block encode_block(const float* x) noexcept {
  float fits[kGroups];
  for (int g = 0; g < kGroups; ++g) fits[g] = fit_scale(x + g * kGroupValues);
  Block block{};
  // The scale of the largest magnitude becomes -128, so that the whole range of an i8 is used.
  block.d = f32_to_f16(signed_peak(fits, kGroups) / -128.0F);
  const float d = f16_to_f32(block.d);
  for (int g = 0; g < kGroups; ++g) {
    block.scales[g] = static_cast<int8_t>(round_code(fits[g] * inverse(d), -128, 127));
  }
  for (int index = 0; index < kValues; ++index) {
    const float to_code_scale = inverse(d * static_cast<float>(block.scales[index / kGroupValues]));
    const int code = round_code(x[index] * to_code_scale, -32, 31) + 32;
    const Place at = place_of(index);
    uint8_t& low = block.low[at.low_byte];
    uint8_t& high = block.high[at.high_byte];
    low = static_cast<uint8_t>(low | ((code & 15) << at.low_shift));
    high = static_cast<uint8_t>(high | ((code >> 4) << at.high_shift));
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

WeightForm quant_q6_k();
WeightForm quant_q6_k() { return block_form("q6_k", ActivationForm::kQ8, {DType::kQ6_K, decode, encode}); }

}  // namespace brisk::quant
