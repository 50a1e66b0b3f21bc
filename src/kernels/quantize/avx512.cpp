// The quantiser for AVX-512: a block of 32 is two vectors. Magnitudes are compared as integers, so that an
// infinity or not-a-number is the largest of all.
#include <immintrin.h>

#include "kernels/gemm/gemm.hpp"
#include "kernels/quantize/variants.hpp"

namespace brisk::kernels::avx512 {
namespace {

constexpr uint32_t kInfinity = 0x7f800000;

/// Sums of bytes 0..15 and 16..31.
void store_sums(__m256i bytes, int32_t* sums) noexcept {
  __m256i fours = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), bytes);
  fours = _mm256_add_epi32(fours, _mm256_shuffle_epi32(fours, 0x4e));
  fours = _mm256_add_epi32(fours, _mm256_shuffle_epi32(fours, 0xb1));
  sums[0] = _mm256_extract_epi32(fours, 0);
  sums[1] = _mm256_extract_epi32(fours, 4);
}

void quantize_block(const float* x, int8_t* values, float* scale, int32_t* sums) noexcept {
  const __m512 low = _mm512_loadu_ps(x), high = _mm512_loadu_ps(x + 16);
  const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
  const __m512i larger = _mm512_max_epu32(_mm512_and_si512(_mm512_castps_si512(low), magnitude),
                                          _mm512_and_si512(_mm512_castps_si512(high), magnitude));
  const uint32_t bits = _mm512_reduce_max_epu32(larger);
  const float largest = __builtin_bit_cast(float, bits);
  const bool finite = bits < kInfinity;
  const bool used = finite && largest >= kSmallestMagnitude;
  *scale = used ? largest / 127.0f : finite ? 0.0f : __builtin_nanf("");
  const __m512 inverse = _mm512_set1_ps(used ? 127.0f / largest : 0.0f);
  const __mmask16 keep = finite ? 0xffff : 0;  // not-a-number times zero is not zero
  constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  const __m512i q0 = _mm512_maskz_cvt_roundps_epi32(keep, _mm512_mul_ps(low, inverse), kNearest);
  const __m512i q1 = _mm512_maskz_cvt_roundps_epi32(keep, _mm512_mul_ps(high, inverse), kNearest);
  const __m256i bytes = _mm256_set_m128i(_mm512_cvtepi32_epi8(q1), _mm512_cvtepi32_epi8(q0));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(values), bytes);
  store_sums(bytes, sums);
}

}  // namespace

void quantize(const QuantizeArgs& args) noexcept {
  const int64_t blocks = args.k / kQ8Block;
  for (int64_t r = 0; r < args.rows; ++r) {
    for (int64_t b = 0; b < blocks; ++b) {
      quantize_block(args.x + r * args.x_stride + b * kQ8Block,
                     args.values + r * q8_value_stride(args.k) + b * kQ8Block, args.scales + r * blocks + b,
                     args.sums + (r * blocks + b) * 2);
    }
  }
}

void residual(const ResidualArgs& args) noexcept {
  for (int64_t i = 0; i < args.k; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(args.values + i));
    const __m512 q = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
    const __m512 scale = _mm512_set1_ps(args.scales[i / kQ8Block]);
    _mm512_storeu_ps(args.out + i, _mm512_fnmadd_ps(scale, q, _mm512_loadu_ps(args.x + i)));
  }
}

}  // namespace brisk::kernels::avx512
