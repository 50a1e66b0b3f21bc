// What Q4_K and Q5_K share: 256 values in eight groups of 32, each group with a 6-bit scale and a 6-bit
// minimum that multiply the block's two f16 scales:
//     value = (d * scale) * code - (dmin * minimum)
// The eight scales s0..s7 and minima m0..m7 are packed into 12 bytes:
//     bytes 0..3   low six bits: s0..s3      high two bits: bits 4..5 of s4..s7
//     bytes 4..7   low six bits: m0..m3      high two bits: bits 4..5 of m4..m7
//     bytes 8..11  low four bits: bits 0..3 of s4..s7, high four bits: bits 0..3 of m4..m7
#pragma once

#include <algorithm>
#include <cstdint>

#include "quant/affine_fit.hpp"
#include "quant/blocks.hpp"
#include "quant/half.hpp"

namespace brisk::quant {

inline constexpr int kGroups = 8;
inline constexpr int kGroupValues = 32;

struct GroupScales {
  uint8_t scale[kGroups];
  uint8_t minimum[kGroups];
};

inline GroupScales unpack_scales(const uint8_t (&packed)[12]) noexcept {
  GroupScales out;
  for (int i = 0; i < 4; ++i) {
    out.scale[i] = packed[i] & 63;
    out.minimum[i] = packed[4 + i] & 63;
    out.scale[4 + i] = static_cast<uint8_t>((packed[8 + i] & 15) | ((packed[i] >> 6) << 4));
    out.minimum[4 + i] = static_cast<uint8_t>((packed[8 + i] >> 4) | ((packed[4 + i] >> 6) << 4));
  }
  return out;
}

inline void pack_scales(const GroupScales& scales, uint8_t (&packed)[12]) noexcept {
  for (int i = 0; i < 4; ++i) {
    packed[i] = static_cast<uint8_t>(scales.scale[i] | ((scales.scale[4 + i] >> 4) << 6));
    packed[4 + i] = static_cast<uint8_t>(scales.minimum[i] | ((scales.minimum[4 + i] >> 4) << 6));
    packed[8 + i] = static_cast<uint8_t>((scales.scale[4 + i] & 15) | ((scales.minimum[4 + i] & 15) << 4));
  }
}

/// The scales of a whole block: f16 `d` and `dmin`, and the packed parts.
struct BlockScales {
  uint16_t d;
  uint16_t dmin;
  GroupScales groups;
};

inline BlockScales choose_scales(const float* x, int top) noexcept {
  AffineFit fits[kGroups];
  float most_scale = 0.0F, most_minimum = 0.0F;
  for (int g = 0; g < kGroups; ++g) {
    fits[g] = fit_affine(x + g * kGroupValues, kGroupValues, top);
    most_scale = std::max(most_scale, fits[g].scale);
    most_minimum = std::max(most_minimum, fits[g].minimum);
  }
  BlockScales out;
  out.d = f32_to_f16(most_scale / 63.0F);
  out.dmin = f32_to_f16(most_minimum / 63.0F);
  const float to_scale = inverse(f16_to_f32(out.d));
  const float to_minimum = inverse(f16_to_f32(out.dmin));
  for (int g = 0; g < kGroups; ++g) {
    out.groups.scale[g] = static_cast<uint8_t>(round_code(fits[g].scale * to_scale, 0, 63));
    out.groups.minimum[g] = static_cast<uint8_t>(round_code(fits[g].minimum * to_minimum, 0, 63));
  }
  return out;
}

/// The best codes (0..top) of group `g` under scales as they will be decoded.
inline void choose_codes(const BlockScales& scales, int g, const float* x, int top, uint8_t* codes) noexcept {
  const float scale = f16_to_f32(scales.d) * static_cast<float>(scales.groups.scale[g]);
  const float minimum = f16_to_f32(scales.dmin) * static_cast<float>(scales.groups.minimum[g]);
  const float to_code_scale = inverse(scale);
  for (int i = 0; i < kGroupValues; ++i) {
    codes[i] = static_cast<uint8_t>(round_code((x[i] + minimum) * to_code_scale, 0, top));
  }
}

}  // namespace brisk::quant
