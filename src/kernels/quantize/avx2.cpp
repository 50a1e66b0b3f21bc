// The quantiser for AVX2: a block of 32 is four vectors. Magnitudes are compared as integers, so that an
// infinity or not-a-number is the largest of all.
#include <immintrin.h>

#include "kernels/gemm/gemm.hpp"
#include "kernels/quantize/variants.hpp"

namespace brisk::kernels::avx2 {
namespace {

constexpr uint32_t kInfinity = 0x7f800000;

uint32_t reduce_max(__m256i v) noexcept {
  __m128i m = _mm_max_epu32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  m = _mm_max_epu32(m, _mm_shuffle_epi32(m, 0x4e));
  m = _mm_max_epu32(m, _mm_shuffle_epi32(m, 0xb1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(m));
}

int32_t reduce_add(__m256i v) noexcept {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}

uint32_t largest_magnitude(const __m256* x) noexcept {
  const __m256i mask = _mm256_set1_epi32(0x7fffffff);
  __m256i largest = _mm256_setzero_si256();
  for (int i = 0; i < 4; ++i) {
    largest = _mm256_max_epu32(largest, _mm256_and_si256(_mm256_castps_si256(x[i]), mask));
  }
  return reduce_max(largest);
}

/// Rounds to nearest even whatever the rounding mode; `keep` is all ones, or zero for a block that is not
/// finite.
__m256i round_scaled(__m256 x, __m256 inverse, __m256i keep) noexcept {
  const __m256 rounded =
      _mm256_round_ps(_mm256_mul_ps(x, inverse), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  return _mm256_and_si256(_mm256_cvtps_epi32(rounded), keep);
}

/// 16 integers in -127..127 to bytes, in order.
__m128i to_bytes(__m256i low, __m256i high) noexcept {
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
  return _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

void quantize_block(const float* p, int8_t* values, float* scale, int32_t* sums) noexcept {
  const __m256 x[4] = {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8), _mm256_loadu_ps(p + 16),
                       _mm256_loadu_ps(p + 24)};
  const uint32_t bits = largest_magnitude(x);
  const float largest = __builtin_bit_cast(float, bits);
  const bool finite = bits < kInfinity;
  const bool used = finite && largest >= kSmallestMagnitude;
  *scale = used ? largest / 127.0f : finite ? 0.0f : __builtin_nanf("");
  const __m256 inverse = _mm256_set1_ps(used ? 127.0f / largest : 0.0f);
  const __m256i keep = _mm256_set1_epi32(finite ? -1 : 0);
  for (int half = 0; half < 2; ++half) {
    const __m256i q0 = round_scaled(x[2 * half], inverse, keep);
    const __m256i q1 = round_scaled(x[2 * half + 1], inverse, keep);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(values + 16 * half), to_bytes(q0, q1));
    sums[half] = reduce_add(_mm256_add_epi32(q0, q1));
  }
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
  for (int64_t i = 0; i < args.k; i += 8) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(args.values + i));
    const __m256 q = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
    const __m256 scale = _mm256_set1_ps(args.scales[i / kQ8Block]);
    _mm256_storeu_ps(args.out + i, _mm256_fnmadd_ps(scale, q, _mm256_loadu_ps(args.x + i)));
  }
}

}  // namespace brisk::kernels::avx2
