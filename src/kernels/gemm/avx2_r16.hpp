// Unpacking of R16 blocks with AVX2: a 64-byte vector of the layout is read as two halves of 8 columns.
// Internal linkage on purpose: only the avx2 files include this.
#pragma once

#include <immintrin.h>

#include "kernels/gemm/r16.hpp"
#include "kernels/gemm/unroll.hpp"

namespace brisk::kernels::avx2 {
namespace {

constexpr int kHalfRows = kGroupRows / 2;

inline __m256i load(const std::byte* p) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
inline __m256 load_halves(const std::byte* p) noexcept {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline __m128i load_bytes(const std::byte* p) noexcept {
  return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
}
inline __m256 unsigned_bytes(const std::byte* p) noexcept {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(load_bytes(p)));
}
inline __m256 signed_bytes(const std::byte* p) noexcept {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load_bytes(p)));
}

/// Moves bit `from` of each byte to bit 4; neighbours fall in too.
inline __m256i shift_to_bit4(__m256i high, int from) noexcept {
  return from <= 4 ? _mm256_slli_epi32(high, 4 - from) : _mm256_srli_epi32(high, from - 4);
}

/// Codes 4 j .. 4 j + 3 of 8 columns; `codes` is the start of the codes in the sub-block.
template <DType kType>
inline __m256i load_code(const std::byte* codes, int j, int half) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  const std::byte* p = codes + 32 * half;
  if constexpr (kLayout.code_bytes == 512) return load(p + 64 * j);
  const __m256i both = load(p + 64 * (j % 4));
  __m256i code = _mm256_and_si256(j < 4 ? both : _mm256_srli_epi32(both, 4), _mm256_set1_epi8(15));
  if constexpr (kLayout.high_bytes == 64) {
    const __m256i high = shift_to_bit4(load(p + 256), j);
    code = _mm256_or_si256(code, _mm256_and_si256(high, _mm256_set1_epi8(16)));
  } else if constexpr (kLayout.high_bytes == 128) {
    const __m256i high = shift_to_bit4(load(p + 256 + 64 * (j / 4)), 2 * (j % 4));
    code = _mm256_or_si256(code, _mm256_and_si256(high, _mm256_set1_epi8(48)));
  }
  return code;
}

struct Scales {
  __m256 scale[2];
  __m256 min;  ///< K-quants: to be subtracted
};

/// Scales of 8 columns; `block` holds the header of K-quants, `sub` is the start of the sub-block.
template <DType kType>
inline Scales load_scales(const std::byte* block, const std::byte* sub, int half) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  Scales s{};
  if constexpr (kLayout.super()) {
    const std::byte* p = sub + kHalfRows * half;
    const __m256 d = load_halves(block + 2 * kHalfRows * half);
    if constexpr (kLayout.scales == 2) {
      s.scale[0] = _mm256_mul_ps(d, signed_bytes(p));
      s.scale[1] = _mm256_mul_ps(d, signed_bytes(p + kGroupRows));
    } else {
      s.scale[0] = _mm256_mul_ps(d, unsigned_bytes(p));
      s.min = _mm256_mul_ps(load_halves(block + 2 * (kGroupRows + kHalfRows * half)),
                            unsigned_bytes(p + kGroupRows));
    }
  } else {
    s.scale[0] = load_halves(sub + 2 * kHalfRows * half);
    if constexpr (kLayout.has_min) s.min = load_halves(sub + 2 * (kGroupRows + kHalfRows * half));
  }
  return s;
}

/// Lanes of 8 that hold columns below `columns`, for masked loads and stores.
inline __m256i column_mask(int columns) noexcept {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(columns), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

}  // namespace
}  // namespace brisk::kernels::avx2
