// Unpacking of R16 blocks with AVX-512: 32 values of 16 columns at a time. Internal linkage on purpose: only
// the avx512 files include this.
#pragma once

#include <immintrin.h>

#include "kernels/gemm/r16.hpp"
#include "kernels/gemm/unroll.hpp"

namespace brisk::kernels::avx512 {
namespace {

/// One block of 32 values of 16 columns, unpacked.
struct Weights {
  __m512i code[8];  ///< vector j: values 4 j .. 4 j + 3 of each column
  __m512 scale[2];
  __m512 min;       ///< K-quants: to be subtracted
};

/// d and dmin of a K-quant's header.
struct Header {
  __m512 d, min;
};

inline __m512i load(const std::byte* p) { return _mm512_loadu_si512(p); }
inline __m512 load_halves(const std::byte* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline __m128i load_bytes(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline __m512 unsigned_bytes(const std::byte* p) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(load_bytes(p))); }
inline __m512 signed_bytes(const std::byte* p) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load_bytes(p))); }

/// Moves bit 0 of each code's high bits from bit `kFrom` of the byte to bit 4; neighbours fall in too.
template <int kFrom>
inline __m512i shift_to_bit4(__m512i high) {
  if constexpr (kFrom < 4) return _mm512_slli_epi32(high, 4 - kFrom);
  if constexpr (kFrom > 4) return _mm512_srli_epi32(high, kFrom - 4);
  return high;
}
/// code | (high & mask) in one instruction.
inline __m512i merge(__m512i code, __m512i high, __m512i mask) {
  return _mm512_ternarylogic_epi32(code, high, mask, 0xf8);
}

template <DType kType>
inline void unpack_codes(const std::byte* p, __m512i* code) {
  constexpr R16Layout kLayout = r16_layout(kType);
  if constexpr (kLayout.code_bytes == 512) {
    BRISK_UNROLL
    for (int j = 0; j < 8; ++j) code[j] = load(p + 64 * j);
    return;
  }
  const __m512i nibble = _mm512_set1_epi8(15);
  BRISK_UNROLL
  for (int j = 0; j < 4; ++j) {
    const __m512i both = load(p + 64 * j);
    code[j] = _mm512_and_si512(both, nibble);
    code[4 + j] = _mm512_and_si512(_mm512_srli_epi32(both, 4), nibble);
  }
  if constexpr (kLayout.high_bytes == 64) {
    const __m512i bit = _mm512_set1_epi8(16), high = load(p + 256);
    code[0] = merge(code[0], shift_to_bit4<0>(high), bit);
    code[1] = merge(code[1], shift_to_bit4<1>(high), bit);
    code[2] = merge(code[2], shift_to_bit4<2>(high), bit);
    code[3] = merge(code[3], shift_to_bit4<3>(high), bit);
    code[4] = merge(code[4], shift_to_bit4<4>(high), bit);
    code[5] = merge(code[5], shift_to_bit4<5>(high), bit);
    code[6] = merge(code[6], shift_to_bit4<6>(high), bit);
    code[7] = merge(code[7], shift_to_bit4<7>(high), bit);
  } else if constexpr (kLayout.high_bytes == 128) {
    const __m512i bits = _mm512_set1_epi8(48);
    BRISK_UNROLL
    for (int half = 0; half < 2; ++half) {
      const __m512i high = load(p + 256 + 64 * half);
      code[4 * half + 0] = merge(code[4 * half + 0], shift_to_bit4<0>(high), bits);
      code[4 * half + 1] = merge(code[4 * half + 1], shift_to_bit4<2>(high), bits);
      code[4 * half + 2] = merge(code[4 * half + 2], shift_to_bit4<4>(high), bits);
      code[4 * half + 3] = merge(code[4 * half + 3], shift_to_bit4<6>(high), bits);
    }
  }
}

template <DType kType>
inline Header unpack_header(const std::byte* p) {
  Header header{load_halves(p), _mm512_setzero_ps()};
  if constexpr (r16_layout(kType).has_min) header.min = load_halves(p + 2 * kGroupRows);
  return header;
}

/// `p` is the start of a sub-block; `header` counts for K-quants only.
template <DType kType>
inline void unpack(const Header& header, const std::byte* p, Weights& w) {
  constexpr R16Layout kLayout = r16_layout(kType);
  if constexpr (kLayout.scales == 2) {
    w.scale[0] = _mm512_mul_ps(header.d, signed_bytes(p));
    w.scale[1] = _mm512_mul_ps(header.d, signed_bytes(p + kGroupRows));
  } else if constexpr (kLayout.super()) {
    w.scale[0] = _mm512_mul_ps(header.d, unsigned_bytes(p));
    w.min = _mm512_mul_ps(header.min, unsigned_bytes(p + kGroupRows));
  } else {
    w.scale[0] = load_halves(p);
    if constexpr (kLayout.has_min) w.min = load_halves(p + 2 * kGroupRows);
  }
  unpack_codes<kType>(p + kLayout.scale_bytes, w.code);
}

}  // namespace
}  // namespace brisk::kernels::avx512
