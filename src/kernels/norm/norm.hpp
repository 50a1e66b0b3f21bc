// RMS normalisation (Zhang and Sennrich 2019, eq. 4): y = x / sqrt(mean(x^2) + eps) * weight.
// The squares are summed in 16 fixed partial sums (element i goes to sum i mod 16), which are added as a
// balanced tree, on every ISA level.
#pragma once

#include <cstdint>

#include "base/cpu.hpp"

namespace brisk::kernels {

struct RmsNormArgs {
  const float* x;  ///< [rows, x_stride]
  int64_t x_stride;
  const float* weight;  ///< [width]
  float eps;
  int64_t rows, width;
  float* y;  ///< [rows, y_stride]; may be x
  int64_t y_stride;
};

using RmsNormFn = void (*)(const RmsNormArgs&) noexcept;
struct RmsNormVariant {
  const char* name;
  Isa isa;
  RmsNormFn run;
};
const RmsNormVariant& find_rms_norm(Isa isa);

}  // namespace brisk::kernels
