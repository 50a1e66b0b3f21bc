// Products with f32 activations for AVX-512: tiles of 1..6 rows by 64 columns, one fused multiply-add per
// value in the order of k. Four weight vectors per step are shared by all rows, each broadcast activation by
// four columns of vectors: 24 accumulators, 4 weights and 1 broadcast fill the registers.
#include <immintrin.h>

#include "kernels/gemm/avx512_r16.hpp"
#include "kernels/gemm/f32_driver.hpp"
#include "kernels/gemm/variants.hpp"

namespace brisk::kernels::avx512 {
namespace {

constexpr int kPrefetchAhead = 2048;

struct LoadF32 {
  static constexpr int kBytes = 4;
  static __m512 load16(const std::byte* p) noexcept { return _mm512_loadu_ps(p); }
};
struct LoadF16 {
  static constexpr int kBytes = 2;
  static __m512 load16(const std::byte* p) noexcept { return load_halves(p); }
};
struct LoadBf16 {
  static constexpr int kBytes = 2;
  static __m512 load16(const std::byte* p) noexcept {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
};

__mmask16 column_mask(int columns, int vector) noexcept {
  const int left = columns - 16 * vector;
  return static_cast<__mmask16>(left >= 16 ? 0xffff : left <= 0 ? 0 : 0xffff >> (16 - left));
}

template <class Load, int kRows>
void tile(const PanelPiece& piece) noexcept {
  __m512 acc[kRows][4];
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r) {
    BRISK_UNROLL
    for (int v = 0; v < 4; ++v) {
      const __mmask16 mask = piece.resume ? column_mask(piece.columns, v) : __mmask16{0};
      acc[r][v] = _mm512_maskz_loadu_ps(mask, piece.y + r * piece.y_stride + 16 * v);
    }
  }
  const std::byte* panel = piece.panel;
  const float* x = piece.x;
  for (int64_t k = 0; k < piece.count; ++k, panel += kPanelColumns * Load::kBytes) {
    __m512 w[4];
    BRISK_UNROLL
    for (int v = 0; v < 4; ++v) {
      w[v] = Load::load16(panel + 16 * v * Load::kBytes);
      _mm_prefetch(reinterpret_cast<const char*>(panel) + kPrefetchAhead + 16 * v * Load::kBytes,
                   _MM_HINT_T0);
    }
    BRISK_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512 xr = _mm512_set1_ps(x[r * piece.x_stride + k]);
      BRISK_UNROLL
      for (int v = 0; v < 4; ++v) acc[r][v] = _mm512_fmadd_ps(w[v], xr, acc[r][v]);
    }
  }
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r) {
    BRISK_UNROLL
    for (int v = 0; v < 4; ++v) {
      _mm512_mask_storeu_ps(piece.y + r * piece.y_stride + 16 * v, column_mask(piece.columns, v), acc[r][v]);
    }
  }
}

template <class Load>
constexpr PanelTile kTiles[kPanelRows] = {tile<Load, 1>, tile<Load, 2>, tile<Load, 3>,
                                          tile<Load, 4>, tile<Load, 5>, tile<Load, 6>};

template <class Load>
void decode_plain(const GemmArgs& args, int64_t n, int64_t k0, int64_t count, float* panel) noexcept {
  const std::byte* weight = args.packed + (n * args.k + k0 * kPanelColumns) * Load::kBytes;
  for (int64_t i = 0; i < count * kPanelColumns; i += 16) {
    _mm512_store_ps(panel + i, Load::load16(weight + i * Load::kBytes));
  }
}

/// Value = scale * (code - offset) [+ min]; the product is exact, so the one rounding is that of the sum.
template <DType kType>
void decode_sub(const std::byte* block, const std::byte* sub, float* out) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  Header header{};
  if constexpr (kLayout.super()) header = unpack_header<kType>(block);
  const Scales w = load_scales<kType>(header, sub);
  const __m512i offset = _mm512_set1_epi32(kLayout.offset), byte = _mm512_set1_epi32(255);
  BRISK_UNROLL
  for (int j = 0; j < 8; ++j) {
    const __m512i codes = load_code<kType>(sub + kLayout.scale_bytes, j);
    const __m512 scale = kLayout.scales == 2 && j >= 4 ? w.scale[1] : w.scale[0];
    BRISK_UNROLL
    for (unsigned b = 0; b < 4; ++b) {
      const __m512i code = _mm512_and_si512(_mm512_srli_epi32(codes, 8 * b), byte);
      __m512 value = _mm512_mul_ps(scale, _mm512_cvtepi32_ps(_mm512_sub_epi32(code, offset)));
      if constexpr (kLayout.has_min && kLayout.super()) value = _mm512_sub_ps(value, w.min);
      if constexpr (kLayout.has_min && !kLayout.super()) value = _mm512_add_ps(value, w.min);
      _mm512_store_ps(out + (4 * j + b) * kPanelColumns, value);
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

#define BRISK_PLAIN(type, name, load)       \
  {"gemm_f32_" name "p64_f32_6x64__avx512", \
   Isa::kAvx512,                            \
   name,                                    \
   ActivationForm::kF32,                    \
   panel_packed_bytes<load::kBytes>,        \
   panel_pack<load::kBytes>,                \
   run_plain<load>}
#define BRISK_QUANTISED(type, name)         \
  {"gemm_f32_" name "r16_f32_6x64__avx512", \
   Isa::kAvx512,                            \
   name,                                    \
   ActivationForm::kF32,                    \
   r16_packed_bytes<DType::type>,           \
   r16_pack<DType::type>,                   \
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

const GemmVariant gemm_decoded = {"gemm_f32_decoded_f32_6x64__avx512",
                                  Isa::kAvx512,
                                  nullptr,
                                  ActivationForm::kF32,
                                  nullptr,
                                  nullptr,
                                  run_any,
                                  kGemmColumns,
                                  decoded_scratch_floats};

std::span<const GemmVariant> gemm_f32_list() { return {kList, sizeof kList / sizeof kList[0]}; }

}  // namespace brisk::kernels::avx512
