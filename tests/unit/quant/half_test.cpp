// Conversions of half-width floats, over all halves.
#include "quant/half.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace brisk::quant {
namespace {

TEST(Half, EveryF16ComesBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = f16_to_f32(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value))));
    } else {
      ASSERT_EQ(f32_to_f16(value), half) << bits;
    }
  }
}

// Between two neighbouring halves a < b: what lies nearer to one becomes that one, the middle the even one.
TEST(Half, F16RoundsToNearestEven) {
  for (uint16_t half = 0; half < 0x7BFF; ++half) {
    const float a = f16_to_f32(half);
    const float b = f16_to_f32(static_cast<uint16_t>(half + 1));
    const float middle = (a + b) / 2;  // exact: f32 has 13 more bits
    const auto even = static_cast<uint16_t>(half + (half & 1));
    ASSERT_EQ(f32_to_f16(middle), even) << half;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, a)), half) << half;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, b)), half + 1) << half;
    ASSERT_EQ(f32_to_f16(-middle), even | 0x8000) << half;
  }
}

TEST(Half, F16EndsOfTheRange) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(f32_to_f16(65504.0F), 0x7BFF);
  EXPECT_EQ(f32_to_f16(std::nextafter(65520.0F, 0.0F)), 0x7BFF);
  EXPECT_EQ(f32_to_f16(65520.0F), 0x7C00);
  EXPECT_EQ(f32_to_f16(-infinity), 0xFC00);
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(f32_to_f16(-0.0F), 0x8000);
  EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(std::numeric_limits<float>::signaling_NaN()))));
  EXPECT_EQ(f16_to_f32(0x7C00), infinity);
  EXPECT_EQ(f16_to_f32(0x0001), 0x1p-24F);
  EXPECT_EQ(f16_to_f32(0x3C00), 1.0F);
}

TEST(Half, EveryBf16ComesBackAndRoundingIsToNearestEven) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = bf16_to_f32(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(value))));
    } else {
      ASSERT_EQ(f32_to_bf16(value), half) << bits;
    }
  }
  for (uint16_t half = 0; half < 0x7F7F; ++half) {
    const float middle = std::bit_cast<float>((uint32_t{half} << 16) | 0x8000U);
    ASSERT_EQ(f32_to_bf16(middle), half + (half & 1));
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(std::bit_cast<uint32_t>(middle) - 1)), half);
    ASSERT_EQ(f32_to_bf16(std::bit_cast<float>(std::bit_cast<uint32_t>(middle) + 1)), half + 1);
  }
  EXPECT_EQ(f32_to_bf16(std::numeric_limits<float>::max()), 0x7F80);
}

}  // namespace
}  // namespace brisk::quant
