// IQ2_XXS: 256 values in 66 bytes (2.0625 bits each): eight groups of 32, each with a scale of four bits;
// eight values are a point of a grid of 256 (lattice/grids.hpp) with signs.
//
//     bytes  0..1     d: scale of the scales, f16
//     bytes  2..65    groups, eight bytes each: the indices of four points, one byte each, and a
//     little-endian
//                     word: bits 7 j .. 7 j + 6 the signs of eight j (lattice/signs.hpp), bits 28..31 the
//                     scale
//
// value = (d * (0.5 + scale) / 4) * sign * coordinate
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/lattice/encode.hpp"
#include "quant/packing.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

struct Group {
  uint8_t index[4];
  uint8_t word[4];
};
struct Block {
  uint16_t d;
  Group groups[8];
};
static_assert(sizeof(Block) == 66);

using Points = SignedPoints<kGridIQ2Xxs, 32, true>;

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (const Group& group : block.groups) {
    const uint32_t word = load_word(group.word);
    const float scale = d * (0.5F + static_cast<float>(word >> 28)) * 0.25F;
    for (int j = 0; j < 4; ++j) {
      const int8_t* point = kGridIQ2Xxs.point[group.index[j]];
      const uint8_t signs = with_even_signs(word >> (7 * j));
      for (int i = 0; i < 8; ++i) *y++ = scale * static_cast<float>(point[i]) * sign_of(signs, i);
    }
  }
}

Block encode_block(const float* x) noexcept {
  const auto codes = encode_lattice<Points>(x, kIQ2Unit, kIQ2TopScale, kIQ2Stretches);
  Block block{};
  block.d = codes.d;
  for (int g = 0; g < 8; ++g) {
    uint32_t word = static_cast<uint32_t>(codes.scale[g]) << 28;
    for (int j = 0; j < 4; ++j) {
      block.groups[g].index[j] = static_cast<uint8_t>(codes.points[g].index[j]);
      word |= (codes.points[g].signs[j] & 127U) << (7 * j);
    }
    store_word(word, block.groups[g].word);
  }
  return block;
}

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  for_blocks_in<Block, kLatticeValues>(blocks, count, out, decode_block);
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  for_blocks_out<Block, kLatticeValues>(values, count, out, encode_block);
}

}  // namespace

WeightForm quant_iq2_xxs();
WeightForm quant_iq2_xxs() {
  return block_form("iq2_xxs", ActivationForm::kF32, {DType::kIQ2_XXS, decode, encode});
}

}  // namespace brisk::quant
