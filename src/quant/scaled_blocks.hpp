// What forms of plain 8-bit values share, whose matrix is cut into blocks of rows by columns with one scale
// each (the last of a side may be smaller). A block of one row and all columns is a scale per output, a block
// of everything one scale per tensor.
//
//     scales  F32, F16, BF16 or F8_E8M0 [ceil(n / block_rows), ceil(k / block_columns)]
//
// Settings: block_rows, block_columns.
#pragma once

#include "quant/grouped.hpp"

namespace brisk::quant {

/// The shape of a weight's scales: its blocks down and across.
inline Result<Shape> scaled_blocks(const Weight& weight) {
  BRISK_TRY(check_bounded_matrix(weight));
  BRISK_ASSIGN(const int64_t rows, check_setting(weight, "block_rows", 1, kMostMatrixSide));
  BRISK_ASSIGN(const int64_t columns, check_setting(weight, "block_columns", 1, kMostMatrixSide));
  return Shape{div_up(weight.shape[0], rows), div_up(weight.shape[1], columns)};
}

/// Rows [first_row, first_row + rows) to out [rows, width]: scale of the block * value(row, column, block).
template <typename Value>
void decode_scaled_rows(const Weight& weight, int64_t first_row, int64_t rows, const Value& value,
                        float* out) noexcept {
  const WeightComponent& scales = weight.component("scales");
  const int64_t k = weight.width();
  const int64_t block_rows = *weight.setting("block_rows"), block_columns = *weight.setting("block_columns");
  for (int64_t row = first_row; row < first_row + rows; ++row) {
    int64_t block = row / block_rows * div_up(k, block_columns);
    for (int64_t begin = 0; begin < k; begin += block_columns, ++block) {
      const float scale = scale_at(scales, block);
      const int64_t end = std::min(begin + block_columns, k);
      for (int64_t i = begin; i < end; ++i) *out++ = scale * value(row * k + i, block);
    }
  }
}

}  // namespace brisk::quant
