// What is written once for every level on top of its F32x16 (included by simd/avx2.hpp and simd/avx512.hpp).
// What the operations mean, where it is not plain:
//     load / store (uint16_t*)   f16 in memory, round to nearest even; Bf16* the same in bfloat16
//     load (int8_t*)             integers, as floats
//     load_nibbles(p, low, high) 16 bytes: their low four bits minus 8, and their high four bits minus 8
//     load_first / store_first   `count` elements in 0..16; memory past them is not touched, lanes read as 0
//     select(m, yes, no)         per lane
//     lanes_between(b, e)        lanes b <= lane < e, 0 <= b, e <= 16
//     lanes_of(bits)             lane i where bit i of the low 16 is set
//     max(a, b), min(a, b)       b when either is not a number, as the instruction does
//     neg_fma(a, b, c)           c - a * b, rounded once
//     scale_pow2(a, n)           a * 2^n for whole n in -150..128, rounded once
//     interleave / deinterleave  e0 o0 e1 o1 ... to e0 e1 ... and o0 o1 ..., and back
// All of it has equal bits on every level.

namespace brisk::kernels::BRISK_ISA_NAMESPACE {
namespace {

[[gnu::always_inline]] inline void load_nibbles(const uint8_t* p, F32x16& low, F32x16& high) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const auto centred = [](__m128i x) {
    int8_t codes[16];
    const __m128i four = _mm_and_si128(x, _mm_set1_epi8(15));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(codes), _mm_sub_epi8(four, _mm_set1_epi8(8)));
    return load(codes);
  };
  low = centred(bytes);
  high = centred(_mm_srli_epi16(bytes, 4));
}

/// One f16, at any address, in all lanes.
[[gnu::always_inline]] inline F32x16 broadcast_f16(const void* p) {
  uint16_t half;
  __builtin_memcpy(&half, p, sizeof(half));
  return broadcast(_cvtsh_ss(half));
}

/// The sum as one balanced tree: lane i + lane i+8, then +4, +2, +1.
[[gnu::always_inline]] inline float sum_lanes(F32x16 a) {
  const __m256 eight = _mm256_add_ps(low_half(a), high_half(a));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

[[gnu::always_inline]] inline float first_lane(F32x16 a) { return _mm256_cvtss_f32(low_half(a)); }

/// The greatest lane, by the same tree.
[[gnu::always_inline]] inline float max_lane(F32x16 a) {
  const __m256 eight = _mm256_max_ps(low_half(a), high_half(a));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/// exp(x) within 2.4e-7 relative (the tests of silu and of softmax walk both signs): x = n ln 2 + r, |r| <=
/// ln 2 / 2, then a polynomial in r, then the power of two. exp(0) is exactly 1; -inf and all below -104 give
/// 0, above 88.8 gives +inf, not a number stays so. The coefficients are the minimax fit of relative error
/// (1.05e-7) with the first two held at 1.
[[gnu::always_inline]] inline F32x16 exp(F32x16 x) {
  constexpr float kLog2E = 1.44269504F, kLn2High = 0.693147182F, kLn2Low = -1.90465430e-9F;
  constexpr float kRounder = 0x1.8p23F;  // added, it leaves no room for a fraction
  x = min(broadcast(89.0F), max(broadcast(-104.0F), x));
  const F32x16 n = sub(fma(x, broadcast(kLog2E), broadcast(kRounder)), broadcast(kRounder));
  const F32x16 r = neg_fma(n, broadcast(kLn2Low), neg_fma(n, broadcast(kLn2High), x));
  F32x16 p = broadcast(0.008312501013278961F);
  p = fma(p, r, broadcast(0.041890330612659454F));
  p = fma(p, r, broadcast(0.16667115688323975F));
  p = fma(p, r, broadcast(0.499992311000824F));
  p = fma(p, r, broadcast(1.0F));
  p = fma(p, r, broadcast(1.0F));
  return scale_pow2(p, n);
}

}  // namespace
}  // namespace brisk::kernels::BRISK_ISA_NAMESPACE
