// IQ3_S: 256 values in 110 bytes (3.4375 bits each): eight groups of 32, each with a scale of four bits; four
// values are a point of a grid of 512 (lattice/grids.hpp) with signs.
//
//     bytes    0..1    d: scale of the scales, f16
//     bytes    2..65   byte j: low eight bits of the index of point j
//     bytes   66..73   bit j % 8 of byte j / 8: the high bit of the index of point j
//     bytes   74..105  byte j: signs of eight j (lattice/signs.hpp), all eight stored
//     bytes  106..109  byte j: scales of groups 2 j (low) and 2 j + 1 (high four bits)
//
// value = (d * (1 + 2 * scale)) * sign * coordinate
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/lattice/encode.hpp"
#include "quant/packing.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kFours = kLatticeValues / 4;

struct Block {
  uint16_t d;
  uint8_t index_low[kFours];
  uint8_t index_high[kFours / 8];
  uint8_t signs[kFours / 2];
  uint8_t scales[4];
};
static_assert(sizeof(Block) == 110);

constexpr float kUnit = 1.0F;
constexpr int kTopScale = 15;

using Points = SignedPoints<kGridIQ3S, 32, false>;

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int four = 0; four < kFours; ++four) {
    const float scale = d * static_cast<float>(1 + 2 * packed_nibble(block.scales, four / 8));
    const int high = (block.index_high[four / 8] >> (four % 8)) & 1;
    const int8_t* point = kGridIQ3S.point[block.index_low[four] | (high << 8)];
    for (int i = 0; i < 4; ++i) {
      *y++ = scale * static_cast<float>(point[i]) * sign_of(block.signs[four / 2], four % 2 * 4 + i);
    }
  }
}

Block encode_block(const float* x) noexcept {
  const auto codes = encode_lattice<Points>(x, kUnit, kTopScale, kIQ3Stretches);
  Block block{};
  block.d = codes.d;
  for (int four = 0; four < kFours; ++four) {
    const int index = codes.points[four / 8].index[four % 8];
    block.index_low[four] = static_cast<uint8_t>(index);
    uint8_t& high = block.index_high[four / 8];
    high = static_cast<uint8_t>(high | ((index >> 8) << (four % 8)));
  }
  for (int eight = 0; eight < kFours / 2; ++eight)
    block.signs[eight] = codes.points[eight / 4].signs[eight % 4];
  for (int g = 0; g < 8; ++g) put_packed_nibble(block.scales, g, codes.scale[g]);
  return block;
}

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  for_blocks_in<Block, kLatticeValues>(blocks, count, out, decode_block);
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  for_blocks_out<Block, kLatticeValues>(values, count, out, encode_block);
}

}  // namespace

WeightForm quant_iq3_s();
WeightForm quant_iq3_s() {
  return block_form("iq3_s", ActivationForm::kF32, {DType::kIQ3_S, decode, encode});
}

}  // namespace brisk::quant
