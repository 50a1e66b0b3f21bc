// IQ2_S: 256 values in 82 bytes (2.5625 bits each): sixteen groups of 16, each with a scale of four bits;
// eight values are a point of a grid of 1024 (lattice/grids.hpp) with signs.
//
//     bytes   0..1    d: scale of the scales, f16
//     bytes   2..33   byte j: low eight bits of the index of point j
//     bytes  34..65   byte j: signs of eight j (lattice/signs.hpp), all eight stored
//     bytes  66..73   bits 2 (j % 4) and 2 (j % 4) + 1 of byte j / 4: high two bits of the index of point j
//     bytes  74..81   byte j: scales of groups 2 j (low) and 2 j + 1 (high four bits)
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
  uint8_t index_low[kEights];
  uint8_t signs[kEights];
  uint8_t index_high[kEights / 4];
  uint8_t scales[kEights / 4];
};
static_assert(sizeof(Block) == 82);

using Points = SignedPoints<kGridIQ2S, 16, false>;

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int eight = 0; eight < kEights; ++eight) {
    const float scale = d * (0.5F + static_cast<float>(packed_nibble(block.scales, eight / 2))) * 0.25F;
    const int high = (block.index_high[eight / 4] >> (eight % 4 * 2)) & 3;
    const int8_t* point = kGridIQ2S.point[block.index_low[eight] | (high << 8)];
    for (int i = 0; i < 8; ++i) *y++ = scale * static_cast<float>(point[i]) * sign_of(block.signs[eight], i);
  }
}

Block encode_block(const float* x) noexcept {
  const auto codes = encode_lattice<Points>(x, kIQ2Unit, kIQ2TopScale, kIQ2Stretches);
  Block block{};
  block.d = codes.d;
  for (int eight = 0; eight < kEights; ++eight) {
    const Points& points = codes.points[eight / 2];
    const int index = points.index[eight % 2];
    block.index_low[eight] = static_cast<uint8_t>(index);
    uint8_t& high = block.index_high[eight / 4];
    high = static_cast<uint8_t>(high | ((index >> 8) << (eight % 4 * 2)));
    block.signs[eight] = points.signs[eight % 2];
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

WeightForm quant_iq2_s();
WeightForm quant_iq2_s() {
  return block_form("iq2_s", ActivationForm::kF32, {DType::kIQ2_S, decode, encode});
}

}  // namespace brisk::quant
