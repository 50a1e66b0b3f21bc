// The grids of the lattice formats IQ1_*, IQ2_* and IQ3_*: sets of points with four or eight coordinates, of
// which a code of eight to eleven bits names one. Each coordinate takes one of a few levels.
//
// Read as digits, first coordinate least significant, the levels of a point are its key. The points of a grid
// stand in the order of their keys. So all points with the same second half of coordinates stand together,
// which the search for the nearest point uses (search.hpp).
#pragma once

#include <cstdint>

namespace brisk::quant {

constexpr int power(int base, int exponent) { return exponent == 0 ? 1 : base * power(base, exponent - 1); }

template <int kPointCount, int kCoordinates, int kLevelCount>
struct Grid {
  static constexpr int kPoints = kPointCount;
  static constexpr int kWidth = kCoordinates;
  static constexpr int kLevels = kLevelCount;
  static constexpr int kHalfWidth = kWidth / 2;
  static constexpr int kHalfKeys = power(kLevels, kHalfWidth);  ///< keys of half a point's coordinates

  int8_t level[kLevels];
  int8_t point[kPoints][kWidth];
  uint8_t first_half[kPoints];    ///< key of the first half of the coordinates
  uint16_t begin[kHalfKeys + 1];  ///< points begin[h] .. begin[h + 1] - 1 have the second half h
};

extern const Grid<2048, 8, 3> kGridIQ1;  ///< of IQ1_S and IQ1_M
extern const Grid<256, 8, 3> kGridIQ2Xxs;
extern const Grid<512, 8, 3> kGridIQ2Xs;
extern const Grid<1024, 8, 3> kGridIQ2S;
extern const Grid<256, 4, 8> kGridIQ3Xxs;
extern const Grid<512, 4, 8> kGridIQ3S;

}  // namespace brisk::quant
