// Element-wise kernels. Addition: equal bits everywhere. silu(gate) * up: the vector levels equal each other
// bit by bit and differ from the reference by the error of their exp.
#include "kernels/activation/activation.hpp"

#include "support/guarded_buffer.hpp"
#include "support/kernel_test.hpp"

namespace brisk::kernels {
namespace {

using test::GuardedBuffer;

// exp within 2.4e-7; then the sum 1 + exp, the quotient and the product round once each.
constexpr double kSiluBound = 2.4e-7 + 3 * 0x1p-24;

double silu(double gate, double up) { return gate / (1.0 + std::exp(-gate)) * up; }

TEST(Activation, SiluOverTheWholeRange) {
  // Every 997th float of magnitude up to 87 (2.2 million), which walks through exp over that range as well.
  test::for_each_isa(find_activation, [&](Isa isa) {
    const std::vector<float> ones(4096, 1.0F);
    std::vector<float> gate, out(4096);
    double worst = 0;
    const uint32_t end = std::bit_cast<uint32_t>(87.0F);
    for (uint32_t bits = 0; bits < end;) {
      gate.clear();
      for (; gate.size() < 4096 && bits < end; bits += 997) {
        gate.push_back(std::bit_cast<float>(bits));
        gate.push_back(-gate.back());
      }
      const auto count = static_cast<int64_t>(gate.size());
      find_activation(isa).silu_mul(gate.data(), ones.data(), count, out.data());
      for (int64_t i = 0; i < count; ++i) {
        const double want = silu(gate[i], 1.0);
        const double slack = 2 * std::numeric_limits<float>::denorm_min();
        worst = std::max(worst, (std::abs(out[i] - want) - slack) / (std::abs(want) + 1e-300));
      }
    }
    std::printf("%s: relative error %.3e, bound %.3e\n", find_activation(isa).name, worst, kSiluBound);
    EXPECT_LE(worst, kSiluBound);
  });
}

TEST(Activation, LengthsMisalignmentInPlace) {
  std::mt19937 random(test::kernel_seed());
  test::for_each_isa(find_activation, [&](Isa isa) {
    const ActivationVariant& variant = find_activation(isa);
    for (int64_t n : test::kLengths) {
      for (size_t slack : {0, 4, 60}) {
        const auto count = static_cast<size_t>(n);
        GuardedBuffer<float> a(count, slack), b(count, slack), sum(count, slack), product(count, slack);
        test::fill_normal(random, a.data(), n, 4.0F);
        test::fill_normal(random, b.data(), n);
        variant.add(a.data(), b.data(), n, sum.data());
        variant.silu_mul(a.data(), b.data(), n, product.data());
        for (size_t i = 0; i < count; ++i) {
          ASSERT_TRUE(test::same_bits(sum[i], a[i] + b[i]));
          ASSERT_NEAR(product[i], silu(a[i], b[i]), std::abs(silu(a[i], b[i])) * kSiluBound);
          // A place in a vector must not matter.
          float alone;
          variant.silu_mul(&a[i], &b[i], 1, &alone);
          ASSERT_TRUE(test::same_bits(product[i], alone));
        }
        GuardedBuffer<float> a2(count), b2(count);
        std::copy_n(a.data(), count, a2.data());
        std::copy_n(b.data(), count, b2.data());
        variant.silu_mul(a.data(), b.data(), n, a.data());
        variant.silu_mul(a2.data(), b.data(), n, b.data());
        for (size_t i = 0; i < count; ++i) {
          ASSERT_TRUE(test::same_bits(a[i], product[i]));
          ASSERT_TRUE(test::same_bits(b[i], product[i]));
        }
        variant.add(a2.data(), b2.data(), n, a2.data());
        for (size_t i = 0; i < count; ++i) ASSERT_TRUE(test::same_bits(a2[i], sum[i]));
      }
    }
  });
}

TEST(Activation, NothingBehindTheEnd) {
  test::for_each_isa(find_activation, [&](Isa isa) {
    for (int64_t n : test::kLengths) {
      std::vector<float> a(n, 1.0F), out(n + 32, -7.0F);
      find_activation(isa).add(a.data(), a.data(), n, out.data());
      find_activation(isa).silu_mul(a.data(), a.data(), n, out.data());
      for (int64_t i = n; i < n + 32; ++i) ASSERT_EQ(out[i], -7.0F);
    }
    find_activation(isa).add(nullptr, nullptr, 0, nullptr);
    find_activation(isa).silu_mul(nullptr, nullptr, 0, nullptr);
  });
}

TEST(Activation, HardValues) {
  test::for_each_isa(find_activation, [&](Isa isa) {
    for (float gate : test::kHardValues) {
      for (float up : test::kHardValues) {
        float want, got, sum;
        find_activation(Isa::kRef).silu_mul(&gate, &up, 1, &want);
        find_activation(isa).silu_mul(&gate, &up, 1, &got);
        find_activation(isa).add(&gate, &up, 1, &sum);
        ASSERT_TRUE(test::same_bits(sum, gate + up));
        ASSERT_EQ(std::isnan(got), std::isnan(want)) << gate << " " << up;
        if (std::isnan(want) || std::isinf(want)) {
          ASSERT_TRUE(test::same_bits(got, want)) << gate << " " << up;
        } else {
          // Results this small: a last bit, times up.
          ASSERT_NEAR(got, want, 1e-6 * std::abs(want) + 3e-45 * (1 + std::abs(up))) << gate << " " << up;
        }
      }
    }
  });
}

TEST(Activation, VectorLevelsAgreeBitByBit) {
  if (cpu_info().best < Isa::kAvx512) GTEST_SKIP() << "this machine has one vector level only";
  std::mt19937 random(test::kernel_seed());
  std::vector<float> gate(100'000), up(gate.size()), a(gate.size()), b(gate.size());
  test::fill_normal(random, gate.data(), 100'000, 40.0F);
  test::fill_normal(random, up.data(), 100'000);
  find_activation(Isa::kAvx2).silu_mul(gate.data(), up.data(), 100'000, a.data());
  find_activation(Isa::kAvx512).silu_mul(gate.data(), up.data(), 100'000, b.data());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_TRUE(test::same_bits(a[i], b[i])) << gate[i];
}

}  // namespace
}  // namespace brisk::kernels
