// The loop nest of the products with f32 activations, shared by the ISA files: panels of 64 columns, pieces
// along k, tiles of a few rows. Weights that are not f32 are decoded into a panel of f32 on the stack, once
// for all rows; plain 16-bit weights are converted in the tile instead when there is only one tile of rows.
//
// Everything here has internal linkage on purpose: each ISA file compiles its own copy with its own flags.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/gemm/gemm.hpp"
#include "kernels/gemm/r16.hpp"
#include "kernels/gemm/unroll.hpp"
#include "kernels/gemm/variants.hpp"

namespace brisk::kernels {
namespace {

constexpr int64_t kPieceValues = 256;  // along k: whole blocks of every type, and a 64 KB panel of f32
constexpr int kPanelRows = 6;          // the tallest tile

/// What a tile multiplies: a panel [count][64] of weights with `count` values of each row of x. The tile
/// computes `columns` (1..64) outputs of each row; `resume` adds to y.
struct PanelPiece {
  const std::byte* panel;
  int64_t count;
  const float* x;
  int64_t x_stride;
  float* y;
  int64_t y_stride;
  int columns;
  bool resume;
};
using PanelTile = void (*)(const PanelPiece&) noexcept;

/// All rows over one piece of one panel, in tiles of nearly equal height.
inline void run_panel_rows(const GemmArgs& args, PanelPiece piece, int64_t n, int64_t k0,
                           const PanelTile (&tiles)[kPanelRows]) noexcept {
  const int64_t count = (args.m + kPanelRows - 1) / kPanelRows;
  for (int64_t t = 0; t < count; ++t) {
    const int64_t row = args.m * t / count;
    piece.x = args.x_f32 + row * args.x_stride + k0;
    piece.y = args.y + row * args.y_stride + n;
    tiles[args.m * (t + 1) / count - row - 1](piece);
  }
}

/// Fills panel[count][64] with columns n .. n + 63, values k0 .. k0 + count - 1.
using DecodePiece = void (*)(const GemmArgs& args, int64_t n, int64_t k0, int64_t count,
                             float* panel) noexcept;

inline void run_decoded(const GemmArgs& args, DecodePiece decode,
                        const PanelTile (&tiles)[kPanelRows]) noexcept {
  alignas(64) float panel[kPieceValues * kPanelColumns];
  for (int64_t n = args.n_begin; n < args.n_end; n += kPanelColumns) {
    const int columns = static_cast<int>(args.n_end - n < kPanelColumns ? args.n_end - n : kPanelColumns);
    if (columns < kPanelColumns) std::memset(panel, 0, sizeof panel);  // groups that do not exist
    for (int64_t k0 = 0; k0 < args.k; k0 += kPieceValues) {
      const int64_t count = args.k - k0 < kPieceValues ? args.k - k0 : kPieceValues;
      decode(args, n, k0, count, panel);
      const PanelPiece piece = {reinterpret_cast<const std::byte*>(panel),
                                count,
                                nullptr,
                                args.x_stride,
                                nullptr,
                                args.y_stride,
                                columns,
                                k0 > 0};
      run_panel_rows(args, piece, n, k0, tiles);
    }
  }
}

/// Columns of a weight of any form, as run_decoded() wants them: whole rows are decoded into the scratch when
/// the first piece is asked for, and turned piece by piece, in squares that stay in the nearest cache.
inline void decode_any(const GemmArgs& args, int64_t n, int64_t k0, int64_t count, float* panel) noexcept {
  constexpr int64_t kSquare = 16;
  const int64_t columns = args.n_end - n < kPanelColumns ? args.n_end - n : kPanelColumns;
  if (k0 == 0) decode_to_scratch(args, n, columns);
  for (int64_t first = 0; first < count; first += kSquare) {
    const int64_t last = count - first < kSquare ? count : first + kSquare;
    for (int64_t c = 0; c < columns; ++c) {
      const float* row = args.scratch + c * args.k + k0;
      for (int64_t i = first; i < last; ++i) panel[i * kPanelColumns + c] = row[i];
    }
  }
}

/// Plain weights of kBytes each, read by the tiles as they stand.
template <int kBytes>
void run_direct(const GemmArgs& args, const PanelTile (&tiles)[kPanelRows]) noexcept {
  for (int64_t n = args.n_begin; n < args.n_end; n += kPanelColumns) {
    const int columns = static_cast<int>(args.n_end - n < kPanelColumns ? args.n_end - n : kPanelColumns);
    for (int64_t k0 = 0; k0 < args.k; k0 += kPieceValues) {
      const int64_t count = args.k - k0 < kPieceValues ? args.k - k0 : kPieceValues;
      const PanelPiece piece = {args.packed + (n * args.k + k0 * kPanelColumns) * kBytes,
                                count,
                                nullptr,
                                args.x_stride,
                                nullptr,
                                args.y_stride,
                                columns,
                                k0 > 0};
      run_panel_rows(args, piece, n, k0, tiles);
    }
  }
}

/// Decodes 32 values of the 16 columns of a group to out[32][64]; `block` holds the header, if any.
using DecodeSub = void (*)(const std::byte* block, const std::byte* sub, float* out) noexcept;

/// A piece of the R16 groups of one panel, as run_decoded() wants it.
template <DType kType, DecodeSub kDecodeSub>
void decode_r16(const GemmArgs& args, int64_t n, int64_t k0, int64_t count, float* panel) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  constexpr int kValues = 32 * kLayout.sub_blocks;
  const int64_t group_bytes = args.k / kValues * kLayout.block_bytes();
  for (int64_t g = 0; g < kPanelColumns / kGroupRows && n + g * kGroupRows < args.n; ++g) {
    const std::byte* block =
        args.packed + (n / kGroupRows + g) * group_bytes + k0 / kValues * kLayout.block_bytes();
    for (int64_t k = 0; k < count; k += kValues, block += kLayout.block_bytes()) {
      for (int s = 0; s < kLayout.sub_blocks; ++s) {
        kDecodeSub(block, block + kLayout.header_bytes + s * kLayout.sub_bytes(),
                   panel + (k + 32 * s) * kPanelColumns + g * kGroupRows);
      }
    }
  }
}

}  // namespace
}  // namespace brisk::kernels
