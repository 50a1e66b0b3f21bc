// What IQ4_NL and IQ4_XS share: sixteen levels that lie closer together near zero, where most weights are.
// The levels are constants of the formats; a code is the index of a level.
#pragma once

#include <cstdint>

#include "quant/scale_fit.hpp"

namespace brisk::quant {

inline constexpr int8_t kUnevenLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                             1,    13,   25,  38,  53,  69,  89,  113};

inline float uneven_level(int code) noexcept { return static_cast<float>(kUnevenLevels[code]); }

/// The code of the level nearest to x; NaN gives 0.
inline int uneven_code(float x) noexcept {
  int code = 0;
  for (int i = 1; i < 16; ++i) code += x > (uneven_level(i - 1) + uneven_level(i)) * 0.5F ? 1 : 0;
  return code;
}

/// The scale of 32 values. The starts of the search put the peak near the lowest level, or near the highest
/// one.
inline float fit_uneven(const float* x) noexcept {
  constexpr int kCount = 32;
  constexpr float kHighest = -127.0F / 113.0F;
  constexpr float kStretches[] = {
      0.85F,
      0.90F,
      0.95F,
      1.0F,
      1.05F,
      1.10F,
      1.15F,
      1.20F,
      1.25F,
      0.85F * kHighest,
      0.90F * kHighest,
      0.95F * kHighest,
      1.0F * kHighest,
      1.05F * kHighest,
      1.10F * kHighest,
      1.15F * kHighest,
      1.20F * kHighest,
      1.25F * kHighest,
  };
  const float plain = signed_peak(x, kCount) / -127.0F;
  return fit_scale(x, kCount, plain, kStretches, [x](float scale, float* levels) {
    const float to_level = inverse(scale);
    for (int i = 0; i < kCount; ++i) levels[i] = uneven_level(uneven_code(x[i] * to_level));
  });
}

}  // namespace brisk::quant
