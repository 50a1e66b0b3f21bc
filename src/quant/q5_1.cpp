// Q5_1: 32 values in 24 bytes (6 bits each), with a minimum.
//
//     bytes  0..1   d: scale, f16
//     bytes  2..3   m: minimum, f16
//     bytes  4..7   high: bit i of this little-endian u32 is the fifth bit of value i's code
//     bytes  8..23  low: byte i holds the low four bits of value i in its low and of value i + 16 in its
//                   high half
//
// value = d * code + m
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 32;
constexpr int kHalf = kValues / 2;

struct Block {
  uint16_t d;
  uint16_t m;
  uint8_t high[4];
  uint8_t low[kHalf];
};
static_assert(sizeof(Block) == 24);

int fifth_bit(const Block& block, int i) noexcept { return ((block.high[i / 8] >> (i % 8)) & 1) << 4; }

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  const float m = f16_to_f32(block.m);
  for (int i = 0; i < kHalf; ++i) {
    y[i] = d * static_cast<float>((block.low[i] & 15) | fifth_bit(block, i)) + m;
    y[i + kHalf] = d * static_cast<float>((block.low[i] >> 4) | fifth_bit(block, i + kHalf)) + m;
  }
}

Block encode_block(const float* x) noexcept {
  const Range range = range_of(x, kValues);
  const float d = (range.high - range.low) / 31.0F;
  const float scale = inverse(d);
  Block block{};
  block.d = f32_to_f16(d);
  block.m = f32_to_f16(range.low);
  for (int i = 0; i < kValues; ++i) {
    const int code = to_code((x[i] - range.low) * scale + 0.5F, 0, 31);
    block.high[i / 8] = static_cast<uint8_t>(block.high[i / 8] | ((code >> 4) << (i % 8)));
    uint8_t& low = block.low[i % kHalf];
    low = static_cast<uint8_t>(low | ((code & 15) << (i < kHalf ? 0 : 4)));
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

WeightForm quant_q5_1();
WeightForm quant_q5_1() { return block_form("q5_1", ActivationForm::kQ8, {DType::kQ5_1, decode, encode}); }

}  // namespace brisk::quant
