// What kernel tests share: the levels of this machine, the seed, comparison of bits, hard values.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

#include "base/cpu.hpp"

namespace brisk::test {

/// BRISK_TEST_SEED or a fixed one, printed so that a failure can be repeated.
inline uint32_t kernel_seed() {
  const char* text = std::getenv("BRISK_TEST_SEED");
  const auto seed = static_cast<uint32_t>(text != nullptr ? std::strtoul(text, nullptr, 10) : 20261122);
  std::printf("BRISK_TEST_SEED=%u\n", seed);
  return seed;
}

/// Calls body(isa) for each level that this machine runs, and fails unless `find` gives that very level.
template <typename Find, typename Body>
void for_each_isa(Find find, Body body) {
  for (const Isa isa : kAllIsas) {
    if (isa > cpu_info().best) continue;
    SCOPED_TRACE(isa_name(isa));
    ASSERT_EQ(find(isa).isa, isa) << "the dispatch gives another level";
    ASSERT_NE(std::string_view(find(isa).name).find(isa_name(isa)), std::string_view::npos);
    body(isa);
  }
}

/// Equal bits, or both not a number.
inline bool same_bits(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

inline constexpr float kHardValues[] = {0.0F,
                                        -0.0F,
                                        std::numeric_limits<float>::infinity(),
                                        -std::numeric_limits<float>::infinity(),
                                        std::numeric_limits<float>::quiet_NaN(),
                                        std::numeric_limits<float>::denorm_min(),
                                        -std::numeric_limits<float>::denorm_min(),
                                        1e-39F,
                                        std::numeric_limits<float>::min(),
                                        std::numeric_limits<float>::max(),
                                        std::numeric_limits<float>::lowest(),
                                        1e-20F,
                                        88.7F,
                                        -88.7F,
                                        -104.5F,
                                        200.0F};

/// Lengths around one, two and several vectors of 16.
inline constexpr int64_t kLengths[] = {1,  2,  7,  8,  15, 16, 17,  31,  32, 33,
                                       47, 48, 63, 64, 65, 80, 100, 575, 576};

inline void fill_normal(std::mt19937& random, float* at, int64_t count, float spread = 1.0F) {
  std::normal_distribution<float> normal(0.0F, spread);
  for (int64_t i = 0; i < count; ++i) at[i] = normal(random);
}

}  // namespace brisk::test
