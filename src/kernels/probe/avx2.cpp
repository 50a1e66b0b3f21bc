// Probes for AVX2: read bandwidth, f32 multiply-add, int8 multiply-add (maddubs, madd, add: the integer dot
// that this level has). The instructions are written out: the compiler merges equal chains when left to
// itself.
#include <immintrin.h>

#include "kernels/gemm/unroll.hpp"
#include "kernels/probe/variants.hpp"

namespace brisk::kernels::avx2 {
namespace {

constexpr int kChains = 10;

__m256i half_line(const std::byte* p) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

}  // namespace

// Two sequential streams of four lines in turn, no software prefetch.
uint64_t probe_read(const std::byte* data, int64_t bytes) noexcept {
  const int64_t half = bytes / 2 / 256 * 256;
  __m256i sum[8];
  BRISK_UNROLL
  for (int j = 0; j < 8; ++j) sum[j] = _mm256_setzero_si256();
  for (int64_t i = 0; i < half; i += 256) {
    BRISK_UNROLL
    for (int j = 0; j < 8; ++j) sum[j] = _mm256_xor_si256(sum[j], half_line(data + i + 32 * j));
    BRISK_UNROLL
    for (int j = 0; j < 8; ++j) sum[j] = _mm256_xor_si256(sum[j], half_line(data + half + i + 32 * j));
  }
  __m256i all = sum[0];
  BRISK_UNROLL
  for (int j = 1; j < 8; ++j) all = _mm256_xor_si256(all, sum[j]);
  return static_cast<uint64_t>(_mm256_extract_epi64(all, 0) ^ _mm256_extract_epi64(all, 1) ^
                               _mm256_extract_epi64(all, 2) ^ _mm256_extract_epi64(all, 3));
}

int64_t probe_f32(int64_t rounds) noexcept {
  __m256 acc[kChains];
  const __m256 factor = _mm256_set1_ps(0.5f);
  BRISK_UNROLL
  for (int j = 0; j < kChains; ++j) acc[j] = _mm256_set1_ps(static_cast<float>(j));
  for (int64_t i = 0; i < rounds; ++i) {
    BRISK_UNROLL
    for (int j = 0; j < kChains; ++j) asm volatile("vfmadd213ps %1, %1, %0" : "+x"(acc[j]) : "x"(factor));
  }
  __m256 sum = acc[0];
  BRISK_UNROLL
  for (int j = 1; j < kChains; ++j) sum = _mm256_add_ps(sum, acc[j]);
  asm volatile("" : : "x"(sum));
  return rounds * kChains * 8 * 2;
}

int64_t probe_int8(int64_t rounds) noexcept {
  constexpr int kDots = 8;
  __m256i acc[kDots];
  const __m256i factor = _mm256_set1_epi8(3);
  const __m256i ones = _mm256_set1_epi16(1);
  BRISK_UNROLL
  for (int j = 0; j < kDots; ++j) acc[j] = _mm256_set1_epi32(j);
  for (int64_t i = 0; i < rounds; ++i) {
    BRISK_UNROLL
    for (int j = 0; j < kDots; ++j) {
      __m256i product;
      asm volatile("vpmaddubsw %1, %1, %0" : "=x"(product) : "x"(factor));
      asm volatile("vpmaddwd %1, %0, %0" : "+x"(product) : "x"(ones));
      asm volatile("vpaddd %1, %0, %0" : "+x"(acc[j]) : "x"(product));
    }
  }
  __m256i sum = acc[0];
  BRISK_UNROLL
  for (int j = 1; j < kDots; ++j) sum = _mm256_add_epi32(sum, acc[j]);
  asm volatile("" : : "x"(sum));
  return rounds * kDots * 32 * 2;
}

}  // namespace brisk::kernels::avx2
