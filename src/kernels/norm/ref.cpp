// RMS normalisation, readable: the oracle of the other levels, which give the same bits.
#include <cmath>

#include "kernels/norm/variants.hpp"

namespace brisk::kernels::ref {
namespace {

float sum_of_squares(const float* x, int64_t width) {
  float part[16] = {};
  for (int64_t i = 0; i < width; ++i) part[i % 16] = std::fma(x[i], x[i], part[i % 16]);
  for (int apart = 8; apart >= 1; apart /= 2) {
    for (int i = 0; i < apart; ++i) part[i] += part[i + apart];
  }
  return part[0];
}

void run(const RmsNormArgs& args) noexcept {
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* x = args.x + row * args.x_stride;
    float* y = args.y + row * args.y_stride;
    const float mean = sum_of_squares(x, args.width) / static_cast<float>(args.width);
    const float factor = 1.0F / std::sqrt(mean + args.eps);
    for (int64_t i = 0; i < args.width; ++i) y[i] = x[i] * factor * args.weight[i];
  }
}

}  // namespace

const RmsNormVariant rms_norm = {"rms_norm_f32__ref", Isa::kRef, run};

}  // namespace brisk::kernels::ref
