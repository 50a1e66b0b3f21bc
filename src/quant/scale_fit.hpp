// The search for the scale of a group of values, for formats whose values are scale * level.
#pragma once

#include <cmath>
#include <span>

#include "quant/blocks.hpp"

namespace brisk::quant {

/// The largest group of values that share a scale.
inline constexpr int kMostGroupValues = 32;

/// How well x is met by scale * levels, once the scale is the best one for these levels.
struct LevelFit {
  float scale;
  float gain;  ///< by how much the squared error is smaller than with all levels zero
};

/// Least squares over `count` values. A gain of 0 when no scale helps.
inline LevelFit fit_levels(const float* x, const float* levels, int count) noexcept {
  float products = 0.0F, squares = 0.0F;
  for (int i = 0; i < count; ++i) {
    products += x[i] * levels[i];
    squares += levels[i] * levels[i];
  }
  if (!(squares > 0.0F)) return {0.0F, 0.0F};
  return {products / squares, products * products / squares};
}

/// The scale of `count` <= kMostGroupValues values with the least squared error among the starts
/// plain * stretch, each refined once by least squares over the levels that it gives. 0 when nothing is
/// gained. `choose_levels(scale, levels)` writes the levels nearest to the values under a scale.
template <typename ChooseLevels>
float fit_scale(const float* x, int count, float plain, std::span<const float> stretches,
                ChooseLevels&& choose_levels) noexcept {
  LevelFit best{0.0F, 0.0F};
  for (const float stretch : stretches) {
    const float start = plain * stretch;
    if (start == 0.0F || !std::isfinite(1.0F / start)) continue;
    float levels[kMostGroupValues];
    choose_levels(start, levels);
    const LevelFit fit = fit_levels(x, levels, count);
    if (fit.gain > best.gain) best = fit;
  }
  return best.scale;
}

}  // namespace brisk::quant
