// Q4_0: 32 values in 18 bytes (4.5 bits each), symmetric around code 8.
//
//     bytes  0..1   d: scale, f16
//     bytes  2..17  codes: byte i holds value i in its low and value i + 16 in its high four bits
//
// value = d * (code - 8)
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 32;
constexpr int kHalf = kValues / 2;

struct Block {
  uint16_t d;
  uint8_t codes[kHalf];
};
static_assert(sizeof(Block) == 18);

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int i = 0; i < kHalf; ++i) {
    y[i] = d * static_cast<float>((block.codes[i] & 15) - 8);
    y[i + kHalf] = d * static_cast<float>((block.codes[i] >> 4) - 8);
  }
}

// The value of the largest magnitude gets code 0, the only code whose distance from 8 is 8.
Block encode_block(const float* x) noexcept {
  const float d = signed_peak(x, kValues) / -8.0F;
  const float scale = inverse(d);
  auto code = [scale](float value) { return to_code(value * scale + 8.5F, 0, 15); };
  Block block;
  block.d = f32_to_f16(d);
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

WeightForm quant_q4_0();
WeightForm quant_q4_0() { return block_form("q4_0", ActivationForm::kQ8, {DType::kQ4_0, decode, encode}); }

}  // namespace brisk::quant
