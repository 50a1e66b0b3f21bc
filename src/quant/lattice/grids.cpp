// The grids of the lattice formats, unfolded by the compiler from the sets of their keys.
#include "quant/lattice/grids.hpp"

#include <cstddef>

namespace brisk::quant {

namespace {

#include "quant/lattice/grid_bits.inc"

template <typename Grid, size_t kWords>
constexpr Grid unfold(const int8_t (&levels)[Grid::kLevels], const uint64_t (&bits)[kWords]) {
  Grid grid{};
  for (int i = 0; i < Grid::kLevels; ++i) grid.level[i] = levels[i];
  int points = 0;
  for (int key = 0; key < Grid::kHalfKeys * Grid::kHalfKeys; ++key) {
    const int second_half = key / Grid::kHalfKeys;
    if ((bits[key / 64] >> (key % 64) & 1) != 0) {
      int digits = key;
      for (int i = 0; i < Grid::kWidth; ++i, digits /= Grid::kLevels) {
        grid.point[points][i] = levels[digits % Grid::kLevels];
      }
      grid.first_half[points] = static_cast<uint8_t>(key % Grid::kHalfKeys);
      ++points;
    }
    grid.begin[second_half + 1] = static_cast<uint16_t>(points);
  }
  return grid;
}

constexpr int8_t kLevelsIQ1[] = {-1, 0, 1};
constexpr int8_t kLevelsIQ2[] = {8, 25, 43};
constexpr int8_t kLevelsIQ3Xxs[] = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr int8_t kLevelsIQ3S[] = {1, 3, 5, 7, 9, 11, 13, 15};

}  // namespace

constexpr Grid<2048, 8, 3> kGridIQ1 = unfold<Grid<2048, 8, 3>>(kLevelsIQ1, kIQ1SBits);
constexpr Grid<256, 8, 3> kGridIQ2Xxs = unfold<Grid<256, 8, 3>>(kLevelsIQ2, kIQ2XxsBits);
constexpr Grid<512, 8, 3> kGridIQ2Xs = unfold<Grid<512, 8, 3>>(kLevelsIQ2, kIQ2XsBits);
constexpr Grid<1024, 8, 3> kGridIQ2S = unfold<Grid<1024, 8, 3>>(kLevelsIQ2, kIQ2SBits);
constexpr Grid<256, 4, 8> kGridIQ3Xxs = unfold<Grid<256, 4, 8>>(kLevelsIQ3Xxs, kIQ3XxsBits);
constexpr Grid<512, 4, 8> kGridIQ3S = unfold<Grid<512, 4, 8>>(kLevelsIQ3S, kIQ3SBits);

// No fewer points than the formats have; more would not have compiled.
static_assert(kGridIQ1.begin[81] == 2048 && kGridIQ2Xxs.begin[81] == 256 && kGridIQ2Xs.begin[81] == 512 &&
              kGridIQ2S.begin[81] == 1024 && kGridIQ3Xxs.begin[64] == 256 && kGridIQ3S.begin[64] == 512);

}  // namespace brisk::quant
