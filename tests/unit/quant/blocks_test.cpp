// What the block formats share: peaks, rounding to codes, and the packing of small codes.
#include "quant/blocks.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "quant/packing.hpp"

namespace brisk::quant {
namespace {

constexpr uint32_t kSeed = 20'260'801;

// A fixed small count, as the formats have it, so that the compiler unrolls the loop.
TEST(Blocks, SignedPeakIsTheLargestMagnitude) {
  std::mt19937 random(kSeed);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 1000; ++round) {
    float values[8];
    for (float& value : values) value = normal(random);
    const float peak = signed_peak(values, 8);
    bool found = false;
    for (const float value : values) {
      ASSERT_LE(std::fabs(value), std::fabs(peak)) << "round " << round << " seed " << kSeed;
      found = found || value == peak;
    }
    ASSERT_TRUE(found);
  }
}

TEST(Blocks, SignedPeakOfOddValues) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float odd[] = {nan, -3.0F, 3.0F, nan};
  EXPECT_EQ(signed_peak(odd, 4), -3.0F);
  EXPECT_EQ(signed_peak(odd, 1), 0.0F);
  EXPECT_EQ(signed_peak(odd, 0), 0.0F);
}

TEST(Blocks, CodesStayInRange) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(round_code(2.5F, -4, 3), 3);
  EXPECT_EQ(round_code(-0.5F, -4, 3), -1);
  EXPECT_EQ(round_code(infinity, -4, 3), 3);
  EXPECT_EQ(round_code(-infinity, -4, 3), -4);
  EXPECT_EQ(round_code(std::numeric_limits<float>::quiet_NaN(), -4, 3), -4);
  EXPECT_EQ(inverse(0.0F), 0.0F);
}

TEST(Packing, WhatIsPutIsRead) {
  std::mt19937 random(kSeed);
  uint8_t halves[16] = {}, pairs[16] = {}, twos[64] = {}, word[4] = {};
  int codes[256];
  for (int& code : codes) code = static_cast<int>(random() % 16);
  for (int i = 0; i < 32; ++i) {
    put_nibble(halves, 16, i, codes[i]);
    put_packed_nibble(pairs, i, codes[i]);
  }
  for (int i = 0; i < 256; ++i) put_two_bits(twos, i, codes[i] & 3);
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(nibble(halves, 16, i), codes[i]) << i;
    EXPECT_EQ(packed_nibble(pairs, i), codes[i]) << i;
  }
  for (int i = 0; i < 256; ++i) EXPECT_EQ(two_bits(twos, i), codes[i] & 3) << i;
  store_word(0x89ABCDEF, word);
  EXPECT_EQ(word[0], 0xEF);
  EXPECT_EQ(load_word(word), 0x89ABCDEF);
}

}  // namespace
}  // namespace brisk::quant
