// Probes for AVX-512: read bandwidth, f32 multiply-add, int8 dot. Sixteen independent chains hide the
// latency of two multiply pipes. The instructions are written out, because GCC merged equal chains and copied
// accumulators between registers when left to itself (the limit came out twice too high, then a third too
// low).
#include <immintrin.h>

#include "kernels/gemm/unroll.hpp"
#include "kernels/probe/variants.hpp"

namespace brisk::kernels::avx512 {
namespace {

constexpr int kChains = 16;

__m512i line(const std::byte* p) noexcept { return _mm512_loadu_si512(p); }

}  // namespace

// Two sequential streams of eight lines in turn. No software prefetch: a sparse one disturbs the hardware
// prefetcher and made this probe read a third too low (AMD Zen 4, 2026-11).
uint64_t probe_read(const std::byte* data, int64_t bytes) noexcept {
  const int64_t half = bytes / 2 / 512 * 512;
  __m512i sum[8];
  BRISK_UNROLL
  for (int j = 0; j < 8; ++j) sum[j] = _mm512_setzero_si512();
  for (int64_t i = 0; i < half; i += 512) {
    BRISK_UNROLL
    for (int j = 0; j < 8; ++j) sum[j] = _mm512_xor_si512(sum[j], line(data + i + 64 * j));
    BRISK_UNROLL
    for (int j = 0; j < 8; ++j) sum[j] = _mm512_xor_si512(sum[j], line(data + half + i + 64 * j));
  }
  __m512i all = sum[0];
  BRISK_UNROLL
  for (int j = 1; j < 8; ++j) all = _mm512_xor_si512(all, sum[j]);
  return static_cast<uint64_t>(_mm512_reduce_add_epi64(all));
}

int64_t probe_f32(int64_t rounds) noexcept {
  __m512 acc[kChains];
  const __m512 factor = _mm512_set1_ps(0.5f);
  BRISK_UNROLL
  for (int j = 0; j < kChains; ++j) acc[j] = _mm512_set1_ps(static_cast<float>(j));
  for (int64_t i = 0; i < rounds; ++i) {
    BRISK_UNROLL
    for (int j = 0; j < kChains; ++j) asm volatile("vfmadd213ps %1, %1, %0" : "+v"(acc[j]) : "v"(factor));
  }
  __m512 sum = acc[0];
  BRISK_UNROLL
  for (int j = 1; j < kChains; ++j) sum = _mm512_add_ps(sum, acc[j]);
  asm volatile("" : : "v"(sum));
  return rounds * kChains * 16 * 2;
}

int64_t probe_int8(int64_t rounds) noexcept {
  __m512i acc[kChains];
  const __m512i factor = _mm512_set1_epi8(3);
  BRISK_UNROLL
  for (int j = 0; j < kChains; ++j) acc[j] = _mm512_set1_epi32(j);
  for (int64_t i = 0; i < rounds; ++i) {
    BRISK_UNROLL
    for (int j = 0; j < kChains; ++j) asm volatile("vpdpbusd %1, %1, %0" : "+v"(acc[j]) : "v"(factor));
  }
  __m512i sum = acc[0];
  BRISK_UNROLL
  for (int j = 1; j < kChains; ++j) sum = _mm512_add_epi32(sum, acc[j]);
  asm volatile("" : : "v"(sum));
  return rounds * kChains * 64 * 2;
}

}  // namespace brisk::kernels::avx512
