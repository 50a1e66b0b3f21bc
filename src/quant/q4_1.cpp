// Q4_1: 32 values in 20 bytes (5 bits each), with a minimum.
//
//     bytes  0..1   d: scale, f16
//     bytes  2..3   m: minimum, f16
//     bytes  4..19  codes: byte i holds value i in its low and value i + 16 in its high four bits
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
  uint8_t codes[kHalf];
};
static_assert(sizeof(Block) == 20);

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  const float m = f16_to_f32(block.m);
  for (int i = 0; i < kHalf; ++i) {
    y[i] = d * static_cast<float>(block.codes[i] & 15) + m;
    y[i + kHalf] = d * static_cast<float>(block.codes[i] >> 4) + m;
  }
}

Block encode_block(const float* x) noexcept {
  const Range range = range_of(x, kValues);
  const float d = (range.high - range.low) / 15.0F;
  const float scale = inverse(d);
  auto code = [&](float value) { return to_code((value - range.low) * scale + 0.5F, 0, 15); };
  Block block;
  block.d = f32_to_f16(d);
  block.m = f32_to_f16(range.low);
  for (int i = 0; i < kHalf; ++i) {
    block.codes[i] = static_cast<uint8_t>(code(x[i]) | (code(x[i + kHalf]) << 4));
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

WeightForm quant_q4_1();
WeightForm quant_q4_1() { return block_form("q4_1", ActivationForm::kQ8, {DType::kQ4_1, decode, encode}); }

}  // namespace brisk::quant
