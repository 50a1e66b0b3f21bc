// BF16: bfloat16, little-endian, one value per block: the upper half of an IEEE binary32.
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  for_blocks_in<uint16_t, 1>(blocks, count, out, [](uint16_t half, float* y) { *y = bf16_to_f32(half); });
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  for_blocks_out<uint16_t, 1>(values, count, out, [](const float* x) { return f32_to_bf16(*x); });
}

}  // namespace

WeightForm quant_bf16();
WeightForm quant_bf16() { return block_form("bf16", ActivationForm::kF32, {DType::kBF16, decode, encode}); }

}  // namespace brisk::quant
