// IQ1_S: 256 values in 50 bytes (1.5625 bits each): eight groups of 32, each with a scale of three bits and a
// shift; eight values are a point of a ternary grid of 2048 (lattice/grids.hpp).
//
//     bytes   0..1    d: scale of the scales, f16
//     bytes   2..33   byte j: low eight bits of the index of point j
//     bytes  34..49   a 16-bit word for each group: bits 3 j .. 3 j + 2 the high bits of the index of its
//     point j, bits
//                     12..14 the scale, bit 15 set: its values are moved down by an eighth, else up
//
// value = (d * (2 * scale + 1)) * (coordinate + or - 0.125)
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/lattice/encode.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

struct Block {
  uint16_t d;
  uint8_t index_low[8][4];  // of each group
  uint16_t word[8];
};
static_assert(sizeof(Block) == 50);

using Points = ShiftedPoints<32, 32>;

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int g = 0; g < 8; ++g) {
    const int word = block.word[g];
    const float scale = d * static_cast<float>(2 * ((word >> 12) & 7) + 1);
    const float shift = (word & 0x8000) != 0 ? -Points::kShift : Points::kShift;
    for (int j = 0; j < 4; ++j) {
      const int8_t* point = kGridIQ1.point[block.index_low[g][j] | (((word >> (3 * j)) & 7) << 8)];
      for (int i = 0; i < 8; ++i) *y++ = scale * (static_cast<float>(point[i]) + shift);
    }
  }
}

Block encode_block(const float* x) noexcept {
  const auto codes = encode_lattice<Points>(x, kIQ1Unit, kIQ1TopScale, kIQ1Stretches);
  Block block{};
  block.d = codes.d;
  for (int g = 0; g < 8; ++g) {
    const Points& points = codes.points[g];
    int word = (codes.scale[g] << 12) | (points.down[0] ? 0x8000 : 0);
    for (int j = 0; j < 4; ++j) {
      block.index_low[g][j] = static_cast<uint8_t>(points.index[j]);
      word |= (points.index[j] >> 8) << (3 * j);
    }
    block.word[g] = static_cast<uint16_t>(word);
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

WeightForm quant_iq1_s();
WeightForm quant_iq1_s() {
  return block_form("iq1_s", ActivationForm::kF32, {DType::kIQ1_S, decode, encode});
}

}  // namespace brisk::quant
