// F32: IEEE binary32, little-endian, one value per block.
#include <cstring>

#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  if (count > 0) std::memcpy(out, blocks, static_cast<size_t>(count) * sizeof(float));
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  if (count > 0) std::memcpy(out, values, static_cast<size_t>(count) * sizeof(float));
}

}  // namespace

WeightForm quant_f32();
WeightForm quant_f32() { return block_form("f32", ActivationForm::kF32, {DType::kF32, decode, encode}); }

}  // namespace brisk::quant
