// Sixteen floats in a pair of AVX2 registers. Only for files compiled at that level; see simd/common.inl for
// what each operation means.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/simd/elements.hpp"
#include "kernels/simd/intrinsics.hpp"

namespace brisk::kernels::avx2 {
namespace {

struct F32x16 {
  __m256 lo, hi;
};
struct Mask16 {
  __m256 lo, hi;  // all ones in chosen lanes
};

[[gnu::always_inline]] inline Mask16 lanes_between(int64_t begin, int64_t end) {
  const __m256i low = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i high = _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15);
  const __m256i before = _mm256_set1_epi32(static_cast<int>(begin) - 1);
  const __m256i after = _mm256_set1_epi32(static_cast<int>(end));
  const auto inside = [&](__m256i lane) {
    return _mm256_castsi256_ps(
        _mm256_and_si256(_mm256_cmpgt_epi32(lane, before), _mm256_cmpgt_epi32(after, lane)));
  };
  return {inside(low), inside(high)};
}
[[gnu::always_inline]] inline Mask16 first_lanes(int64_t count) { return lanes_between(0, count); }
[[gnu::always_inline]] inline Mask16 lanes_of(uint64_t bits) {
  const __m256i powers = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const auto chosen = [&](uint64_t eight) {
    const __m256i own = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(eight & 0xFF)), powers);
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(own, powers));
  };
  return {chosen(bits), chosen(bits >> 8)};
}

[[gnu::always_inline]] inline F32x16 broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
[[gnu::always_inline]] inline F32x16 load(const float* p) {
  return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
[[gnu::always_inline]] inline F32x16 load(const uint16_t* p) {
  const auto half = [](const uint16_t* q) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(q)));
  };
  return {half(p), half(p + 8)};
}
[[gnu::always_inline]] inline F32x16 load(const int8_t* p) {
  const auto eight = [](const int8_t* q) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(q))));
  };
  return {eight(p), eight(p + 8)};
}
[[gnu::always_inline]] inline F32x16 load(const Bf16* p) {
  const auto half = [](const Bf16* q) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(q));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
  };
  return {half(p), half(p + 8)};
}
[[gnu::always_inline]] inline F32x16 load_first(const float* p, int64_t count) {
  const Mask16 m = first_lanes(count);
  return {_mm256_maskload_ps(p, _mm256_castps_si256(m.lo)),
          _mm256_maskload_ps(p + 8, _mm256_castps_si256(m.hi))};
}
[[gnu::always_inline]] inline F32x16 load_first(const uint16_t* p, int64_t count) {
  uint16_t whole[16] = {};
  std::memcpy(whole, p, static_cast<size_t>(count) * sizeof(uint16_t));
  return load(whole);
}
[[gnu::always_inline]] inline F32x16 load_first(const Bf16* p, int64_t count) {
  Bf16 whole[16] = {};
  std::memcpy(whole, p, static_cast<size_t>(count) * sizeof(Bf16));
  return load(whole);
}
[[gnu::always_inline]] inline void store(float* p, F32x16 a) {
  _mm256_storeu_ps(p, a.lo);
  _mm256_storeu_ps(p + 8, a.hi);
}
[[gnu::always_inline]] inline void store(uint16_t* p, F32x16 a) {
  const auto half = [](uint16_t* q, __m256 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  };
  half(p, a.lo);
  half(p + 8, a.hi);
}
[[gnu::always_inline]] inline __m256i narrow_bf16(__m256 a) {
  const __m256i bits = _mm256_castps_si256(a), high = _mm256_srli_epi32(bits, 16);
  const __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
  const __m256i half = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF));
  const __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, half), 16);
  const __m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
  return _mm256_blendv_epi8(rounded, quiet, nan);
}
[[gnu::always_inline]] inline void store(Bf16* p, F32x16 a) {
  // Packing works within 128 bits: the 64-bit pieces come out as 0 2 1 3.
  const __m256i packed = _mm256_packus_epi32(narrow_bf16(a.lo), narrow_bf16(a.hi));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permute4x64_epi64(packed, 0b11011000));
}
[[gnu::always_inline]] inline void store_first(Bf16* p, F32x16 a, int64_t count) {
  Bf16 whole[16];
  store(whole, a);
  std::memcpy(p, whole, static_cast<size_t>(count) * sizeof(Bf16));
}
[[gnu::always_inline]] inline void store_first(float* p, F32x16 a, int64_t count) {
  const Mask16 m = first_lanes(count);
  _mm256_maskstore_ps(p, _mm256_castps_si256(m.lo), a.lo);
  _mm256_maskstore_ps(p + 8, _mm256_castps_si256(m.hi), a.hi);
}
[[gnu::always_inline]] inline void store_first(uint16_t* p, F32x16 a, int64_t count) {
  uint16_t whole[16];
  store(whole, a);
  std::memcpy(p, whole, static_cast<size_t>(count) * sizeof(uint16_t));
}

