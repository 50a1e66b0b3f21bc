// Encoding for the lattice formats. A block of 256 values has a scale d; its groups of 16 or 32 values have
// small integers c, and in all these formats
//     value = d * unit * (1 + 2 c) * level
// where the levels of a group are points of a grid, with signs (IQ2_*, IQ3_*) or moved by an eighth (IQ1_*).
// The encoder
//   1. fits a scale to each group by itself (scale_fit.hpp), every value counting alike;
//   2. takes d from the largest of them, and for each group the best c beside the fitted one;
//   3. fits d once more, by least squares over the whole block.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <span>
#include <type_traits>

#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/lattice/search.hpp"
#include "quant/lattice/signs.hpp"
#include "quant/scale_fit.hpp"

namespace brisk::quant {

inline constexpr int kLatticeValues = 256;

/// Points of `kGrid` for the magnitudes of kGroupValues values, and their signs.
template <const auto& kGrid, int kGroupValues, bool kEvenSigns>
struct SignedPoints {
  static constexpr int kValues = kGroupValues;
  static constexpr int kWidth = std::remove_cvref_t<decltype(kGrid)>::kWidth;

  uint16_t index[kValues / kWidth];
  uint8_t signs[kValues / 8];
  float level[kValues];

  static float top_level() noexcept { return static_cast<float>(kGrid.level[std::size(kGrid.level) - 1]); }

  void choose(const float* x, float scale) noexcept {
    const float to_level = inverse(scale);
    for (int eight = 0; eight < kValues / 8; ++eight) choose_eight(eight, x + 8 * eight, to_level);
  }

 private:
  void choose_eight(int eight, const float* x, float to_level) noexcept {
    float magnitude[8];
    uint32_t negative = 0;
    for (int i = 0; i < 8; ++i) {
      magnitude[i] = std::fabs(x[i]) * to_level;
      negative |= (x[i] < 0.0F ? 1U : 0U) << i;
    }
    if (kEvenSigns && std::popcount(negative) % 2 != 0) {  // the smallest value gets the wrong sign
      const auto least = std::min_element(magnitude, magnitude + 8) - magnitude;
      magnitude[least] = -magnitude[least];
      negative ^= 1U << least;
    }
    signs[eight] = static_cast<uint8_t>(negative);
    for (int i = 0; i < 8; i += kWidth) {
      const int best = nearest_point(kGrid, magnitude + i);
      index[(8 * eight + i) / kWidth] = static_cast<uint16_t>(best);
      for (int j = i; j < i + kWidth; ++j) {
        level[8 * eight + j] = sign_of(signs[eight], j) * static_cast<float>(kGrid.point[best][j - i]);
      }
    }
  }
};

/// Points of the ternary grid for kGroupValues values; each run of kRunValues of them is moved by an eighth,
/// up or down.
template <int kGroupValues, int kRunValues>
struct ShiftedPoints {
  static constexpr int kValues = kGroupValues;
  static constexpr int kWidth = 8;
  static constexpr float kShift = 0.125F;

  uint16_t index[kValues / kWidth];
  bool down[kValues / kRunValues];
  float level[kValues];

  static float top_level() noexcept { return 1.0F + kShift; }

  void choose(const float* x, float scale) noexcept {
    const float to_level = inverse(scale);
    for (int run = 0; run < kValues / kRunValues; ++run) {
      const float error_up = choose_run(run, x + run * kRunValues, to_level, false);
      const float error_down = choose_run(run, x + run * kRunValues, to_level, true);
      if (error_up <= error_down) choose_run(run, x + run * kRunValues, to_level, false);
    }
  }

