// Unpacking of R16 blocks with AVX-512: 32 values of 16 columns at a time. Internal linkage on purpose: only
// the avx512 files include this.
#pragma once

#include <immintrin.h>

#include "kernels/gemm/r16.hpp"
#include "kernels/gemm/unroll.hpp"

namespace brisk::kernels::avx512 {
namespace {

/// Scales of 32 values of 16 columns.
struct Scales {
  __m512 scale[2];
  __m512 min;  ///< K-quants: to be subtracted
};

/// d and dmin of a K-quant's header.
struct Header {
  __m512 d, min;
};

inline __m512i load(const std::byte* p) noexcept { return _mm512_loadu_si512(p); }
inline __m512 load_halves(const std::byte* p) noexcept {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline __m128i load_bytes(const std::byte* p) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
inline __m512 unsigned_bytes(const std::byte* p) noexcept {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(load_bytes(p)));
}
inline __m512 signed_bytes(const std::byte* p) noexcept {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load_bytes(p)));
}

/// Moves bit `from` of each byte to bit 4; neighbours fall in too.
inline __m512i shift_to_bit4(__m512i high, unsigned from) noexcept {
  return from <= 4 ? _mm512_slli_epi32(high, 4 - from) : _mm512_srli_epi32(high, from - 4);
}
/// code | (high & mask) in one instruction.
inline __m512i merge(__m512i code, __m512i high, __m512i mask) noexcept {
  return _mm512_ternarylogic_epi32(code, high, mask, 0xf8);
}

/// Codes 4 j .. 4 j + 3 of 16 columns; `codes` is the start of the codes in the sub-block. Each vector is
/// unpacked just before its use: kept in registers, the eight of a block would push accumulators out.
template <DType kType>
inline __m512i load_code(const std::byte* codes, int j) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  if constexpr (kLayout.code_bytes == 512) return load(codes + 64 * j);
  const __m512i both = load(codes + 64 * (j % 4));
  const __m512i code = _mm512_and_si512(j < 4 ? both : _mm512_srli_epi32(both, 4), _mm512_set1_epi8(15));
  if constexpr (kLayout.high_bytes == 64) {
    return merge(code, shift_to_bit4(load(codes + 256), static_cast<unsigned>(j)), _mm512_set1_epi8(16));
  } else if constexpr (kLayout.high_bytes == 128) {
    const __m512i high = load(codes + 256 + 64 * (j / 4));
    return merge(code, shift_to_bit4(high, static_cast<unsigned>(2 * (j % 4))), _mm512_set1_epi8(48));
  }
  return code;
}

template <DType kType>
inline Header unpack_header(const std::byte* p) noexcept {
  Header header{load_halves(p), _mm512_setzero_ps()};
  if constexpr (r16_layout(kType).has_min) header.min = load_halves(p + 2 * kGroupRows);
  return header;
}

/// `sub` is the start of a sub-block; `header` counts for K-quants only.
template <DType kType>
inline Scales load_scales(const Header& header, const std::byte* sub) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  Scales s{};
  if constexpr (kLayout.scales == 2) {
    s.scale[0] = _mm512_mul_ps(header.d, signed_bytes(sub));
    s.scale[1] = _mm512_mul_ps(header.d, signed_bytes(sub + kGroupRows));
  } else if constexpr (kLayout.super()) {
    s.scale[0] = _mm512_mul_ps(header.d, unsigned_bytes(sub));
    s.min = _mm512_mul_ps(header.min, unsigned_bytes(sub + kGroupRows));
  } else {
    s.scale[0] = load_halves(sub);
    if constexpr (kLayout.has_min) s.min = load_halves(sub + 2 * kGroupRows);
  }
  return s;
}

}  // namespace
}  // namespace brisk::kernels::avx512
