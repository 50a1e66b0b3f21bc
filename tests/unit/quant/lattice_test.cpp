// The lattice formats: their grids, the search for the nearest point, and the signs.
#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <string>

#include "quant/lattice/search.hpp"
#include "quant/lattice/signs.hpp"

namespace brisk::quant {
namespace {

// Compares the points of one grid with those that stand at `at` in the oracle.
template <typename Grid>
void expect_points(const char* name, const Grid& grid, const std::string& oracle, size_t& at) {
  ASSERT_LE(at + sizeof(grid.point), oracle.size()) << name;
  for (const auto& point : grid.point) {
    for (const int8_t coordinate : point) {
      ASSERT_EQ(coordinate, static_cast<int8_t>(oracle[at])) << name << ", byte " << at;
      ++at;
    }
  }
}

TEST(Lattice, GridsAreThoseOfTheFormats) {
  const char* source = std::getenv("BRISK_SOURCE_DIR");
  const std::string path =
      std::string(source != nullptr ? source : ".") + "/tests/data/block_formats/lattice_grids.bin";
  std::ifstream in(path, std::ios::binary);
  const std::string oracle{std::istreambuf_iterator<char>(in), {}};
  size_t at = 0;
  expect_points("IQ1", kGridIQ1, oracle, at);
  expect_points("IQ2_XXS", kGridIQ2Xxs, oracle, at);
  expect_points("IQ2_XS", kGridIQ2Xs, oracle, at);
  expect_points("IQ2_S", kGridIQ2S, oracle, at);
  expect_points("IQ3_XXS", kGridIQ3Xxs, oracle, at);
  expect_points("IQ3_S", kGridIQ3S, oracle, at);
  EXPECT_EQ(at, oracle.size());
}

template <typename Grid>
double distance(const Grid& grid, int index, const float* t) {
  double sum = 0;
  for (int i = 0; i < Grid::kWidth; ++i) {
    const double miss = static_cast<double>(t[i]) - grid.point[index][i];
    sum += miss * miss;
  }
  return sum;
}

// The fast search finds a point as near as trying all of them does.
template <typename Grid>
void expect_nearest(const char* name, const Grid& grid) {
  constexpr uint32_t kSeed = 20'260'801;
  std::mt19937 random(kSeed);
  const auto top = static_cast<float>(grid.level[Grid::kLevels - 1]);
  std::normal_distribution<float> normal(0.3F * top, 0.6F * top);
  for (int round = 0; round < 2000; ++round) {
    float t[Grid::kWidth];
    for (float& value : t) value = normal(random);
    double least = std::numeric_limits<double>::infinity();
    for (int p = 0; p < Grid::kPoints; ++p) least = std::min(least, distance(grid, p, t));
    const int found = nearest_point(grid, t);
    ASSERT_LE(distance(grid, found, t), least * (1 + 1e-5))
        << name << " round " << round << " seed " << kSeed;
  }
}

TEST(Lattice, SearchFindsTheNearestPoint) {
  expect_nearest("IQ1", kGridIQ1);
  expect_nearest("IQ2_XXS", kGridIQ2Xxs);
  expect_nearest("IQ2_XS", kGridIQ2Xs);
  expect_nearest("IQ2_S", kGridIQ2S);
  expect_nearest("IQ3_XXS", kGridIQ3Xxs);
  expect_nearest("IQ3_S", kGridIQ3S);
}

TEST(Lattice, EveryPointIsItsOwnNearest) {
  for (int p = 0; p < kGridIQ2S.kPoints; ++p) {
    float t[8];
    for (int i = 0; i < 8; ++i) t[i] = static_cast<float>(kGridIQ2S.point[p][i]);
    ASSERT_EQ(nearest_point(kGridIQ2S, t), p);
  }
}

TEST(Lattice, OddValuesGiveSomePoint) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float odd : {infinity, -infinity, nan, std::numeric_limits<float>::max()}) {
    const float t[8] = {1, odd, 0, odd, -odd, 0, 0, 0};
    const int found = nearest_point(kGridIQ1, t);
    EXPECT_GE(found, 0);
    EXPECT_LT(found, kGridIQ1.kPoints);
  }
}

TEST(Lattice, StoredSignsAreEven) {
  for (uint32_t seven = 0; seven < 256; ++seven) {
    const uint8_t signs = with_even_signs(seven);
    EXPECT_EQ(std::popcount(signs) % 2, 0) << seven;
    EXPECT_EQ(signs & 127U, seven & 127U);
  }
  EXPECT_EQ(sign_of(0b100, 2), -1.0F);
  EXPECT_EQ(sign_of(0b100, 1), 1.0F);
}

}  // namespace
}  // namespace brisk::quant
