// What a block format is: its geometry, its readable reference decode and encode. One file per format;
// quant/<name>.cpp defines quant_<name>(), and the build lists them (registry.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/dtype.hpp"

namespace brisk::quant {

struct BlockFormat {
  DType dtype;
  /// Decodes `count` values (whole blocks) to f32: the reference that every kernel is judged by.
  void (*decode)(const std::byte* blocks, int64_t count, float* out) noexcept;
  /// Encodes `count` values (whole blocks) by round to nearest with the format's usual scale choice.
  void (*encode)(const float* values, int64_t count, std::byte* out) noexcept;
};

/// All formats, plain F32, F16 and BF16 included.
std::span<const BlockFormat> all_formats();
/// The format of `dtype`, or null when it is not a weight format (integers, booleans).
const BlockFormat* find_format(DType dtype);

}  // namespace brisk::quant
