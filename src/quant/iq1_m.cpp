// IQ1_M: 256 values in 56 bytes (1.75 bits each): sixteen groups of 16, each with a scale of three bits;
// eight values are a point of a ternary grid of 2048 (lattice/grids.hpp) with a shift.
//
//     bytes   0..31   byte j: low eight bits of the index of point j
//     bytes  32..47   four bits for each point j, low ones of byte j / 2 for even j: the high three bits of
//     its index,
//                     and a bit that is set when its values are moved down by an eighth, else up
//     bytes  48..55   four 16-bit words: bits 3 k .. 3 k + 2 of word j are the scale of group 4 j + k;
//     bits 12..15
//                     are bits 4 j .. 4 j + 3 of d, the scale of the scales, f16
//
// value = (d * (2 * scale + 1)) * (coordinate + or - 0.125)
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/lattice/encode.hpp"
#include "quant/packing.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kEights = kLatticeValues / 8;

struct Block {
  uint8_t index_low[kEights];
  uint8_t high[kEights / 2];
  uint16_t scales[4];
};
static_assert(sizeof(Block) == 56);

using Points = ShiftedPoints<16, 8>;

float scale_of_block(const Block& block) noexcept {
  int half = 0;
  for (int j = 0; j < 4; ++j) half |= (block.scales[j] >> 12) << (4 * j);
  return f16_to_f32(static_cast<uint16_t>(half));
}

void decode_block(const Block& block, float* y) noexcept {
  const float d = scale_of_block(block);
  for (int eight = 0; eight < kEights; ++eight) {
    const int g = eight / 2;
    const float scale = d * static_cast<float>(2 * ((block.scales[g / 4] >> (g % 4 * 3)) & 7) + 1);
    const int high = packed_nibble(block.high, eight);
    const float shift = (high & 8) != 0 ? -Points::kShift : Points::kShift;
    const int8_t* point = kGridIQ1.point[block.index_low[eight] | ((high & 7) << 8)];
    for (int i = 0; i < 8; ++i) *y++ = scale * (static_cast<float>(point[i]) + shift);
  }
}

Block encode_block(const float* x) noexcept {
  const auto codes = encode_lattice<Points>(x, kIQ1Unit, kIQ1TopScale, kIQ1Stretches);
  Block block{};
  for (int eight = 0; eight < kEights; ++eight) {
    const Points& points = codes.points[eight / 2];
    const int index = points.index[eight % 2];
    block.index_low[eight] = static_cast<uint8_t>(index);
    put_packed_nibble(block.high, eight, (index >> 8) | (points.down[eight % 2] ? 8 : 0));
  }
  for (int j = 0; j < 4; ++j) {
    int word = ((codes.d >> (4 * j)) & 15) << 12;
    for (int k = 0; k < 4; ++k) word |= codes.scale[4 * j + k] << (3 * k);
    block.scales[j] = static_cast<uint16_t>(word);
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

WeightForm quant_iq1_m();
WeightForm quant_iq1_m() {
  return block_form("iq1_m", ActivationForm::kF32, {DType::kIQ1_M, decode, encode});
}

}  // namespace brisk::quant
