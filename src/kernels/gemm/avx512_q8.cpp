// Int8 products for AVX-512 VNNI: a tile of 1..12 rows by 16 columns that reads R16 blocks directly.
//
// The idea: a vector of 16 dwords holds four codes of each of 16 columns, so one vpdpbusd multiplies them
// with four broadcast activations and nothing is ever summed across lanes. The weights are one sequential
// stream, unpacked once per block for all rows of the tile, which is why the same tile serves one row at
// the speed of memory and 512 rows near the speed of the multipliers. Software prefetch is what keeps the
// stream flowing while a tall tile computes.
#include <immintrin.h>

#include "kernels/gemm/avx512_r16.hpp"
#include "kernels/gemm/q8_driver.hpp"
#include "kernels/gemm/variants.hpp"

namespace brisk::kernels::avx512 {
namespace {

// Bytes. Sapphire Rapids, one row, share of the read limit (2026-11): 2 KB 93-99 %, 1 KB 90-98, 4 KB 79-98,
// 8 KB 66-91, none 74-92. (A Zen 4 preferred 4 KB by 3 to 5 points.)
constexpr int kPrefetchAhead = 2048;

inline __m512i broadcast4(const int8_t* p) {
  int32_t four;
  std::memcpy(&four, p, 4);
  return _mm512_set1_epi32(four);
}

/// acc[r] += scale_w * scale_x * (start + dot of code vectors [kFirst, kLast)) for every row. The rows take
/// turns at each code vector, so that no dot waits for the one before it.
template <DType kType, int kFirst, int kLast, int kRows>
inline void add_dots(const std::byte* codes, const Q8Cell* x, int start, __m512 scale, __m512* acc) noexcept {
  __m512i dot[kRows];
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r) dot[r] = _mm512_set1_epi32(x[r].start[start]);
  BRISK_UNROLL
  for (int j = kFirst; j < kLast; ++j) {
    const __m512i code = load_code<kType>(codes, j);
    BRISK_UNROLL
    for (int r = 0; r < kRows; ++r)
      dot[r] = _mm512_dpbusd_epi32(dot[r], code, broadcast4(x[r].values + 4 * j));
  }
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r) {
    acc[r] =
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[r]), _mm512_mul_ps(scale, _mm512_set1_ps(x[r].scale)), acc[r]);
  }
}

/// Adds one block of 32 values to every row.
template <DType kType, int kRows>
inline void add_block(const Header& header, const std::byte* sub, const Q8Cell* x, __m512* acc) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  const Scales w = load_scales<kType>(header, sub);
  const std::byte* codes = sub + kLayout.scale_bytes;
  if constexpr (kLayout.scales == 2) {
    add_dots<kType, 0, 4, kRows>(codes, x, 0, w.scale[0], acc);
    add_dots<kType, 4, 8, kRows>(codes, x, 1, w.scale[1], acc);
    return;
  }
  add_dots<kType, 0, 8, kRows>(codes, x, 0, w.scale[0], acc);
  if constexpr (kLayout.has_min) {
    BRISK_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512 sum = _mm512_set1_ps(x[r].scaled_sum);
      acc[r] = kLayout.super() ? _mm512_fnmadd_ps(w.min, sum, acc[r]) : _mm512_fmadd_ps(w.min, sum, acc[r]);
    }
  }
}

template <DType kType, int kRows>
void tile(const std::byte* weight, int64_t blocks, const Q8Cell* cells, float* y, int64_t y_stride,
          int columns, bool resume) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  const __mmask16 mask = static_cast<__mmask16>(0xffff >> (kGroupRows - columns));
  __m512 acc[kRows];
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r)
    acc[r] = _mm512_maskz_loadu_ps(resume ? mask : __mmask16{0}, y + r * y_stride);
  Header header{};
  for (int64_t b = 0; b < blocks; ++b) {
    if (kLayout.super() && b % kLayout.sub_blocks == 0) {
      header = unpack_header<kType>(weight);
      weight += kLayout.header_bytes;
    }
    for (int i = 0; i < kLayout.sub_bytes(); i += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(weight) + kPrefetchAhead + i, _MM_HINT_T0);
    }
    add_block<kType, kRows>(header, weight, cells, acc);
    weight += kLayout.sub_bytes();
    cells += kRows;
  }
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r) _mm512_mask_storeu_ps(y + r * y_stride, mask, acc[r]);
}

template <DType kType>
void run(const GemmArgs& args) noexcept {
  static constexpr Q8Tile kTiles[] = {tile<kType, 1>, tile<kType, 2>,  tile<kType, 3>,  tile<kType, 4>,
                                      tile<kType, 5>, tile<kType, 6>,  tile<kType, 7>,  tile<kType, 8>,
                                      tile<kType, 9>, tile<kType, 10>, tile<kType, 11>, tile<kType, 12>};
  run_tiles<kType, r16_layout(kType).offset>(args, kTiles);
}

#define BRISK_Q8(type, name)                \
  {"gemm_q8_" name "r16_f32_12x16__avx512", \
   Isa::kAvx512,                            \
   name,                                    \
   ActivationForm::kQ8,                     \
   r16_packed_bytes<DType::type>,           \
   r16_pack<DType::type>,                   \
   run<DType::type>,                        \
   kGroupRows}

constexpr GemmVariant kList[] = {
    BRISK_Q8(kQ4_0, "q4_0"), BRISK_Q8(kQ4_1, "q4_1"), BRISK_Q8(kQ5_0, "q5_0"), BRISK_Q8(kQ5_1, "q5_1"),
    BRISK_Q8(kQ8_0, "q8_0"), BRISK_Q8(kQ4_K, "q4_k"), BRISK_Q8(kQ5_K, "q5_k"), BRISK_Q8(kQ6_K, "q6_k"),
};

}  // namespace

std::span<const GemmVariant> gemm_q8_list() { return {kList, sizeof kList / sizeof kList[0]}; }

}  // namespace brisk::kernels::avx512
