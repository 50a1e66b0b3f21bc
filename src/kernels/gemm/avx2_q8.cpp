// Int8 products for AVX2: a tile of 1..4 rows by 16 columns, each block as two halves of 8 columns, on the
// same R16 blocks as AVX-512.
//
// The only 8-bit multiply-add, maddubs (unsigned * signed), saturates its 16-bit sums of two products, so
// the number of steps that may be added in 16 bits depends on the codes: 2 * code_max * 127 * steps must stay
// below 2^15. That gives 8 steps for 4-bit codes (30480), 4 for 5-bit (31496), 2 for 6-bit (32004). Q8_0
// multiplies |w| <= 128 with x of w's sign instead (32512, one step): activations are never -128.
#include <immintrin.h>

#include "kernels/gemm/avx2_r16.hpp"
#include "kernels/gemm/q8_driver.hpp"
#include "kernels/gemm/variants.hpp"

namespace brisk::kernels::avx2 {
namespace {

constexpr int kPrefetchAhead = 2048;
constexpr int kTileRows = 4;

template <DType kType>
constexpr bool kSigned = kType == DType::kQ8_0;

/// Steps of four values that are summed in 16 bits.
template <DType kType>
constexpr int kSteps = kSigned<kType> ? 1 : 32767 / (2 * 127 * r16_layout(kType).code_max());
static_assert(kSteps<DType::kQ4_0> == 8 && kSteps<DType::kQ5_0> == 4 && kSteps<DType::kQ6_K> == 2);

inline __m256i broadcast4(const int8_t* p) noexcept {
  int32_t four;
  std::memcpy(&four, p, 4);
  return _mm256_set1_epi32(four);
}

/// dot[r] = start + sums of vectors [kFirst, kLast) for every row.
template <DType kType, int kFirst, int kLast, int kRows>
inline void dots(const std::byte* codes, int half, const Q8Cell* x, int start, __m256i* dot) noexcept {
  const __m256i ones = _mm256_set1_epi16(1);
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r) dot[r] = _mm256_set1_epi32(kSigned<kType> ? 0 : x[r].start[start]);
  constexpr int kRun = kSteps<kType> < kLast - kFirst ? kSteps<kType> : kLast - kFirst;
  BRISK_UNROLL
  for (int first = kFirst; first < kLast; first += kRun) {
    __m256i sum[kRows];
    BRISK_UNROLL
    for (int j = first; j < first + kRun; ++j) {
      __m256i w = load_code<kType>(codes, j, half);
      const __m256i sign = kSigned<kType> ? _mm256_xor_si256(w, _mm256_set1_epi8(-128)) : w;
      if constexpr (kSigned<kType>) w = _mm256_abs_epi8(sign);
      BRISK_UNROLL
      for (int r = 0; r < kRows; ++r) {
        __m256i four = broadcast4(x[r].values + 4 * j);
        if constexpr (kSigned<kType>) four = _mm256_sign_epi8(four, sign);
        const __m256i products = _mm256_maddubs_epi16(w, four);
        sum[r] = j == first ? products : _mm256_add_epi16(sum[r], products);
      }
    }
    BRISK_UNROLL
    for (int r = 0; r < kRows; ++r) dot[r] = _mm256_add_epi32(dot[r], _mm256_madd_epi16(sum[r], ones));
  }
}

template <int kRows>
inline void add_scaled(const __m256i* dot, __m256 scale, const Q8Cell* x, __m256* acc) noexcept {
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m256 both = _mm256_mul_ps(scale, _mm256_set1_ps(x[r].scale));
    acc[r] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot[r]), both, acc[r]);
  }
}

