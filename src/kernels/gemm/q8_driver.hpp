// The loop nest of the int8 products, shared by the ISA files: it cuts the work into tiles of a few rows by
// one group of 16 columns and lays the activations of a tile out as one sequential stream.
//
// Everything here has internal linkage on purpose: each ISA file compiles its own copy with its own flags.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/gemm/gemm.hpp"
#include "kernels/gemm/r16.hpp"

namespace brisk::kernels {
namespace {

/// 32 activations of one row with what their block of weights needs beside them. A tile of m rows reads
/// cells [block][m]: one pointer walks forward, whatever the strides of the caller's rows.
struct Q8Cell {
  int8_t values[32];
  float scale;
  float scaled_sum;  ///< scale * float(sum of values): multiplies the minima
  int32_t start[2];  ///< -offset * sum (of each half where the weights have a scale per 16)
};

constexpr int kCellRows = 12;              // the tallest tile
constexpr int64_t kCellBlocks = 256;       // blocks along k in one pass: the cells of a tile stay in L2
constexpr int64_t kWeightBytes = 1 << 20;  // weights that all tiles of rows pass over while they are in L2

/// One tile: `columns` (1..16) outputs of each row, over `blocks` blocks of 32; `resume` adds to y.
using Q8Tile = void (*)(const std::byte* weight, int64_t blocks, const Q8Cell* cells, float* y,
                        int64_t y_stride, int columns, bool resume) noexcept;

inline int64_t smaller(int64_t a, int64_t b) noexcept { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) noexcept { return a > b ? a : b; }

/// Cells of rows [row, row + rows) and blocks [first, first + blocks). `offset` is what the codes that the
/// tile multiplies are too large by.
template <DType kType, int kOffset>
void fill_cells(const GemmArgs& args, int64_t row, int rows, int64_t first, int64_t blocks,
                Q8Cell* cells) noexcept {
  const Q8Rows& x = args.x_q8;
  for (int r = 0; r < rows; ++r) {
    const int8_t* values = x.values + (row + r) * x.value_stride + first * 32;
    const float* scales = x.scales + (row + r) * (args.k / 32) + first;
    const int32_t* sums = x.sums + (row + r) * (args.k / 16) + first * 2;
    for (int64_t b = 0; b < blocks; ++b) {
      Q8Cell& cell = cells[b * rows + r];
      const int32_t sum = sums[2 * b] + sums[2 * b + 1];
      std::memcpy(cell.values, values + 32 * b, 32);
      cell.scale = scales[b];
      cell.scaled_sum = scales[b] * static_cast<float>(sum);
      constexpr bool kHalves = r16_layout(kType).scales == 2;
      cell.start[0] = -kOffset * (kHalves ? sums[2 * b] : sum);
      cell.start[1] = kHalves ? -kOffset * sums[2 * b + 1] : 0;
    }
  }
}

/// All rows over groups [g0, g1) and blocks [first, first + blocks), in tiles of nearly equal height.
template <DType kType, int kOffset, int kMaxRows>
void run_rows(const GemmArgs& args, const Q8Tile (&tiles)[kMaxRows], int64_t g0, int64_t g1, int64_t first,
              int64_t blocks, Q8Cell* cells) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  const int64_t group_bytes = args.k / (32 * kLayout.sub_blocks) * kLayout.block_bytes();
  const std::byte* weight = args.packed + first / kLayout.sub_blocks * kLayout.block_bytes();
  const int64_t count = (args.m + kMaxRows - 1) / kMaxRows;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t row = args.m * t / count;
    const int rows = static_cast<int>(args.m * (t + 1) / count - row);
    fill_cells<kType, kOffset>(args, row, rows, first, blocks, cells);
    for (int64_t g = g0; g < g1; ++g) {
      const int64_t n = g * kGroupRows;
      tiles[rows - 1](weight + g * group_bytes, blocks, cells, args.y + row * args.y_stride + n,
                      args.y_stride, static_cast<int>(smaller(kGroupRows, args.n_end - n)), first > 0);
    }
  }
}

template <DType kType, int kOffset, int kMaxRows>
void run_tiles(const GemmArgs& args, const Q8Tile (&tiles)[kMaxRows]) noexcept {
  static_assert(kMaxRows <= kCellRows);
  constexpr R16Layout kLayout = r16_layout(kType);
  alignas(64) Q8Cell cells[kCellRows * kCellBlocks];
  const int64_t all_blocks = args.k / 32;
  const int64_t last = (args.n_end + kGroupRows - 1) / kGroupRows;
  for (int64_t first = 0; first < all_blocks; first += kCellBlocks) {
    const int64_t blocks = smaller(kCellBlocks, all_blocks - first);
    const int64_t bytes = blocks / kLayout.sub_blocks * kLayout.block_bytes();
    const int64_t step = larger(4, kWeightBytes / bytes);
    for (int64_t g = args.n_begin / kGroupRows; g < last; g += step) {
      run_rows<kType, kOffset>(args, tiles, g, smaller(g + step, last), first, blocks, cells);
    }
  }
}

}  // namespace
}  // namespace brisk::kernels
