// Every quantiser against the reference, bit for bit, and the reference against its definition.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

#include "kernels/gemm/gemm.hpp"
#include "kernels/quantize/quantize.hpp"
#include "support/guarded_buffer.hpp"

namespace brisk::kernels {
namespace {

using test::GuardedBuffer;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

/// Outputs for `rows` rows of k values, each ending at an unmapped page (the last row without padding).
struct Output {
  Output(int64_t rows, int64_t k)
      : values(static_cast<size_t>((rows - 1) * q8_value_stride(k) + k)),
        scales(static_cast<size_t>(rows * k / 32)), sums(static_cast<size_t>(rows * k / 16)) {}
  GuardedBuffer<int8_t> values;
  GuardedBuffer<float> scales;
  GuardedBuffer<int32_t> sums;
};

void run(Isa isa, const GuardedBuffer<float>& x, int64_t x_stride, int64_t rows, int64_t k, Output& out) {
  find_quantize(isa).run(
      {x.data(), x_stride, rows, k, out.values.data(), out.scales.data(), out.sums.data()});
}

void expect_equal(const Output& got, const Output& want, std::string_view name) {
  for (size_t i = 0; i < want.values.size(); ++i)
    ASSERT_EQ(got.values[i], want.values[i]) << name << " value " << i;
  for (size_t i = 0; i < want.sums.size(); ++i) ASSERT_EQ(got.sums[i], want.sums[i]) << name << " sum " << i;
  for (size_t i = 0; i < want.scales.size(); ++i) {
    if (std::isnan(want.scales[i])) {
      ASSERT_TRUE(std::isnan(got.scales[i])) << name << " scale " << i;
    } else {
      ASSERT_EQ(std::bit_cast<uint32_t>(got.scales[i]), std::bit_cast<uint32_t>(want.scales[i]))
          << name << " scale " << i;
    }
  }
}

/// Values that try every corner: normal ones of very different sizes, ties, tiny, huge, not finite.
void fill(GuardedBuffer<float>& x, uint32_t seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = normal(rng) * std::ldexp(1.0f, static_cast<int>(rng() % 5) - 2);
  const float specials[] = {kNan,    kInf,     -kInf, 0x1p-149f, 0x1p-96f, 0x1p-97f,
                            3.4e38f, -3.4e38f, -0.0f, 127.0f,    0.5f};
  for (size_t b = 0; b + 32 <= x.size(); b += 32) {
    const unsigned kind = rng() % 8;
    if (kind == 0) x[b + rng() % 32] = specials[rng() % std::size(specials)];
    if (kind == 1) std::fill(x.data() + b, x.data() + b + 32, 0.0f);
    if (kind == 2) {  // scale 1: every odd multiple of a half is a tie
      for (size_t i = 0; i < 32; ++i)
        x[b + i] = static_cast<float>(static_cast<int>(rng() % 507) - 253) / 2.0f;
      x[b] = 127.0f;
    }
    if (kind == 3) {
      for (size_t i = 0; i < 32; ++i) x[b + i] *= 0x1p-100f;
    }
  }
}

TEST(Quantize, EveryLevelEqualsTheReference) {
  const char* text = std::getenv("BRISK_TEST_SEED");
  const auto seed = static_cast<uint32_t>(text != nullptr ? std::strtoul(text, nullptr, 10) : 20261122);
  std::printf("BRISK_TEST_SEED=%u\n", seed);
  int compared = 0;
  for (const Isa isa : kAllIsas) {
    if (isa == Isa::kRef || isa > cpu_info().best) continue;
    ASSERT_EQ(find_quantize(isa).isa, isa);
    for (const int64_t k : {32, 64, 96, 576, 2048}) {
      for (const int64_t rows : {1, 2, 7}) {
        GuardedBuffer<float> x(static_cast<size_t>((rows - 1) * (k + 5) + k),
                               4 * static_cast<size_t>(rows % 2));
        fill(x, seed + static_cast<uint32_t>(k * 8 + rows));
        Output want(rows, k), got(rows, k);
        run(Isa::kRef, x, k + 5, rows, k, want);
        run(isa, x, k + 5, rows, k, got);
        expect_equal(got, want, find_quantize(isa).name);
        ++compared;
      }
    }
  }
  if (cpu_info().best == Isa::kRef) GTEST_SKIP() << "no vector level on this machine: " << cpu_info().why;
  EXPECT_GE(compared, 15);
}

TEST(Quantize, ValuesAreNearestAndScaleIsTheLargestOver127) {
  GuardedBuffer<float> x(32);
  std::mt19937 rng(7);
  for (float& v : x) v = std::normal_distribution<float>()(rng);
  x[9] = -6.5f;
  Output out(1, 32);
  run(Isa::kRef, x, 32, 1, 32, out);
  EXPECT_EQ(out.scales[0], 6.5f / 127.0f);
  EXPECT_EQ(out.values[9], -127);
  int sums[2] = {};
  for (size_t i = 0; i < 32; ++i) {
    // Half a step, and the rounding of the product with the inverse.
    EXPECT_NEAR(out.values[i], x[i] / out.scales[0], 0.5 + 127 * 3 * 0x1p-24) << i;
    sums[i / 16] += out.values[i];
  }
  EXPECT_EQ(out.sums[0], sums[0]);
  EXPECT_EQ(out.sums[1], sums[1]);
}

TEST(Quantize, TiesGoToEven) {
  GuardedBuffer<float> x(32);
  x[0] = 127.0f;
  const float ties[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f};
  const int8_t even[] = {0, 2, 2, 0, -2, -2};
  std::copy(std::begin(ties), std::end(ties), x.data() + 1);
  for (const Isa isa : kAllIsas) {
    if (isa > cpu_info().best) continue;
    Output out(1, 32);
    run(isa, x, 32, 1, 32, out);
    EXPECT_EQ(out.scales[0], 1.0f);
    for (size_t i = 0; i < 6; ++i) EXPECT_EQ(out.values[1 + i], even[i]) << ties[i];
  }
}

TEST(Quantize, ZerosTinyAndNotFinite) {
  const struct {
    float value;
    float scale;
  } cases[] = {{0.0f, 0.0f}, {-0.0f, 0.0f}, {0x1p-149f, 0.0f}, {0x1p-97f, 0.0f},
               {kNan, kNan}, {kInf, kNan},  {-kInf, kNan}};
  for (const Isa isa : kAllIsas) {
    if (isa > cpu_info().best) continue;
    for (const auto& c : cases) {
      GuardedBuffer<float> x(32);
      x[17] = c.value;
      Output out(1, 32);
      run(isa, x, 32, 1, 32, out);
      if (std::isnan(c.scale)) {
        EXPECT_TRUE(std::isnan(out.scales[0])) << c.value;
      } else {
        EXPECT_EQ(out.scales[0], c.scale) << c.value;
      }
      for (size_t i = 0; i < 32; ++i) EXPECT_EQ(out.values[i], 0);
    }
  }
}

TEST(Residual, EveryLevelEqualsTheReferenceAndThePairIsClose) {
  for (const int64_t k : {32, 96, 576}) {
    GuardedBuffer<float> x(static_cast<size_t>(k));
    fill(x, static_cast<uint32_t>(k));
    for (float& value : x) value = std::isfinite(value) && std::abs(value) < 1e30f ? value : 1.0f;
    Output row(1, k);
    run(Isa::kRef, x, k, 1, k, row);
    GuardedBuffer<float> want(static_cast<size_t>(k));
    find_quantize(Isa::kRef).residual({x.data(), row.values.data(), row.scales.data(), k, want.data()});
    for (const Isa isa : kAllIsas) {
      if (isa > cpu_info().best) continue;
      GuardedBuffer<float> got(static_cast<size_t>(k));
      find_quantize(isa).residual({x.data(), row.values.data(), row.scales.data(), k, got.data()});
      for (size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(std::bit_cast<uint32_t>(got[i]), std::bit_cast<uint32_t>(want[i]))
            << isa_name(isa) << " " << i;
      }
    }
    Output rest(1, k);
    run(Isa::kRef, want, k, 1, k, rest);
    for (size_t i = 0; i < x.size(); ++i) {
      const float scale = row.scales[i / 32], fine = rest.scales[i / 32];
      const float pair =
          scale * static_cast<float>(row.values[i]) + fine * static_cast<float>(rest.values[i]);
      // Half a step of the residual's scale, which is at most half a step of the row's scale over 127.
      EXPECT_LE(std::abs(pair - x[i]), scale * (0.25f / 127.0f) * 1.01f + 0x1p-96f) << i;
      EXPECT_LE(fine, scale * 0.5f / 127.0f * 1.01f) << i;
    }
  }
}

}  // namespace
}  // namespace brisk::kernels
