// Probe of the bf16 dot product; a file of its own because AVX512_BF16 is beyond the avx512 level.
#include <immintrin.h>

#include "kernels/gemm/unroll.hpp"
#include "kernels/probe/variants.hpp"

namespace brisk::kernels::avx512 {

int64_t probe_bf16(int64_t rounds) noexcept {
  constexpr int kChains = 16;
  __m512 acc[kChains];
  const __m512i bits = _mm512_set1_epi16(0x3f00);  // 0.5
  BRISK_UNROLL
  for (int j = 0; j < kChains; ++j) acc[j] = _mm512_set1_ps(static_cast<float>(j));
  for (int64_t i = 0; i < rounds; ++i) {
    BRISK_UNROLL
    for (int j = 0; j < kChains; ++j) asm volatile("vdpbf16ps %1, %1, %0" : "+v"(acc[j]) : "v"(bits));
  }
  __m512 sum = acc[0];
  BRISK_UNROLL
  for (int j = 1; j < kChains; ++j) sum = _mm512_add_ps(sum, acc[j]);
  asm volatile("" : : "v"(sum));
  return rounds * kChains * 32 * 2;
}

}  // namespace brisk::kernels::avx512