[[gnu::always_inline]] inline F32x16 add(F32x16 a, F32x16 b) {
  return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
}
[[gnu::always_inline]] inline F32x16 sub(F32x16 a, F32x16 b) {
  return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)};
}
[[gnu::always_inline]] inline F32x16 mul(F32x16 a, F32x16 b) {
  return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
}
[[gnu::always_inline]] inline F32x16 div(F32x16 a, F32x16 b) {
  return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)};
}
[[gnu::always_inline]] inline F32x16 fma(F32x16 a, F32x16 b, F32x16 c) {
  return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}
[[gnu::always_inline]] inline F32x16 neg_fma(F32x16 a, F32x16 b, F32x16 c) {
  return {_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
}
[[gnu::always_inline]] inline F32x16 max(F32x16 a, F32x16 b) {
  return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)};
}
[[gnu::always_inline]] inline F32x16 min(F32x16 a, F32x16 b) {
  return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)};
}
[[gnu::always_inline]] inline F32x16 select(Mask16 m, F32x16 yes, F32x16 no) {
  return {_mm256_blendv_ps(no.lo, yes.lo, m.lo), _mm256_blendv_ps(no.hi, yes.hi, m.hi)};
}

// 2^n is not a float for n < -126 or n > 127, so it is applied as 2^h * 2^(n-h), h about n / 2. The first
// product is exact (its result is a normal number), the second rounds once: the bits of AVX-512's scalef.
[[gnu::always_inline]] inline __m256 scale_half(__m256 a, __m256 n) {
  const __m256i whole = _mm256_cvtps_epi32(n);
  const __m256i half = _mm256_srai_epi32(whole, 1);
  const auto power = [](__m256i e) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(127)), 23));
  };
  return _mm256_mul_ps(_mm256_mul_ps(a, power(half)), power(_mm256_sub_epi32(whole, half)));
}
[[gnu::always_inline]] inline F32x16 scale_pow2(F32x16 a, F32x16 n) {
  return {scale_half(a.lo, n.lo), scale_half(a.hi, n.hi)};
}

[[gnu::always_inline]] inline void deinterleave_half(__m256 a, __m256 b, __m256& even, __m256& odd) {
  const auto in_order = [](__m256 x) {  // 64-bit pieces come out as 0 2 1 3
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0b11011000));
  };
  even = in_order(_mm256_shuffle_ps(a, b, 0b10001000));
  odd = in_order(_mm256_shuffle_ps(a, b, 0b11011101));
}
[[gnu::always_inline]] inline void deinterleave(F32x16 a, F32x16 b, F32x16& even, F32x16& odd) {
  deinterleave_half(a.lo, a.hi, even.lo, odd.lo);
  deinterleave_half(b.lo, b.hi, even.hi, odd.hi);
}
[[gnu::always_inline]] inline F32x16 interleave_half(__m256 even, __m256 odd) {
  const __m256 low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
  return {_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31)};
}
[[gnu::always_inline]] inline void interleave(F32x16 even, F32x16 odd, F32x16& a, F32x16& b) {
  a = interleave_half(even.lo, odd.lo);
  b = interleave_half(even.hi, odd.hi);
}

[[gnu::always_inline]] inline __m256 low_half(F32x16 a) { return a.lo; }
[[gnu::always_inline]] inline __m256 high_half(F32x16 a) { return a.hi; }

/// Vectors side by side in a register tile of products: 16 registers hold 6 x 1 sums (two registers each) and
/// the operands.
constexpr int kTileVectors = 1;

}  // namespace
}  // namespace brisk::kernels::avx2

// For the kernels that are written once (<family>/<family>.inl).
#define BRISK_ISA_NAMESPACE avx2
#define BRISK_ISA_NAME "avx2"
#define BRISK_ISA_LEVEL Isa::kAvx2
#include "kernels/simd/common.inl"
