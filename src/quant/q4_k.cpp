// Q4_K: 256 values in 144 bytes (4.5 bits each): eight groups of 32, each with a scale and a minimum.
//
//     bytes   0..1    d: scale of the scales, f16
//     bytes   2..3    dmin: scale of the minima, f16
//     bytes   4..15   6-bit scales and minima of the groups (affine_groups.hpp)
//     bytes  16..143  codes: byte 32 p + i holds value i of group 2 p in its low and of group 2 p + 1 in
//                     its high four bits
//
// value = (d * scale) * code - (dmin * minimum)
#include "quant/affine_groups.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = kGroups * kGroupValues;
constexpr int kTop = 15;

struct Block {
  uint16_t d;
  uint16_t dmin;
  uint8_t scales[12];
  uint8_t codes[kValues / 2];
};
static_assert(sizeof(Block) == 144);

void decode_block(const Block& block, float* y) noexcept {
  const GroupScales groups = unpack_scales(block.scales);
  for (int g = 0; g < kGroups; ++g) {
    const float scale = f16_to_f32(block.d) * static_cast<float>(groups.scale[g]);
    const float minimum = f16_to_f32(block.dmin) * static_cast<float>(groups.minimum[g]);
    const uint8_t* codes = block.codes + g / 2 * kGroupValues;
    for (int i = 0; i < kGroupValues; ++i) {
      const int code = (codes[i] >> (g % 2 * 4)) & 15;
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
    uint8_t* out = block.codes + g / 2 * kGroupValues;
    for (int i = 0; i < kGroupValues; ++i) out[i] = static_cast<uint8_t>(out[i] | (codes[i] << (g % 2 * 4)));
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

WeightForm quant_q4_k();
WeightForm quant_q4_k() { return block_form("q4_k", ActivationForm::kQ8, {DType::kQ4_K, decode, encode}); }

}  // namespace brisk::quant
