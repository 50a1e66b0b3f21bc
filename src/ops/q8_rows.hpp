// How rows of int8 activations lie in an arena buffer: values, then scales, then sums, each sized for the
// largest number of rows. Row r of the activations is rows 2r (quantised) and 2r + 1 (its residual, quantised
// again). docs/design/activations.md says why one int8 row is not enough.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/checked.hpp"
#include "kernels/gemm/gemm.hpp"

namespace brisk::ops {

struct Q8Layout {
  int64_t scales_offset, sums_offset, bytes;
};

/// Int8 rows per row of activations.
inline constexpr int64_t kQ8Terms = 2;

/// For `rows` rows of activations.
constexpr Q8Layout q8_layout(int64_t rows, int64_t k) {
  rows *= kQ8Terms;
  const int64_t scales = round_up(rows * kernels::q8_value_stride(k), 64);
  const int64_t sums = scales + round_up(rows * (k / 32) * 4, 64);
  return {scales, sums, sums + round_up(rows * (k / 16) * 4, 64)};
}

constexpr int64_t q8_rows_bytes(int64_t rows, int64_t k) { return q8_layout(rows, k).bytes; }

/// The int8 rows in the buffer at `base` that was sized for `most_rows` rows of activations.
inline kernels::Q8Rows q8_rows_at(const std::byte* base, int64_t most_rows, int64_t k) {
  const Q8Layout layout = q8_layout(most_rows, k);
  return {reinterpret_cast<const int8_t*>(base), reinterpret_cast<const float*>(base + layout.scales_offset),
          reinterpret_cast<const int32_t*>(base + layout.sums_offset), kernels::q8_value_stride(k)};
}

}  // namespace brisk::ops
