// IQ3_XXS: 256 values in 98 bytes (3.0625 bits each): eight groups of 32, each with a scale of four bits;
// four values are a point of a grid of 256 (lattice/grids.hpp) with signs.
//
//     bytes   0..1    d: scale of the scales, f16
//     bytes   2..65   byte j: the index of point j
//     bytes  66..97   a little-endian word for each group: bits 7 j .. 7 j + 6 the signs of eight j
//                     (lattice/signs.hpp), bits 28..31 the scale
//
// value = (d * (0.5 + scale) / 2) * sign * coordinate
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/lattice/encode.hpp"
#include "quant/packing.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

struct Block {
  uint16_t d;
  uint8_t index[8][8];  // of each group
  uint8_t word[8][4];
};
static_assert(sizeof(Block) == 98);

constexpr float kUnit = 0.25F;
constexpr int kTopScale = 15;

using Points = SignedPoints<kGridIQ3Xxs, 32, true>;

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int g = 0; g < 8; ++g) {
    const uint32_t word = load_word(block.word[g]);
    const float scale = d * (0.5F + static_cast<float>(word >> 28)) * 0.5F;
    for (int eight = 0; eight < 4; ++eight) {
      const uint8_t signs = with_even_signs(word >> (7 * eight));
      for (int i = 0; i < 8; ++i) {
        const int8_t coordinate = kGridIQ3Xxs.point[block.index[g][2 * eight + i / 4]][i % 4];
        *y++ = scale * static_cast<float>(coordinate) * sign_of(signs, i);
      }
    }
  }
}

Block encode_block(const float* x) noexcept {
  const auto codes = encode_lattice<Points>(x, kUnit, kTopScale, kIQ3Stretches);
  Block block{};
  block.d = codes.d;
  for (int g = 0; g < 8; ++g) {
    uint32_t word = static_cast<uint32_t>(codes.scale[g]) << 28;
    for (int j = 0; j < 8; ++j) block.index[g][j] = static_cast<uint8_t>(codes.points[g].index[j]);
    for (int j = 0; j < 4; ++j) word |= (codes.points[g].signs[j] & 127U) << (7 * j);
    store_word(word, block.word[g]);
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

WeightForm quant_iq3_xxs();
WeightForm quant_iq3_xxs() {
  return block_form("iq3_xxs", ActivationForm::kF32, {DType::kIQ3_XXS, decode, encode});
}

}  // namespace brisk::quant
