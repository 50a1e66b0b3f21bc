// How a stream of native blocks is read and written, whatever the shape of its tensor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.hpp"

namespace brisk::quant {

struct BlockFormat {
  DType dtype;
  /// Decodes `count` values (whole blocks) to f32.
  void (*decode)(const std::byte* blocks, int64_t count, float* out) noexcept;
  /// Encodes `count` values (whole blocks) by round to nearest with the format's usual scale choice.
  void (*encode)(const float* values, int64_t count, std::byte* out) noexcept;
};

/// The block format of `dtype`, or null when it is not a weight format (integers, booleans).
const BlockFormat* find_format(DType dtype);

}  // namespace brisk::quant
