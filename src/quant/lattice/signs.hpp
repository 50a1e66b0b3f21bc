// The signs of eight values as bits, first value lowest: set is negative. Formats that store seven bits for
// them keep the number of negative values even, so that the eighth bit follows from the others.
#pragma once

#include <bit>
#include <cstdint>

namespace brisk::quant {

inline uint8_t with_even_signs(uint32_t seven) noexcept {
  const uint32_t low = seven & 127U;
  return static_cast<uint8_t>(low | ((static_cast<uint32_t>(std::popcount(low)) & 1U) << 7));
}

/// 1 or -1, the sign of value i.
inline float sign_of(uint8_t signs, int i) noexcept { return (signs >> i & 1) != 0 ? -1.0F : 1.0F; }

}  // namespace brisk::quant
