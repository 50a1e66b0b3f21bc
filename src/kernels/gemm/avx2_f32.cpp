// Products with f32 activations for AVX2: tiles of 1..6 rows over panels of 64 columns, in strips of columns
// as wide as 16 registers allow; one fused multiply-add per value in the order of k.
#include <immintrin.h>

#include "kernels/gemm/avx2_r16.hpp"
#include "kernels/gemm/f32_driver.hpp"
#include "kernels/gemm/variants.hpp"

namespace brisk::kernels::avx2 {
namespace {

struct LoadF32 {
  static constexpr int kBytes = 4;
  static __m256 load8(const std::byte* p) noexcept {
    return _mm256_loadu_ps(reinterpret_cast<const float*>(p));
  }
};
struct LoadF16 {
  static constexpr int kBytes = 2;
  static __m256 load8(const std::byte* p) noexcept { return load_halves(p); }
};
struct LoadBf16 {
  static constexpr int kBytes = 2;
  static __m256 load8(const std::byte* p) noexcept {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
};

/// Columns [column, column + 8 kVecs) of the panel.
template <class Load, int kRows, int kVecs>
void strip(const PanelPiece& piece, int column) noexcept {
  __m256 acc[kRows][kVecs];
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r) {
    BRISK_UNROLL
    for (int v = 0; v < kVecs; ++v) {
      const int first = column + 8 * v;
      const __m256i mask = column_mask(piece.resume ? piece.columns - first : 0);
      acc[r][v] = _mm256_maskload_ps(piece.y + r * piece.y_stride + first, mask);
    }
  }
  const std::byte* panel = piece.panel + column * Load::kBytes;
  const float* x = piece.x;
  for (int64_t k = 0; k < piece.count; ++k, panel += kPanelColumns * Load::kBytes) {
    __m256 w[kVecs];
    BRISK_UNROLL
    for (int v = 0; v < kVecs; ++v) w[v] = Load::load8(panel + 8 * v * Load::kBytes);
    BRISK_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m256 xr = _mm256_set1_ps(x[r * piece.x_stride + k]);
      BRISK_UNROLL
      for (int v = 0; v < kVecs; ++v) acc[r][v] = _mm256_fmadd_ps(w[v], xr, acc[r][v]);
    }
  }
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r) {
    BRISK_UNROLL
    for (int v = 0; v < kVecs; ++v) {
      const int first = column + 8 * v;
      _mm256_maskstore_ps(piece.y + r * piece.y_stride + first, column_mask(piece.columns - first),
                          acc[r][v]);
    }
  }
}

template <class Load, int kRows>
void tile(const PanelPiece& piece) noexcept {
  constexpr int kVecs = kRows == 1 ? 8 : kRows <= 3 ? 4 : 2;
  for (int column = 0; column < piece.columns; column += 8 * kVecs) strip<Load, kRows, kVecs>(piece, column);
}

template <class Load>
constexpr PanelTile kTiles[kPanelRows] = {tile<Load, 1>, tile<Load, 2>, tile<Load, 3>,
                                          tile<Load, 4>, tile<Load, 5>, tile<Load, 6>};

template <class Load>
void decode_plain(const GemmArgs& args, int64_t n, int64_t k0, int64_t count, float* panel) noexcept {
  const std::byte* weight = args.packed + (n * args.k + k0 * kPanelColumns) * Load::kBytes;
  for (int64_t i = 0; i < count * kPanelColumns; i += 8) {
    _mm256_store_ps(panel + i, Load::load8(weight + i * Load::kBytes));
  }
}

/// Value = scale * (code - offset) [+ min]; the product is exact, so the one rounding is that of the sum.
template <DType kType>
void decode_sub(const std::byte* block, const std::byte* sub, float* out) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  const __m256i offset = _mm256_set1_epi32(kLayout.offset), byte = _mm256_set1_epi32(255);
  for (int half = 0; half < 2; ++half) {
    const Scales w = load_scales<kType>(block, sub, half);
    BRISK_UNROLL
    for (int j = 0; j < 8; ++j) {
      const __m256i codes = load_code<kType>(sub + kLayout.scale_bytes, j, half);
      const __m256 scale = kLayout.scales == 2 && j >= 4 ? w.scale[1] : w.scale[0];
      BRISK_UNROLL
      for (int b = 0; b < 4; ++b) {
        const __m256i code = _mm256_and_si256(_mm256_srli_epi32(codes, 8 * b), byte);
        __m256 value = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(_mm256_sub_epi32(code, offset)));
        if constexpr (kLayout.has_min && kLayout.super()) value = _mm256_sub_ps(value, w.min);
        if constexpr (kLayout.has_min && !kLayout.super()) value = _mm256_add_ps(value, w.min);
        _mm256_store_ps(out + (4 * j + b) * kPanelColumns + kHalfRows * half, value);
      }
    }
  }
}

template <DType kType>
void run_quantised(const GemmArgs& args) noexcept {
  run_decoded(args, decode_r16<kType, decode_sub<kType>>, kTiles<LoadF32>);
}

template <class Load>
void run_plain(const GemmArgs& args) noexcept {
  if (Load::kBytes == 4 || args.m <= kPanelRows) {
    run_direct<Load::kBytes>(args, kTiles<Load>);
  } else {
    run_decoded(args, decode_plain<Load>, kTiles<LoadF32>);
  }
}

void run_any(const GemmArgs& args) noexcept { run_decoded(args, decode_any, kTiles<LoadF32>); }

#define BRISK_PLAIN(type, name, load)     \
  {"gemm_f32_" name "p64_f32_6x16__avx2", \
   Isa::kAvx2,                            \
   name,                                  \
   ActivationForm::kF32,                  \
   panel_packed_bytes<load::kBytes>,      \
   panel_pack<load::kBytes>,              \
   run_plain<load>}
#define BRISK_QUANTISED(type, name)       \
  {"gemm_f32_" name "r16_f32_6x16__avx2", \
   Isa::kAvx2,                            \
   name,                                  \
   ActivationForm::kF32,                  \
   r16_packed_bytes<DType::type>,         \
   r16_pack<DType::type>,                 \
   run_quantised<DType::type>}

constexpr GemmVariant kList[] = {
    BRISK_PLAIN(kF32, "f32", LoadF32),    BRISK_PLAIN(kF16, "f16", LoadF16),
    BRISK_PLAIN(kBF16, "bf16", LoadBf16), BRISK_QUANTISED(kQ4_0, "q4_0"),
    BRISK_QUANTISED(kQ4_1, "q4_1"),       BRISK_QUANTISED(kQ5_0, "q5_0"),
    BRISK_QUANTISED(kQ5_1, "q5_1"),       BRISK_QUANTISED(kQ8_0, "q8_0"),
    BRISK_QUANTISED(kQ4_K, "q4_k"),       BRISK_QUANTISED(kQ5_K, "q5_k"),
    BRISK_QUANTISED(kQ6_K, "q6_k"),
};

}  // namespace

const GemmVariant gemm_decoded = {"gemm_f32_decoded_f32_6x16__avx2",
                                  Isa::kAvx2,
                                  nullptr,
                                  ActivationForm::kF32,
                                  nullptr,
                                  nullptr,
                                  run_any,
                                  kGemmColumns,
                                  decoded_scratch_floats};

std::span<const GemmVariant> gemm_f32_list() { return {kList, sizeof kList / sizeof kList[0]}; }

}  // namespace brisk::kernels::avx2
