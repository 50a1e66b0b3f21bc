// The values of eight-bit floating-point numbers.
//
//     E4M3   bit 7: sign, bits 6..3: exponent e, bits 2..0: mantissa m
//            e > 0: (1 + m/8) * 2^(e - 7), up to 448; e = 0: m/8 * 2^-6; 0x7f and 0xff are NaN; no infinities
//     E8M0   2^(code - 127); 0xff is NaN
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <limits>

namespace brisk::quant {

constexpr float e4m3_value(uint8_t code) {
  const uint32_t exponent = (code >> 3) & 15U, mantissa = code & 7U;
  if ((code & 0x7FU) == 0x7FU) return std::numeric_limits<float>::quiet_NaN();
  const float sign = (code & 0x80U) != 0 ? -1.0F : 1.0F;
  if (exponent == 0) return sign * static_cast<float>(mantissa) * 0x1p-9F;
  return sign * std::bit_cast<float>(((exponent + 120U) << 23) | (mantissa << 20));
}

/// e4m3_value of every code.
inline constexpr std::array<float, 256> kE4m3Values = [] {
  std::array<float, 256> values{};
  for (uint32_t code = 0; code < 256; ++code) values[code] = e4m3_value(static_cast<uint8_t>(code));
  return values;
}();

inline float e4m3_to_f32(uint8_t code) noexcept { return kE4m3Values[code]; }

inline float e8m0_to_f32(uint8_t code) noexcept {
  if (code == 0xFF) return std::numeric_limits<float>::quiet_NaN();
  // 2^-127 is subnormal in f32: half of the least normal number.
  return std::bit_cast<float>(code == 0 ? 0x00400000U : static_cast<uint32_t>(code) << 23);
}

}  // namespace brisk::quant