template <DType kType, int kRows>
inline void add_half(const std::byte* block, const std::byte* sub, int half, const Q8Cell* x,
                     __m256* acc) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  const Scales w = load_scales<kType>(block, sub, half);
  const std::byte* codes = sub + kLayout.scale_bytes;
  __m256i dot[kRows];
  if constexpr (kLayout.scales == 2) {
    dots<kType, 0, 4, kRows>(codes, half, x, 0, dot);
    add_scaled<kRows>(dot, w.scale[0], x, acc);
    dots<kType, 4, 8, kRows>(codes, half, x, 1, dot);
    add_scaled<kRows>(dot, w.scale[1], x, acc);
    return;
  }
  dots<kType, 0, 8, kRows>(codes, half, x, 0, dot);
  add_scaled<kRows>(dot, w.scale[0], x, acc);
  if constexpr (kLayout.has_min) {
    BRISK_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m256 sum = _mm256_set1_ps(x[r].scaled_sum);
      acc[r] = kLayout.super() ? _mm256_fnmadd_ps(w.min, sum, acc[r]) : _mm256_fmadd_ps(w.min, sum, acc[r]);
    }
  }
}

template <int kRows>
inline void load_outputs(const float* y, int64_t y_stride, int columns, __m256* acc) noexcept {
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r) acc[r] = _mm256_maskload_ps(y + r * y_stride, column_mask(columns));
}

template <int kRows>
inline void store_outputs(float* y, int64_t y_stride, int columns, const __m256* acc) noexcept {
  BRISK_UNROLL
  for (int r = 0; r < kRows; ++r) _mm256_maskstore_ps(y + r * y_stride, column_mask(columns), acc[r]);
}

template <DType kType, int kRows>
void tile(const std::byte* weight, int64_t blocks, const Q8Cell* cells, float* y, int64_t y_stride,
          int columns, bool resume) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  __m256 left[kRows], right[kRows];
  load_outputs<kRows>(y, y_stride, resume ? columns : 0, left);
  load_outputs<kRows>(y + kHalfRows, y_stride, resume ? columns - kHalfRows : 0, right);
  const std::byte* block = weight;
  for (int64_t b = 0; b < blocks; ++b) {
    if (kLayout.super() && b % kLayout.sub_blocks == 0) {
      block = weight;
      weight += kLayout.header_bytes;
    }
    for (int i = 0; i < kLayout.sub_bytes(); i += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(weight) + kPrefetchAhead + i, _MM_HINT_T0);
    }
    add_half<kType, kRows>(block, weight, 0, cells, left);
    add_half<kType, kRows>(block, weight, 1, cells, right);
    weight += kLayout.sub_bytes();
    cells += kRows;
  }
  store_outputs<kRows>(y, y_stride, columns, left);
  store_outputs<kRows>(y + kHalfRows, y_stride, columns - kHalfRows, right);
}

template <DType kType>
void run(const GemmArgs& args) noexcept {
  static constexpr Q8Tile kTiles[kTileRows] = {tile<kType, 1>, tile<kType, 2>, tile<kType, 3>,
                                               tile<kType, 4>};
  run_tiles<kType, r16_layout(kType).offset>(args, kTiles);
}

#define BRISK_Q8(type, name)             \
  {"gemm_q8_" name "r16_f32_4x16__avx2", \
   Isa::kAvx2,                           \
   name,                                 \
   ActivationForm::kQ8,                  \
   r16_packed_bytes<DType::type>,        \
   r16_pack<DType::type>,                \
   run<DType::type>,                     \
   kGroupRows}

constexpr GemmVariant kList[] = {
    BRISK_Q8(kQ4_0, "q4_0"), BRISK_Q8(kQ4_1, "q4_1"), BRISK_Q8(kQ5_0, "q5_0"), BRISK_Q8(kQ5_1, "q5_1"),
    BRISK_Q8(kQ8_0, "q8_0"), BRISK_Q8(kQ4_K, "q4_k"), BRISK_Q8(kQ5_K, "q5_k"), BRISK_Q8(kQ6_K, "q6_k"),
};

}  // namespace

std::span<const GemmVariant> gemm_q8_list() { return {kList, sizeof kList / sizeof kList[0]}; }

}  // namespace brisk::kernels::avx2
