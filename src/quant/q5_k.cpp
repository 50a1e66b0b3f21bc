// Q5_K: 256 values in 176 bytes (5.5 bits each): eight groups of 32, each with a scale and a minimum.
//
//     bytes   0..1    d: scale of the scales, f16
//     bytes   2..3    dmin: scale of the minima, f16
//     bytes   4..15   6-bit scales and minima of the groups (affine_groups.hpp)
//     bytes  16..47   high: bit g of byte i is the fifth bit of value i of group g
//     bytes  48..175  low: byte 32 p + i holds the low four bits of value i of group 2 p in its low and of
//                     group 2 p + 1 in its high half
//
// value = (d * scale) * code - (dmin * minimum)
#include "quant/affine_groups.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = kGroups * kGroupValues;
constexpr int kTop = 31;

struct Block {
  uint16_t d;
  uint16_t dmin;
  uint8_t scales[12];
  uint8_t high[kGroupValues];
  uint8_t low[kValues / 2];
};
static_assert(sizeof(Block) == 176);

void decode_block(const Block& block, float* y) noexcept {
  const GroupScales groups = unpack_scales(block.scales);
  for (int g = 0; g < kGroups; ++g) {
    const float scale = f16_to_f32(block.d) * static_cast<float>(groups.scale[g]);
    const float minimum = f16_to_f32(block.dmin) * static_cast<float>(groups.minimum[g]);
    const uint8_t* low = block.low + g / 2 * kGroupValues;
    for (int i = 0; i < kGroupValues; ++i) {
      const int code = ((low[i] >> (g % 2 * 4)) & 15) | (((block.high[i] >> g) & 1) << 4);
      y[g * kGroupValues + i] = scale * static_cast<float>(code) - minimum;
    }
  }
}

Block encode_block(const float* x) noexcept {
  const BlockScales scales = choose_scales(x, kTop);
  Block block{};
  block.d = scales.d;
  block.dmin = scales.dmin;
  pack_scales(scales.groups, block.scales);
  for (int g = 0; g < kGroups; ++g) {
    uint8_t codes[kGroupValues];
    choose_codes(scales, g, x + g * kGroupValues, kTop, codes);
    uint8_t* low = block.low + g / 2 * kGroupValues;
    for (int i = 0; i < kGroupValues; ++i) {
      low[i] = static_cast<uint8_t>(low[i] | ((codes[i] & 15) << (g % 2 * 4)));
      block.high[i] = static_cast<uint8_t>(block.high[i] | ((codes[i] >> 4) << g));
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

WeightForm quant_q5_k();
WeightForm quant_q5_k() { return block_form("q5_k", ActivationForm::kQ8, {DType::kQ5_K, decode, encode}); }

}  // namespace brisk::quant
