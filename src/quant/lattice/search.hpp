// The point of a grid that is nearest to some values.
//
// The nearest point to t = x / scale has the largest score 2 (t . g) - (g . g), which is a sum over
// coordinates. So it is the sum of a score of the first and one of the second half of the coordinates. Each
// half has only 64 or 81 keys: their scores are tabled once, a point costs one addition, and whole runs of
// points with the same second half are passed over when even the best first half could not make up for it.
// The result is the nearest point, not a guess.
#pragma once

#include <algorithm>
#include <limits>

#include "quant/lattice/grids.hpp"

namespace brisk::quant {

/// The scores of all keys of half a point, for the coordinates t [kHalfWidth].
template <typename Grid>
void score_half(const Grid& grid, const float* t, float (&score)[Grid::kHalfKeys]) noexcept {
  score[0] = 0.0F;
  int size = 1;  // keys of the coordinates so far
  for (int i = 0; i < Grid::kHalfWidth; ++i, size *= Grid::kLevels) {
    for (int l = Grid::kLevels - 1; l >= 0; --l) {  // downwards: key 0 stands where the old scores stand
      const auto level = static_cast<float>(grid.level[l]);
      const float more = (2.0F * t[i] - level) * level;
      for (int key = 0; key < size; ++key) score[l * size + key] = score[key] + more;
    }
  }
}

/// The index of the point nearest to t [kWidth]; of several the first; 0 when there is a NaN.
template <typename Grid>
int nearest_point(const Grid& grid, const float* t) noexcept {
  float first[Grid::kHalfKeys], second[Grid::kHalfKeys];
  score_half(grid, t, first);
  score_half(grid, t + Grid::kHalfWidth, second);
  const float best_first = *std::max_element(first, first + Grid::kHalfKeys);
  int best = 0;
  float most = -std::numeric_limits<float>::infinity();
  for (int h = 0; h < Grid::kHalfKeys; ++h) {
    if (second[h] + best_first <= most) continue;
    for (int p = grid.begin[h]; p < grid.begin[h + 1]; ++p) {
      const float score = second[h] + first[grid.first_half[p]];
      if (score > most) {
        most = score;
        best = p;
      }
    }
  }
  return best;
}

}  // namespace brisk::quant
