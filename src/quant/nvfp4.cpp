// NVFP4: 64 values in 36 bytes (4.5 bits each): four groups of 16, each with an eight-bit float as its scale;
// the codes are four-bit floats (e2m1.hpp).
//
//     bytes 0..3    scales of the groups: E4M3 (four bits of exponent, bias 7, three of mantissa); the top
//     bit is
//                   not used
//     bytes 4..35   codes: byte 4 + 8 g + i holds code i of group g in its low and code 8 + i in its high
//     four bits
//
// value = (scale / 2) * doubled_e2m1(code). A scale of 0x7F (NaN in E4M3) reads as zero. The range of the
// scales is small (2^-9 to 448): a model of this type carries one more f32 scale per tensor, which its graph
// applies.
#include <algorithm>
#include <array>
#include <cmath>

#include "quant/blocks.hpp"
#include "quant/e2m1.hpp"
#include "quant/packing.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 64;
constexpr int kGroupValues = 16;
constexpr int kGroups = kValues / kGroupValues;
constexpr int kTopScale = 0x7E;  // 448
constexpr float kTopLevel = 12.0F;

struct Block {
  uint8_t scales[kGroups];
  uint8_t codes[kGroups][kGroupValues / 2];
};
static_assert(sizeof(Block) == 36);

// Half of each scale.
constexpr std::array<float, 256> kHalfScales = [] {
  std::array<float, 256> halves{};
  for (int code = 0; code < 256; ++code) {
    const int exponent = (code >> 3) & 15;
    const int mantissa = code & 7;
    // In units of 2^-10, half of the smallest subnormal.
    const int units = exponent == 0 ? mantissa : (8 + mantissa) << (exponent - 1);
    halves[static_cast<size_t>(code)] = code == 0x7F ? 0.0F : static_cast<float>(units) * 0x1p-10F;
  }
  return halves;
}();

float half_scale(int code) noexcept { return kHalfScales[static_cast<size_t>(code)]; }

void decode_block(const Block& block, float* y) noexcept {
  for (int g = 0; g < kGroups; ++g) {
    const float d = half_scale(block.scales[g]);
    for (int i = 0; i < kGroupValues; ++i) {
      *y++ = d * doubled_e2m1(nibble(block.codes[g], kGroupValues / 2, i));
    }
  }
}

float error_of(const float* x, float d) noexcept {
  float sum = 0.0F;
  for (int i = 0; i < kGroupValues; ++i) {
    const float miss = d * doubled_e2m1(e2m1_code(x[i], d)) - x[i];
    sum += miss * miss;
  }
  return sum;
}

// The scale with the least squared error among those around the one that puts the peak on the highest level.
int choose_scale(const float* x) noexcept {
  const float plain = std::fabs(signed_peak(x, kGroupValues)) / kTopLevel;
  const auto* above = std::upper_bound(kHalfScales.begin(), kHalfScales.begin() + kTopScale + 1, plain);
  const int middle = std::max(static_cast<int>(above - kHalfScales.begin()) - 1, 0);
  int best = middle;
  float least = error_of(x, half_scale(middle));
  for (int code = std::max(middle - 6, 0); code <= std::min(middle + 6, kTopScale); ++code) {
    const float error = error_of(x, half_scale(code));
    if (!(error < least)) continue;
    least = error;
    best = code;
  }
  return best;
}

Block encode_block(const float* x) noexcept {
  Block block{};
  for (int g = 0; g < kGroups; ++g) {
    const float* values = x + g * kGroupValues;
    const int scale = choose_scale(values);
    block.scales[g] = static_cast<uint8_t>(scale);
    for (int i = 0; i < kGroupValues; ++i) {
      put_nibble(block.codes[g], kGroupValues / 2, i, e2m1_code(values[i], half_scale(scale)));
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

WeightForm quant_nvfp4();
WeightForm quant_nvfp4() {
  return block_form("nvfp4", ActivationForm::kF32, {DType::kNVFP4, decode, encode});
}

}  // namespace brisk::quant
