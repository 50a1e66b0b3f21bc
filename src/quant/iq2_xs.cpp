// IQ2_XS: 256 values in 74 bytes (2.3125 bits each): sixteen groups of 16, each with a scale of four bits;
// eight values are a point of a grid of 512 (lattice/grids.hpp) with signs.
//
//     bytes   0..1    d: scale of the scales, f16
//     bytes   2..65   a 16-bit word for each eight values: bits 0..8 the index of the point, bits 9..15 the
//     signs
//                     (lattice/signs.hpp)
//     bytes  66..73   byte j: scales of groups 2 j (low) and 2 j + 1 (high four bits)
//
// value = (d * (0.5 + scale) / 4) * sign * coordinate
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/lattice/encode.hpp"
#include "quant/packing.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kEights = kLatticeValues / 8;

struct Block {
  uint16_t d;
  uint16_t points[kEights];
  uint8_t scales[kEights / 4];
};
static_assert(sizeof(Block) == 74);

using Points = SignedPoints<kGridIQ2Xs, 16, true>;

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int eight = 0; eight < kEights; ++eight) {
    const float scale = d * (0.5F + static_cast<float>(packed_nibble(block.scales, eight / 2))) * 0.25F;
    const uint16_t word = block.points[eight];
    const int8_t* point = kGridIQ2Xs.point[word & 511];
    const uint8_t signs = with_even_signs(word >> 9);
    for (int i = 0; i < 8; ++i) *y++ = scale * static_cast<float>(point[i]) * sign_of(signs, i);
  }
}

Block encode_block(const float* x) noexcept {
  const auto codes = encode_lattice<Points>(x, kIQ2Unit, kIQ2TopScale, kIQ2Stretches);
  Block block{};
  block.d = codes.d;
  for (int eight = 0; eight < kEights; ++eight) {
    const Points& points = codes.points[eight / 2];
    const int signs = points.signs[eight % 2] & 127;
    block.points[eight] = static_cast<uint16_t>(points.index[eight % 2] | (signs << 9));
  }
  for (int g = 0; g < kEights / 2; ++g) put_packed_nibble(block.scales, g, codes.scale[g]);
  return block;
}

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  for_blocks_in<Block, kLatticeValues>(blocks, count, out, decode_block);
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  for_blocks_out<Block, kLatticeValues>(values, count, out, encode_block);
}

}  // namespace

WeightForm quant_iq2_xs();
WeightForm quant_iq2_xs() {
  return block_form("iq2_xs", ActivationForm::kF32, {DType::kIQ2_XS, decode, encode});
}

}  // namespace brisk::quant
