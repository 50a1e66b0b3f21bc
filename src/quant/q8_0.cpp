// Q8_0: 32 values in 34 bytes (8.5 bits each), symmetric.
//
//     bytes  0..1   d: scale, f16
//     bytes  2..33  codes: i8, one per value
//
// value = d * code
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 32;

struct Block {
  uint16_t d;
  int8_t codes[kValues];
};
static_assert(sizeof(Block) == 34);

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int i = 0; i < kValues; ++i) y[i] = static_cast<float>(block.codes[i]) * d;
}

Block encode_block(const float* x) noexcept {
  const float d = std::fabs(signed_peak(x, kValues)) / 127.0F;
  const float scale = inverse(d);
  Block block;
  block.d = f32_to_f16(d);
  for (int i = 0; i < kValues; ++i) block.codes[i] = static_cast<int8_t>(round_code(x[i] * scale, -127, 127));
  return block;
}

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  for_blocks_in<Block, kValues>(blocks, count, out, decode_block);
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  for_blocks_out<Block, kValues>(values, count, out, encode_block);
}

}  // namespace

WeightForm quant_q8_0();
WeightForm quant_q8_0() { return block_form("q8_0", ActivationForm::kQ8, {DType::kQ8_0, decode, encode}); }

}  // namespace brisk::quant
