// The search for the scale and the minimum of a group of values, for Q2_K, Q4_K and Q5_K.
#pragma once

#include <algorithm>
#include <cmath>

#include "quant/blocks.hpp"

namespace brisk::quant {

/// value = scale * code - minimum, both not negative.
struct AffineFit {
  float scale;
  float minimum;
};

/// The fit of `count` values with codes 0..top that has the least squared error among some starting scales
/// around (high - low) / top, each refined once by least squares over the codes that it gives.
inline AffineFit fit_affine(const float* x, int count, int top) noexcept {
  const Range range = range_of(x, count);
  const float low = std::min(range.low, 0.0F);
  const AffineFit plain{(range.high - low) / static_cast<float>(top), -low};
  if (!(plain.scale > 0.0F) || !std::isfinite(plain.scale)) return {0.0F, -low};

  auto error_of = [&](const AffineFit& fit) {
    float sum = 0.0F;
    for (int i = 0; i < count; ++i) {
      const int code = round_code((x[i] + fit.minimum) / fit.scale, 0, top);
      const float miss = fit.scale * static_cast<float>(code) - fit.minimum - x[i];
      sum += miss * miss;
    }
    return sum;
  };
  auto refine = [&](const AffineFit& start) {
    float codes = 0.0F, squares = 0.0F, values = 0.0F, products = 0.0F;
    for (int i = 0; i < count; ++i) {
      const auto code = static_cast<float>(round_code((x[i] + start.minimum) / start.scale, 0, top));
      codes += code;
      squares += code * code;
      values += x[i];
      products += code * x[i];
    }
    const auto n = static_cast<float>(count);
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

}  // namespace brisk::quant
