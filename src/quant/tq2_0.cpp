// TQ2_0: 256 values of -1, 0 and 1 in 66 bytes (2.0625 bits each), one scale.
//
//     bytes   0..63   codes of two bits (packing.hpp)
//     bytes  64..65   d: scale, f16
//
// value = d * (code - 1); the code 3 is legal in a file (and means 2 d), but never written
#include <cmath>

#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/packing.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 256;

struct Block {
  uint8_t codes[kValues / 4];
  uint16_t d;
};
static_assert(sizeof(Block) == 66);

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int i = 0; i < kValues; ++i) y[i] = d * static_cast<float>(two_bits(block.codes, i) - 1);
}

Block encode_block(const float* x) noexcept {
  Block block{};
  const float peak = std::fabs(signed_peak(x, kValues));
  block.d = f32_to_f16(peak);
  const float to_code_scale = inverse(peak);
  for (int i = 0; i < kValues; ++i) {
    put_two_bits(block.codes, i, round_code(x[i] * to_code_scale, -1, 1) + 1);
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

WeightForm quant_tq2_0();
WeightForm quant_tq2_0() {
  return block_form("tq2_0", ActivationForm::kF32, {DType::kTQ2_0, decode, encode});
}

}  // namespace brisk::quant
