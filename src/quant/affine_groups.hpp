// What Q4_K and Q5_K share: 256 values in eight groups of 32, each group with a 6-bit scale and a 6-bit
// minimum that multiply the block's two f16 scales:
//     value = (d * scale) * code - (dmin * minimum)
// The eight scales s0..s7 and minima m0..m7 are packed into 12 bytes:
//     bytes 0..3   low six bits: s0..s3      high two bits: bits 4..5 of s4..s7
//     bytes 4..7   low six bits: m0..m3      high two bits: bits 4..5 of m4..m7
//     bytes 8..11  low four bits: bits 0..3 of s4..s7, high four bits: bits 0..3 of m4..m7
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

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

/// value = scale * code - minimum, both not negative.
struct AffineFit {
  float scale;
  float minimum;
};

/// The fit of one group with codes 0..top that has the least squared error among some starting scales
/// around (high - low) / top, each refined once by least squares over the codes that it gives.
inline AffineFit fit_affine(const float* x, int top) noexcept {
  const Range range = range_of(x, kGroupValues);
  const float low = std::min(range.low, 0.0F);
  const AffineFit plain{(range.high - low) / static_cast<float>(top), -low};
  if (!(plain.scale > 0.0F) || !std::isfinite(plain.scale)) return {0.0F, -low};

  auto error_of = [&](const AffineFit& fit) {
    float sum = 0.0F;
    for (int i = 0; i < kGroupValues; ++i) {
      const int code = round_code((x[i] + fit.minimum) / fit.scale, 0, top);
      const float miss = fit.scale * static_cast<float>(code) - fit.minimum - x[i];
      sum += miss * miss;
    }
    return sum;
  };
  auto refine = [&](const AffineFit& start) {
    float codes = 0.0F, squares = 0.0F, values = 0.0F, products = 0.0F;
    for (int i = 0; i < kGroupValues; ++i) {
      const auto code = static_cast<float>(round_code((x[i] + start.minimum) / start.scale, 0, top));
      codes += code;
      squares += code * code;
      values += x[i];
      products += code * x[i];
    }
    const float n = kGroupValues;
    const float determinant = n * squares - codes * codes;
    if (!(determinant > 0.0F)) return start;
    AffineFit fit{(n * products - codes * values) / determinant, 0.0F};
    fit.minimum = (fit.scale * codes - values) / n;
    if (fit.minimum < 0.0F) {  // the format has no positive offset: fit the line through zero
      fit = {products / squares, 0.0F};
    }
    return fit.scale > 0.0F ? fit : start;
  };

  AffineFit best = plain;
  float least = error_of(plain);
  constexpr int kSteps = 8;
  for (int step = -kSteps; step <= kSteps; ++step) {
    const float stretch = 1.0F + 0.02F * static_cast<float>(step);
    const AffineFit fit = refine({plain.scale * stretch, plain.minimum});
    const float error = error_of(fit);
    if (error < least) {
      least = error;
      best = fit;
    }
  }
  return best;
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
    fits[g] = fit_affine(x + g * kGroupValues, top);
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
