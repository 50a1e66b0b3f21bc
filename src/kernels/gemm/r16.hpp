// The packed layout "R16" of quantised weights: 16 rows (output columns) side by side, so that a vector of
// 16 dwords holds four neighbouring values of each row and one broadcast of four activations serves all.
//
// Rows go in groups of 16, the last one padded with zeros. A group is one sequential stream of blocks along
// k; a lane that owns a range of groups reads memory in order. One block of a group, field by field:
//     header      K-quants only: f16 d[16], then f16 dmin[16] (not Q6_K)
//     then, for each 32 values along k (1, or 8 for K-quants):
//     scales      plain: f16 d[16], then f16 m[16] when the type has a minimum
//                 Q4_K, Q5_K: u8 scale[16], u8 min[16];  Q6_K: i8 scale[16] of values 0..15, then of 16..31
//     codes       nibbles: 4 vectors of 64 bytes, j = 0..3; byte 4 n + b holds, for row n, the low four bits
//                 of value 4 j + b (low nibble) and of value 16 + 4 j + b (high nibble)
//                 bytes (Q8_0): 8 vectors, byte 4 n + b of vector j holds value 4 j + b of row n, plus 128
//     high bits   5-bit types: one vector; bit j of byte 4 n + b is bit 4 of value 4 j + b of row n
//                 Q6_K: two vectors, for values 0..15 and 16..31; bits 2 j, 2 j + 1 of byte 4 n + b are
//                 bits 4 and 5 of value 4 j + b (+ 16) of row n
//
// Plain types (F32, F16, BF16) are packed as panels of 64 columns instead: element [k][64] in native width.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.hpp"

namespace brisk {
struct Weight;
}

namespace brisk::kernels {

inline constexpr int kGroupRows = 16;     ///< rows side by side in R16
inline constexpr int kPanelColumns = 64;  ///< columns of a panel of plain values

/// Sizes and meaning of one type in R16. A value is scale * (code - offset) [+ min].
struct R16Layout {
  int sub_blocks;  ///< blocks of 32 values that share a header
  int header_bytes;
  int scale_bytes;  ///< at the start of each sub-block
  int code_bytes;   ///< 256 (nibbles) or 512 (bytes)
  int high_bytes;
  int offset;  ///< codes are stored unsigned
  bool has_min;
  int scales;  ///< per 32 values: 1, or 2 (Q6_K, one per 16)

  consteval bool super() const { return sub_blocks > 1; }
  consteval int sub_bytes() const { return scale_bytes + code_bytes + high_bytes; }
  consteval int block_bytes() const { return header_bytes + sub_blocks * sub_bytes(); }
  consteval int code_max() const {
    return code_bytes == 512 ? 255 : high_bytes == 0 ? 15 : high_bytes == 64 ? 31 : 63;
  }
};

void not_a_quantised_type();  // defined nowhere: reaching it stops the compilation

consteval R16Layout r16_layout(DType type) {
  switch (type) {
    case DType::kQ4_0: return {1, 0, 32, 256, 0, 8, false, 1};
    case DType::kQ4_1: return {1, 0, 64, 256, 0, 0, true, 1};
    case DType::kQ5_0: return {1, 0, 32, 256, 64, 16, false, 1};
    case DType::kQ5_1: return {1, 0, 64, 256, 64, 0, true, 1};
    case DType::kQ8_0: return {1, 0, 32, 512, 0, 128, false, 1};
    case DType::kQ4_K: return {8, 64, 32, 256, 0, 0, true, 1};
    case DType::kQ5_K: return {8, 64, 32, 256, 64, 0, true, 1};
    case DType::kQ6_K: return {8, 32, 32, 256, 128, 32, false, 2};
    default: not_a_quantised_type(); return {};
  }
}

/// GemmVariant::packed_bytes and pack for R16; instantiated in pack.cpp.
template <DType kType>
int64_t r16_packed_bytes(const Weight& weight) noexcept;
template <DType kType>
void r16_pack(const Weight& weight, int64_t n_begin, int64_t n_end, std::byte* packed) noexcept;

/// The same for panels of plain values of kBytes bytes each (2 or 4).
template <int kBytes>
int64_t panel_packed_bytes(const Weight& weight) noexcept;
template <int kBytes>
void panel_pack(const Weight& weight, int64_t n_begin, int64_t n_end, std::byte* packed) noexcept;

}  // namespace brisk::kernels
