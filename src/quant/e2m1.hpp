// What MXFP4 and NVFP4 share: the four-bit float E2M1 (OCP Microscaling Formats 1.0): a sign, two bits of
// exponent, one of mantissa. Its values 0, 0.5, 1, 1.5, 2, 3, 4, 6 are kept doubled here, so that they are
// integers; the scales of both formats are halved in turn.
#pragma once

#include <cmath>
#include <cstdint>

namespace brisk::quant {

inline constexpr int8_t kDoubledE2m1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

inline float doubled_e2m1(int code) noexcept { return static_cast<float>(kDoubledE2m1[code]); }

/// The code whose value times `half_scale` is nearest to x; of two as near the smaller; NaN gives 0.
inline int e2m1_code(float x, float half_scale) noexcept {
  const float magnitude = std::fabs(x);
  int code = 0;
  for (int i = 1; i < 8; ++i) {
    code += magnitude > half_scale * ((doubled_e2m1(i - 1) + doubled_e2m1(i)) * 0.5F) ? 1 : 0;
  }
  return code > 0 && x < 0.0F ? code + 8 : code;
}

}  // namespace brisk::quant
