// RMS normalisation: the reference against double arithmetic, the other levels against the reference, bit by
// bit.
#include "kernels/norm/norm.hpp"

#include "support/guarded_buffer.hpp"
#include "support/kernel_test.hpp"

namespace brisk::kernels {
namespace {

using test::GuardedBuffer;

void run(Isa isa, const float* x, const float* weight, int64_t width, float* y, float eps = 1e-5F) {
  find_rms_norm(isa).run({x, width, weight, eps, 1, width, y, width});
}

TEST(RmsNorm, ReferenceFollowsTheDefinition) {
  std::mt19937 random(test::kernel_seed());
  double worst = 0;
  for (int64_t width : test::kLengths) {
    std::vector<float> x(width), w(width), y(width);
    test::fill_normal(random, x.data(), width, 3.0F);
    test::fill_normal(random, w.data(), width);
    run(Isa::kRef, x.data(), w.data(), width, y.data());
    double sum = 0;
    for (float v : x) sum += double{v} * v;
    const double factor = 1.0 / std::sqrt(sum / static_cast<double>(width) + 1e-5);
    for (int64_t i = 0; i < width; ++i) {
      const double want = x[i] * factor * w[i];
      worst = std::max(worst, std::abs(y[i] - want) / std::abs(want));
    }
  }
  // width / 16 additions in a chain and 4 in the tree, halved by the root; six further roundings.
  const double bound = ((576.0 / 16 + 4) / 2 + 6) * 0x1p-24;
  std::printf("relative error %.2e, bound %.2e\n", worst, bound);
  EXPECT_LE(worst, bound);
}

TEST(RmsNorm, EveryLevelGivesTheBitsOfTheReference) {
  std::mt19937 random(test::kernel_seed());
  test::for_each_isa(find_rms_norm, [&](Isa isa) {
    for (int64_t width : test::kLengths) {
      for (size_t slack : {0, 4, 60}) {
        const auto count = static_cast<size_t>(width);
        GuardedBuffer<float> x(count, slack), w(count, slack), y(count, slack);
        std::vector<float> want(count);
        test::fill_normal(random, x.data(), width);
        test::fill_normal(random, w.data(), width);
        run(Isa::kRef, x.data(), w.data(), width, want.data());
        run(isa, x.data(), w.data(), width, y.data());
        for (size_t i = 0; i < count; ++i) ASSERT_TRUE(test::same_bits(y[i], want[i])) << width << " " << i;
        run(isa, x.data(), w.data(), width, x.data());  // in place
        for (size_t i = 0; i < count; ++i) ASSERT_TRUE(test::same_bits(x[i], want[i])) << width << " " << i;
      }
    }
  });
}

TEST(RmsNorm, HardValues) {
  test::for_each_isa(find_rms_norm, [&](Isa isa) {
    for (float hard : test::kHardValues) {
      for (int64_t at : {0, 15, 16, 36}) {
        std::vector<float> x(37, 0.5F), w(37, 2.0F), want(37), y(37);
        x[at] = hard;
        run(Isa::kRef, x.data(), w.data(), 37, want.data());
        run(isa, x.data(), w.data(), 37, y.data());
        for (size_t i = 0; i < 37; ++i) ASSERT_TRUE(test::same_bits(y[i], want[i])) << hard << " " << i;
      }
    }
    std::vector<float> zeros(37, 0.0F), w(37, 2.0F), y(37, 1.0F);
    run(isa, zeros.data(), w.data(), 37, y.data());
    EXPECT_EQ(y, zeros);
  });
}

TEST(RmsNorm, RowsAreIndependentAndPaddingIsLeftAlone) {
  std::mt19937 random(test::kernel_seed());
  constexpr int64_t kRows = 5, kWidth = 50, kXStride = 53, kYStride = 61;
  test::for_each_isa(find_rms_norm, [&](Isa isa) {
    std::vector<float> x(kRows * kXStride), w(kWidth), y(kRows * kYStride, -7.0F), alone(kWidth);
    test::fill_normal(random, x.data(), kRows * kXStride);
    test::fill_normal(random, w.data(), kWidth);
    find_rms_norm(isa).run({x.data(), kXStride, w.data(), 1e-6F, kRows, kWidth, y.data(), kYStride});
    for (int64_t row = 0; row < kRows; ++row) {
      run(isa, x.data() + row * kXStride, w.data(), kWidth, alone.data(), 1e-6F);
      for (int64_t i = 0; i < kYStride; ++i) {
        const float want = i < kWidth ? alone[i] : -7.0F;
        ASSERT_TRUE(test::same_bits(y[row * kYStride + i], want)) << row << " " << i;
      }
    }
  });
}

}  // namespace
}  // namespace brisk::kernels
