// Readers of the file's native blocks: 32 values of one row taken apart into codes, scales and minimum.
// The reference product and the packers share them. The layouts are those of GGUF:
//     Q4_0  f16 d, u8 qs[16]                    value i in the low nibble of qs[i], i + 16 in the high one
//     Q4_1  f16 d, f16 m, u8 qs[16]
//     Q5_0  f16 d, u32 qh, u8 qs[16]            bit i of qh is bit 4 of value i
//     Q5_1  f16 d, f16 m, u32 qh, u8 qs[16]
//     Q8_0  f16 d, i8 qs[32]
//     Q4_K  f16 d, f16 dmin, u8 scales[12], u8 qs[128]
//     Q5_K  f16 d, f16 dmin, u8 scales[12], u8 qh[32], u8 qs[128]
//     Q6_K  u8 ql[128], u8 qh[64], i8 scales[16], f16 d
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/gemm/r16.hpp"

namespace brisk::kernels {

/// 32 neighbouring values of a row.
struct NativeSub {
  uint8_t code[32];  ///< unsigned, R16Layout::offset included
  uint16_t d, m;     ///< bits of the f16 scale and minimum (dmin for K-quants)
  int8_t scale[2];   ///< K-quants: integer scales of values 0..15 and 16..31
  uint8_t min;       ///< K-quants: integer minimum
};

inline const uint8_t* native_bytes(const std::byte* p) { return reinterpret_cast<const uint8_t*>(p); }

inline uint16_t native_u16(const uint8_t* p) {
  uint16_t bits;
  std::memcpy(&bits, p, sizeof bits);
  return bits;
}

inline void read_nibbles(const uint8_t* qs, uint8_t* code) {
  for (int i = 0; i < 16; ++i) {
    code[i] = qs[i] & 15;
    code[16 + i] = qs[i] >> 4;
  }
}

inline void add_fifth_bits(const uint8_t* qh, uint8_t* code) {
  for (int i = 0; i < 32; ++i) code[i] |= static_cast<uint8_t>((qh[i / 8] >> (i % 8) & 1) << 4);
}

/// The 6-bit scale and minimum of sub-block j, spread over 12 bytes: the low six bits of bytes 0..3 and
/// 4..7 for j < 4; for j >= 4 the nibbles of bytes 8..11 with the top bits of bytes 0..3 and 4..7.
inline void read_k_scales(const uint8_t* packed, int j, NativeSub& out) {
  if (j < 4) {
    out.scale[0] = static_cast<int8_t>(packed[j] & 63);
    out.min = packed[j + 4] & 63;
  } else {
    out.scale[0] = static_cast<int8_t>((packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4);
    out.min = static_cast<uint8_t>((packed[j + 4] >> 4) | (packed[j] >> 6) << 4);
  }
  out.scale[1] = out.scale[0];
}

inline void read_q6_k(const uint8_t* block, int sub, NativeSub& out) {
  // 128 values share 64 bytes ql and 32 bytes qh: sub-blocks 0, 1 in the low nibbles, 2, 3 in the high ones.
  const int half = sub / 4, quarter = sub % 4;
  const uint8_t* ql = block + half * 64 + (quarter % 2) * 32;
  const uint8_t* qh = block + 128 + half * 32;
  for (int i = 0; i < 32; ++i) {
    const int low = quarter < 2 ? ql[i] & 15 : ql[i] >> 4;
    out.code[i] = static_cast<uint8_t>(low | (qh[i] >> (2 * quarter) & 3) << 4);
  }
  std::memcpy(out.scale, block + 192 + 2 * sub, 2);
  out.d = native_u16(block + 208);
}

/// Reads values [32 sub, 32 sub + 32) of a native block.
template <DType kType>
inline void read_sub(const std::byte* native, int sub, NativeSub& out) {
  constexpr R16Layout kLayout = r16_layout(kType);
  const uint8_t* block = native_bytes(native);
  if constexpr (kType == DType::kQ6_K) {
    read_q6_k(block, sub, out);
    return;
  }
  out.d = native_u16(block);
  if constexpr (kLayout.has_min) out.m = native_u16(block + 2);
  if constexpr (kLayout.super()) {
    read_k_scales(block + 4, sub, out);
    constexpr int kCodes = kType == DType::kQ5_K ? 48 : 16;
    const uint8_t* qs = block + kCodes + sub / 2 * 32;
    for (int i = 0; i < 32; ++i) out.code[i] = sub % 2 == 0 ? qs[i] & 15 : qs[i] >> 4;
    if constexpr (kType == DType::kQ5_K) {
      for (int i = 0; i < 32; ++i) out.code[i] |= static_cast<uint8_t>((block[16 + i] >> sub & 1) << 4);
    }
  } else if constexpr (kType == DType::kQ8_0) {
    for (int i = 0; i < 32; ++i) out.code[i] = block[2 + i] ^ 0x80;
  } else {
    constexpr int kHead = kLayout.has_min ? 4 : 2;
    read_nibbles(block + kHead + kLayout.high_bytes / 16, out.code);
    if constexpr (kLayout.high_bytes != 0) add_fifth_bits(block + kHead, out.code);
  }
}

}  // namespace brisk::kernels
