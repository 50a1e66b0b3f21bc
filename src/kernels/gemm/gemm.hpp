// Matrix products with quantised (or plain) weights: y[m, n] = x[m, k] * W[n, k]^T.
//
// A variant serves one weight type, one form of the activations and one ISA level. It repacks the file's
// blocks once at load into the layout it wants and computes any range of output columns for any number of
// rows.
//
// The row law: each output is made by one fixed sequence of operations that depends on k and the weight
// type only, never on the number of rows, the tile that a row falls into, or the range of columns. For
// int8 activations that sequence is, per block of 32 along k, in order:
//     idot  = exact integer sum of code * activation (codes unsigned, offset folded in exactly)
//     acc   = fma(float(idot), scale_w * scale_x, acc)          [scale_w: per 32 or per 16 values]
//     acc   = fma(min_w, scale_x * float(sum of activations), acc)   only for types with a minimum
// and for f32 activations   acc = fma(w[k], x[k], acc), k = 0, 1, 2, ...
// so every ISA level gives the same bits as the reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.hpp"
#include "tensor/dtype.hpp"

namespace brisk::kernels {

inline constexpr int64_t kQ8Block = 32;

/// What a product reads its activations as.
enum class ActivationForm : uint8_t {
  kF32,  ///< rows of f32
  kQ8,   ///< rows of int8 with one f32 scale per 32 values (kernels/quantize)
};

/// Rows of int8 activations. Row r of `values` starts at r * value_stride (k plus padding: rows a power of
/// two apart would share cache sets); scales and sums have one row of k / 32 (k / 16 for sums) each.
struct Q8Rows {
  const int8_t* values;  ///< [rows, value_stride], each in -127..127
  const float* scales;   ///< [rows, k / 32]
  const int32_t* sums;   ///< [rows, k / 16] sums of 16 neighbouring values
  int64_t value_stride;
};

/// Bytes between rows of Q8Rows::values for width k.
constexpr int64_t q8_value_stride(int64_t k) { return (k + 63) / 64 * 64 + 64; }

struct GemmArgs {
  const std::byte* weight;  ///< packed by the same variant (native blocks for the reference)
  int64_t n;                ///< rows of the weight = columns of the output
  int64_t k;                ///< width of the activations
  int64_t m;                ///< rows of the activations
  const float* x_f32;       ///< [m, k] for ActivationForm::kF32, else null
  int64_t x_stride;         ///< floats between rows of x_f32
  Q8Rows x_q8;              ///< for ActivationForm::kQ8
  float* y;                 ///< [m, y_stride]
  int64_t y_stride;
  int64_t n_begin, n_end;  ///< columns to compute; n_begin is a multiple of GemmVariant::columns
};

/// Column ranges that are packed begin at multiples of this.
inline constexpr int64_t kGemmColumns = 64;

struct GemmVariant {
  const char* name;  ///< op_in_weight_out_tile__isa, e.g. "gemm_q8_q4_1r16_f32_12x16__avx512"
  Isa isa;
  DType weight;
  ActivationForm activations;
  /// Bytes of the packed weight of n rows of k values (n padded as the layout wants).
  int64_t (*packed_bytes)(int64_t n, int64_t k) noexcept;
  /// Packs rows [n_begin, n_end) (n_begin a multiple of kGemmColumns) of the native blocks into `packed`,
  /// which begins at row 0. Null: the variant reads the native blocks directly.
  void (*pack)(const std::byte* native, int64_t n, int64_t k, int64_t n_begin, int64_t n_end,
               std::byte* packed) noexcept;
  void (*run)(const GemmArgs& args) noexcept;
  /// GemmArgs::n_begin must be a multiple of this (a divisor of kGemmColumns): lanes share the columns in
  /// such units.
  int64_t columns = kGemmColumns;
};

/// Every variant compiled in, best first within each (weight, activations) pair.
std::span<const GemmVariant> gemm_variants();
/// The best variant up to `isa`, or null when the pair is not offered (int8 activations with plain
/// F32, F16 or BF16 weights).
const GemmVariant* find_gemm(DType weight, ActivationForm activations, Isa isa);

}  // namespace brisk::kernels
