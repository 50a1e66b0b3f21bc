// Sixteen floats in one AVX-512 register. Only for files compiled at that level; see simd/common.inl for what
// each operation means.
#pragma once

#include <cstdint>

#include "kernels/simd/elements.hpp"
#include "kernels/simd/intrinsics.hpp"

namespace brisk::kernels::avx512 {
namespace {

struct F32x16 {
  __m512 v;
};
struct Mask16 {
  __mmask16 bits;
};

[[gnu::always_inline]] inline Mask16 first_lanes(int64_t count) {
  return {static_cast<__mmask16>((1u << count) - 1u)};
}
[[gnu::always_inline]] inline Mask16 lanes_between(int64_t begin, int64_t end) {
  return {static_cast<__mmask16>(first_lanes(end).bits & ~first_lanes(begin).bits)};
}
[[gnu::always_inline]] inline Mask16 lanes_of(uint64_t bits) { return {static_cast<__mmask16>(bits)}; }

[[gnu::always_inline]] inline F32x16 broadcast(float x) { return {_mm512_set1_ps(x)}; }
[[gnu::always_inline]] inline F32x16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
[[gnu::always_inline]] inline F32x16 load(const uint16_t* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
[[gnu::always_inline]] inline F32x16 load(const int8_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
}
[[gnu::always_inline]] inline F32x16 widen_bf16(__m256i halves) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16))};
}
[[gnu::always_inline]] inline F32x16 load(const Bf16* p) {
  return widen_bf16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
[[gnu::always_inline]] inline F32x16 load_first(const float* p, int64_t count) {
  return {_mm512_maskz_loadu_ps(first_lanes(count).bits, p)};
}
[[gnu::always_inline]] inline F32x16 load_first(const uint16_t* p, int64_t count) {
  return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(count).bits, p))};
}
[[gnu::always_inline]] inline F32x16 load_first(const Bf16* p, int64_t count) {
  return widen_bf16(_mm256_maskz_loadu_epi16(first_lanes(count).bits, p));
}
[[gnu::always_inline]] inline void store(float* p, F32x16 a) { _mm512_storeu_ps(p, a.v); }
[[gnu::always_inline]] inline void store(uint16_t* p, F32x16 a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT));
}
[[gnu::always_inline]] inline __m256i narrow_bf16(F32x16 a) {
  const __m512i bits = _mm512_castps_si512(a.v), high = _mm512_srli_epi32(bits, 16);
  const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
  const __m512i half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF));
  const __m512i rounded = _mm512_srli_epi32(_mm512_add_epi32(bits, half), 16);
  const __m512i quiet = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
  const __mmask16 nan = _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_mask_blend_epi32(nan, rounded, quiet));
}
[[gnu::always_inline]] inline void store(Bf16* p, F32x16 a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow_bf16(a));
}
[[gnu::always_inline]] inline void store_first(Bf16* p, F32x16 a, int64_t count) {
  _mm256_mask_storeu_epi16(p, first_lanes(count).bits, narrow_bf16(a));
}
[[gnu::always_inline]] inline void store_first(float* p, F32x16 a, int64_t count) {
  _mm512_mask_storeu_ps(p, first_lanes(count).bits, a.v);
}
[[gnu::always_inline]] inline void store_first(uint16_t* p, F32x16 a, int64_t count) {
  _mm256_mask_storeu_epi16(p, first_lanes(count).bits, _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT));
}

[[gnu::always_inline]] inline F32x16 add(F32x16 a, F32x16 b) { return {_mm512_add_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline F32x16 sub(F32x16 a, F32x16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline F32x16 mul(F32x16 a, F32x16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline F32x16 div(F32x16 a, F32x16 b) { return {_mm512_div_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline F32x16 fma(F32x16 a, F32x16 b, F32x16 c) {
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
[[gnu::always_inline]] inline F32x16 neg_fma(F32x16 a, F32x16 b, F32x16 c) {
  return {_mm512_fnmadd_ps(a.v, b.v, c.v)};
}
[[gnu::always_inline]] inline F32x16 max(F32x16 a, F32x16 b) { return {_mm512_max_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline F32x16 min(F32x16 a, F32x16 b) { return {_mm512_min_ps(a.v, b.v)}; }
[[gnu::always_inline]] inline F32x16 select(Mask16 m, F32x16 yes, F32x16 no) {
  return {_mm512_mask_blend_ps(m.bits, no.v, yes.v)};
}
[[gnu::always_inline]] inline F32x16 scale_pow2(F32x16 a, F32x16 n) { return {_mm512_scalef_ps(a.v, n.v)}; }

[[gnu::always_inline]] inline void deinterleave(F32x16 a, F32x16 b, F32x16& even, F32x16& odd) {
  const __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odds = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  even = {_mm512_permutex2var_ps(a.v, evens, b.v)};
  odd = {_mm512_permutex2var_ps(a.v, odds, b.v)};
}
[[gnu::always_inline]] inline void interleave(F32x16 even, F32x16 odd, F32x16& a, F32x16& b) {
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  a = {_mm512_permutex2var_ps(even.v, low, odd.v)};
  b = {_mm512_permutex2var_ps(even.v, high, odd.v)};
}

[[gnu::always_inline]] inline __m256 low_half(F32x16 a) { return _mm512_castps512_ps256(a.v); }
[[gnu::always_inline]] inline __m256 high_half(F32x16 a) { return _mm512_extractf32x8_ps(a.v, 1); }

/// Vectors side by side in a register tile of products: 32 registers hold 6 x 4 sums and the operands.
constexpr int kTileVectors = 4;

}  // namespace
}  // namespace brisk::kernels::avx512

// For the kernels that are written once (<family>/<family>.inl).
#define BRISK_ISA_NAMESPACE avx512
#define BRISK_ISA_NAME "avx512"
#define BRISK_ISA_LEVEL Isa::kAvx512
#include "kernels/simd/common.inl"