 private:
  // The squared error of the run, in levels.
  float choose_run(int run, const float* x, float to_level, bool is_down) noexcept {
    const float shift = is_down ? -kShift : kShift;
    float error = 0.0F;
    down[run] = is_down;
    for (int at = 0; at < kRunValues; at += kWidth) {
      float target[kWidth];
      for (int i = 0; i < kWidth; ++i) target[i] = x[at + i] * to_level - shift;
      const int best = nearest_point(kGridIQ1, target);
      index[(run * kRunValues + at) / kWidth] = static_cast<uint16_t>(best);
      for (int i = 0; i < kWidth; ++i) {
        const auto point = static_cast<float>(kGridIQ1.point[best][i]);
        level[run * kRunValues + at + i] = point + shift;
        error += (target[i] - point) * (target[i] - point);
      }
    }
    return error;
  }
};

/// What a block becomes: the format's file lays it out in bytes.
template <typename Points>
struct LatticeCodes {
  static constexpr int kGroups = kLatticeValues / Points::kValues;
  uint16_t d;
  int scale[kGroups];  ///< c
  Points points[kGroups];
};

template <typename Points>
float squared_error(const float* x, const Points& points, float scale) noexcept {
  float sum = 0.0F;
  for (int i = 0; i < Points::kValues; ++i) {
    const float miss = scale * points.level[i] - x[i];
    sum += miss * miss;
  }
  return sum;
}

/// Sets the best scale among those beside `fit` for group g, and its points. `step` is d * unit.
template <typename Points>
void choose_group(const float* x, int g, float fit, float step, int top_scale,
                  LatticeCodes<Points>& out) noexcept {
  const int middle = round_code((fit * inverse(step) - 1.0F) * 0.5F, 0, top_scale);
  const int lowest = std::max(middle - 1, 0);
  float least = std::numeric_limits<float>::infinity();
  Points points;
  for (int c = lowest; c <= std::min(middle + 1, top_scale); ++c) {
    const float scale = step * static_cast<float>(1 + 2 * c);
    points.choose(x, scale);
    const float error = squared_error(x, points, scale);
    if (c > lowest && !(error < least)) continue;  // the first stands even when its error is no number
    least = error;
    out.scale[g] = c;
    out.points[g] = points;
  }
}

/// The d with the least squared error for the scales and points of `codes`; 0 when there is none.
template <typename Points>
float fit_block(const float* x, const LatticeCodes<Points>& codes, float unit) noexcept {
  float products = 0.0F, squares = 0.0F;
  for (int i = 0; i < kLatticeValues; ++i) {
    const int g = i / Points::kValues;
    const float level =
        unit * static_cast<float>(1 + 2 * codes.scale[g]) * codes.points[g].level[i % Points::kValues];
    products += x[i] * level;
    squares += level * level;
  }
  return squares > 0.0F ? products / squares : 0.0F;
}

// Settings that several formats share: unit, the largest c, and the starts of the search for a group's scale.
// Eighteen starts instead of these make the squared error less than 1 % smaller. The last start of IQ2 and
// IQ3 puts the largest magnitude on the lowest level, for groups that are all alike.
inline constexpr float kIQ1Unit = 1.0F;
inline constexpr int kIQ1TopScale = 7;
inline constexpr float kIQ1Stretches[] = {0.4F, 0.5F, 0.6F, 0.8F};
inline constexpr float kIQ2Unit = 0.125F;
inline constexpr int kIQ2TopScale = 15;
inline constexpr float kIQ2Stretches[] = {0.7F, 0.95F, 1.2F, 43.0F / 8.0F};
inline constexpr float kIQ3Stretches[] = {0.75F, 0.95F, 1.15F, 62.0F / 4.0F};

/// `stretches`: where the search for a group's scale starts, as multiples of the scale that puts the largest
/// magnitude on the top level.
template <typename Points>
LatticeCodes<Points> encode_lattice(const float* x, float unit, int top_scale,
                                    std::span<const float> stretches) noexcept {
  constexpr int kGroups = LatticeCodes<Points>::kGroups;
  float fits[kGroups];
  for (int g = 0; g < kGroups; ++g) {
    const float* values = x + g * Points::kValues;
    const float plain = std::fabs(signed_peak(values, Points::kValues)) / Points::top_level();
    fits[g] = fit_scale(values, Points::kValues, plain, stretches, [values](float scale, float* levels) {
      Points points;
      points.choose(values, scale);
      std::copy_n(points.level, Points::kValues, levels);
    });
  }
  LatticeCodes<Points> codes{};
  const float most = *std::max_element(fits, fits + kGroups);
  codes.d = f32_to_f16(most / (unit * static_cast<float>(1 + 2 * top_scale)));
  const float step = f16_to_f32(codes.d) * unit;
  for (int g = 0; g < kGroups; ++g) choose_group(x + g * Points::kValues, g, fits[g], step, top_scale, codes);
  const uint16_t refined = f32_to_f16(fit_block(x, codes, unit));
  if (codes.d != 0 && f16_to_f32(refined) > 0.0F) codes.d = refined;
  return codes;
}

}  // namespace brisk::quant
