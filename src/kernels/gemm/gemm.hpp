// Matrix products with weights of any form: y[m, n] = x[m, k] * W[n, k]^T.
//
// A variant serves one weight form, one form of the activations and one ISA level. It repacks the weight's
// components once at load into the layout it wants and computes any range of output columns for any number
// of rows. A form without variants is served by the one that decodes rows as they come (variants.hpp).
//
// The row law: each output is made by one fixed sequence of operations that depends on k and the weight
// form only, never on the number of rows, the tile that a row falls into, or the range of columns. For
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
#include "quant/activation_form.hpp"

namespace brisk {
struct Weight;
namespace quant {
struct WeightForm;
}
}  // namespace brisk

namespace brisk::kernels {

using quant::ActivationForm;

inline constexpr int64_t kQ8Block = 32;

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
  const Weight* weight;     ///< as the file holds it, [n, k], checked by its form
  const std::byte* packed;  ///< what the same variant packed; null for variants that pack nothing
  int64_t n;                ///< rows of the weight = columns of the output
  int64_t k;                ///< width of the activations
  int64_t m;                ///< rows of the activations
  const float* x_f32;       ///< [m, k] for ActivationForm::kF32, else null
  int64_t x_stride;         ///< floats between rows of x_f32
  Q8Rows x_q8;              ///< for ActivationForm::kQ8
  float* y;                 ///< [m, y_stride]
  int64_t y_stride;
  int64_t n_begin, n_end;    ///< columns to compute; n_begin is a multiple of GemmVariant::columns
  float* scratch = nullptr;  ///< GemmVariant::scratch_floats floats of the calling lane's own
};

/// Column ranges that are packed begin at multiples of this.
inline constexpr int64_t kGemmColumns = 64;

struct GemmVariant {
  const char* name;  ///< op_in_weight_out_tile__isa, e.g. "gemm_q8_q4_1r16_f32_12x16__avx512"
  Isa isa;
  const char* form;  ///< name of the weight form that it serves (quant/weight_form.hpp); null: any form
  ActivationForm activations;
  /// Bytes of the packed weight (rows padded as the layout wants); null with `pack`.
  int64_t (*packed_bytes)(const Weight& weight) noexcept;
  /// Packs rows [n_begin, n_end) (n_begin a multiple of kGemmColumns) of the weight into `packed`, which
  /// begins at row 0. Null: the variant reads the weight as it is.
  void (*pack)(const Weight& weight, int64_t n_begin, int64_t n_end, std::byte* packed) noexcept;
  void (*run)(const GemmArgs& args) noexcept;
  /// GemmArgs::n_begin must be a multiple of this (a divisor of kGemmColumns): lanes share the columns in
  /// such units.
  int64_t columns = kGemmColumns;
  /// Floats of scratch that each lane needs for rows of k values; null: none.
  int64_t (*scratch_floats)(int64_t k) noexcept = nullptr;
};

/// Every variant compiled in: those of one form first, the best first within each (form, activations) pair;
/// then those of any form, best first.
std::span<const GemmVariant> gemm_variants();
/// The best variant up to `isa`: the form's own, else one that decodes its rows (f32 activations only). Null
/// when there is none: integer activations and a form without a kernel for them.
const GemmVariant* find_gemm(const quant::WeightForm& form, ActivationForm activations, Isa isa);

}  // namespace brisk::kernels
