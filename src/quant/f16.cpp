// F16: IEEE binary16, little-endian, one value per block.
// 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits.
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  for_blocks_in<uint16_t, 1>(blocks, count, out, [](uint16_t half, float* y) { *y = f16_to_f32(half); });
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  for_blocks_out<uint16_t, 1>(values, count, out, [](const float* x) { return f32_to_f16(*x); });
}

}  // namespace

WeightForm quant_f16();
WeightForm quant_f16() { return block_form("f16", ActivationForm::kF32, {DType::kF16, decode, encode}); }

}  // namespace brisk::quant
