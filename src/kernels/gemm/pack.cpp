// Packs native blocks into R16 and plain rows into panels of 64 columns (layouts: r16.hpp). Runs once per
// weight at load, on column ranges in parallel.
#include <algorithm>

#include "base/checked.hpp"
#include "kernels/gemm/native.hpp"
#include "kernels/gemm/r16.hpp"
#include "tensor/weight.hpp"

namespace brisk::kernels {
namespace {

void store_u16(std::byte* p, uint16_t bits) { std::memcpy(p, &bits, sizeof bits); }

uint32_t four_codes(const uint8_t* code) {
  uint32_t four;
  std::memcpy(&four, code, sizeof four);
  return four;
}

/// Scatters the codes of one row: its dword goes to lane `row` of each vector.
template <DType kType>
void store_codes(const uint8_t* code, int row, std::byte* out) {
  constexpr R16Layout kLayout = r16_layout(kType);
  std::byte* lane = out + 4 * row;
  if constexpr (kLayout.code_bytes == 512) {
    for (int j = 0; j < 8; ++j) std::memcpy(lane + 64 * j, code + 4 * j, 4);
    return;
  }
  uint8_t nibbles[16];
  for (int i = 0; i < 16; ++i) nibbles[i] = static_cast<uint8_t>((code[i] & 15) | code[16 + i] << 4);
  for (int j = 0; j < 4; ++j) std::memcpy(lane + 64 * j, nibbles + 4 * j, 4);
  if constexpr (kLayout.high_bytes == 64) {
    uint32_t high = 0;
    for (int j = 0; j < 8; ++j) high |= (four_codes(code + 4 * j) >> 4 & 0x01010101) << j;
    std::memcpy(lane + 256, &high, 4);
  } else if constexpr (kLayout.high_bytes == 128) {
    uint32_t high[2] = {};
    for (int j = 0; j < 8; ++j) high[j / 4] |= (four_codes(code + 4 * j) >> 4 & 0x03030303) << (j % 4 * 2);
    std::memcpy(lane + 256, &high[0], 4);
    std::memcpy(lane + 320, &high[1], 4);
  }
}

/// Writes one native block of `row` (0..15 of its group) into the packed block.
template <DType kType>
void pack_block(const std::byte* native, int row, std::byte* block) {
  constexpr R16Layout kLayout = r16_layout(kType);
  NativeSub sub;
  for (int s = 0; s < kLayout.sub_blocks; ++s) {
    read_sub<kType>(native, s, sub);
    std::byte* out = block + kLayout.header_bytes + s * kLayout.sub_bytes();
    if constexpr (kLayout.super()) {
      out[row] = static_cast<std::byte>(sub.scale[0]);
      out[kGroupRows + row] =
          kLayout.has_min ? static_cast<std::byte>(sub.min) : static_cast<std::byte>(sub.scale[1]);
    } else {
      store_u16(out + 2 * row, sub.d);
      if constexpr (kLayout.has_min) store_u16(out + 2 * (kGroupRows + row), sub.m);
    }
    store_codes<kType>(sub.code, row, out + kLayout.scale_bytes);
  }
  if constexpr (kLayout.super()) {
    store_u16(block + 2 * row, sub.d);
    if constexpr (kLayout.has_min) store_u16(block + 2 * (kGroupRows + row), sub.m);
  }
}

}  // namespace

template <DType kType>
int64_t r16_packed_bytes(const Weight& weight) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  const int64_t blocks = weight.width() / (32 * kLayout.sub_blocks);
  return div_up(weight.shape[0], kGroupRows) * blocks * kLayout.block_bytes();
}

template <DType kType>
void r16_pack(const Weight& weight, int64_t n_begin, int64_t n_end, std::byte* packed) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  const std::byte* native = weight.only().data.data();
  const int64_t n = weight.shape[0];
  const int64_t blocks = weight.width() / (32 * kLayout.sub_blocks);
  const int64_t native_block = dtype_info(kType).block_bytes;
  for (int64_t first = n_begin; first < n_end; first += kGroupRows) {
    std::byte* group = packed + first / kGroupRows * blocks * kLayout.block_bytes();
    const int rows = static_cast<int>(std::min<int64_t>(kGroupRows, n - first));
    if (rows < kGroupRows) std::memset(group, 0, static_cast<size_t>(blocks * kLayout.block_bytes()));
    for (int64_t b = 0; b < blocks; ++b) {
      for (int row = 0; row < rows; ++row) {
        pack_block<kType>(native + ((first + row) * blocks + b) * native_block, row,
                          group + b * kLayout.block_bytes());
      }
    }
  }
}

template <int kBytes>
int64_t panel_packed_bytes(const Weight& weight) noexcept {
  return round_up(weight.shape[0], kPanelColumns) * weight.width() * kBytes;
}

template <int kBytes>
void panel_pack(const Weight& weight, int64_t n_begin, int64_t n_end, std::byte* packed) noexcept {
  const std::byte* native = weight.only().data.data();
  const int64_t n = weight.shape[0], k = weight.width();
  constexpr int64_t kTile = 64 / kBytes;  // one cache line of each row at a time
  for (int64_t first = n_begin; first < n_end; first += kPanelColumns) {
    std::byte* panel = packed + first * k * kBytes;
    const int64_t columns = std::min<int64_t>(kPanelColumns, n - first);
    if (columns < kPanelColumns) std::memset(panel, 0, static_cast<size_t>(kPanelColumns * k * kBytes));
    for (int64_t k0 = 0; k0 < k; k0 += kTile) {
      const int64_t k1 = std::min(k0 + kTile, k);
      for (int64_t c = 0; c < columns; ++c) {
        const std::byte* row = native + (first + c) * k * kBytes;
        for (int64_t i = k0; i < k1; ++i) {
          std::memcpy(panel + (i * kPanelColumns + c) * kBytes, row + i * kBytes, kBytes);
        }
      }
    }
  }
}

#define BRISK_INSTANTIATE(type)                                           \
  template int64_t r16_packed_bytes<DType::type>(const Weight&) noexcept; \
  template void r16_pack<DType::type>(const Weight&, int64_t, int64_t, std::byte*) noexcept;
BRISK_INSTANTIATE(kQ4_0)
BRISK_INSTANTIATE(kQ4_1)
BRISK_INSTANTIATE(kQ5_0)
BRISK_INSTANTIATE(kQ5_1)
BRISK_INSTANTIATE(kQ8_0)
BRISK_INSTANTIATE(kQ4_K)
BRISK_INSTANTIATE(kQ5_K)
BRISK_INSTANTIATE(kQ6_K)
#undef BRISK_INSTANTIATE

template int64_t panel_packed_bytes<2>(const Weight&) noexcept;
template int64_t panel_packed_bytes<4>(const Weight&) noexcept;
template void panel_pack<2>(const Weight&, int64_t, int64_t, std::byte*) noexcept;
template void panel_pack<4>(const Weight&, int64_t, int64_t, std::byte*) noexcept;

}  // namespace brisk::kernels
