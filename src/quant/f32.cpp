// F32: IEEE binary32, little-endian, one value per block.
#include <cstring>

#include "quant/block_format.hpp"

namespace brisk::quant {

namespace {

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  if (count > 0) std::memcpy(out, blocks, static_cast<size_t>(count) * sizeof(float));
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  if (count > 0) std::memcpy(out, values, static_cast<size_t>(count) * sizeof(float));
}

}  // namespace

BlockFormat quant_f32();
BlockFormat quant_f32() { return {DType::kF32, decode, encode}; }

}  // namespace brisk::quant
