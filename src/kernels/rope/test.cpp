// Rotary embedding: the reference against double arithmetic, the other levels against the reference, bit by
// bit.
#include "kernels/rope/rope.hpp"

#include "support/guarded_buffer.hpp"
#include "support/kernel_test.hpp"

namespace brisk::kernels {
namespace {

using test::GuardedBuffer;
constexpr RopeStyle kStyles[] = {RopeStyle::kInterleaved, RopeStyle::kHalves};

struct Shape {
  int64_t rows, heads, head_dim, rotated, stride;
};
constexpr Shape kShapes[] = {{1, 1, 2, 2, 2},       {3, 2, 8, 8, 16},    {2, 3, 64, 64, 192},
                             {4, 2, 80, 80, 163},   {2, 2, 96, 24, 200}, {1, 5, 128, 128, 640},
                             {2, 1, 256, 256, 256}, {3, 2, 66, 62, 132}, {2, 2, 40, 34, 80}};

std::vector<float> make_table(const Shape& s, int32_t first_position) {
  std::vector<int32_t> positions(s.rows);
  for (int64_t r = 0; r < s.rows; ++r) positions[r] = first_position + static_cast<int32_t>(r);
  std::vector<float> frequencies(s.rotated / 2), table(s.rows * s.rotated);
  for (int64_t i = 0; i < s.rotated / 2; ++i) {
    frequencies[i] = std::pow(10000.0F, -2.0F * static_cast<float>(i) / static_cast<float>(s.rotated));
  }
  find_rope(Isa::kRef).table({positions.data(), frequencies.data(), s.rows, s.rotated, table.data()});
  return table;
}

TEST(Rope, TableIsCosAndSinOfTheRoundedAngle) {
  const Shape s = {3, 1, 64, 64, 64};
  const auto table = make_table(s, 4095);
  for (int64_t r = 0; r < s.rows; ++r) {
    for (int64_t i = 0; i < 32; ++i) {
      const float frequency = std::pow(10000.0F, -2.0F * static_cast<float>(i) / 64.0F);
      const float angle = static_cast<float>(4095 + r) * frequency;
      ASSERT_NEAR(table[r * 64 + i], std::cos(double{angle}), 1.2e-7);
      ASSERT_NEAR(table[r * 64 + 32 + i], std::sin(double{angle}), 1.2e-7);
    }
  }
  test::for_each_isa(find_rope,
                     [&](Isa isa) { EXPECT_EQ(find_rope(isa).table, find_rope(Isa::kRef).table); });
}

TEST(Rope, ReferenceRotates) {
  std::mt19937 random(test::kernel_seed());
  for (const Shape& s : kShapes) {
    const auto table = make_table(s, 100);
    for (RopeStyle style : kStyles) {
      std::vector<float> x(s.rows * s.stride);
      test::fill_normal(random, x.data(), static_cast<int64_t>(x.size()));
      const auto before = x;
      find_rope(Isa::kRef).apply(
          {x.data(), s.stride, table.data(), s.rows, s.heads, s.head_dim, s.rotated, style});
      std::vector<bool> touched(x.size(), false);
      for (int64_t r = 0; r < s.rows; ++r) {
        for (int64_t h = 0; h < s.heads; ++h) {
          for (int64_t i = 0; i < s.rotated / 2; ++i) {
            const bool halves = style == RopeStyle::kHalves;
            const int64_t base = r * s.stride + h * s.head_dim;
            const int64_t a = base + (halves ? i : 2 * i),
                          b = base + (halves ? i + s.rotated / 2 : 2 * i + 1);
            const double c = table[r * s.rotated + i], sine = table[r * s.rotated + s.rotated / 2 + i];
            ASSERT_NEAR(x[a], before[a] * c - before[b] * sine, 1e-6);
            ASSERT_NEAR(x[b], before[b] * c + before[a] * sine, 1e-6);
            touched[a] = touched[b] = true;
          }
        }
      }
      for (size_t i = 0; i < x.size(); ++i) {
        ASSERT_TRUE(touched[i] || x[i] == before[i]);
      }
    }
  }
}

TEST(Rope, EveryLevelGivesTheBitsOfTheReference) {
  std::mt19937 random(test::kernel_seed());
  test::for_each_isa(find_rope, [&](Isa isa) {
    for (const Shape& s : kShapes) {
      const auto table = make_table(s, 77);
      for (RopeStyle style : kStyles) {
        for (size_t slack : {0, 4, 60}) {
          for (bool hard : {false, true}) {
            const auto count = static_cast<size_t>((s.rows - 1) * s.stride + s.heads * s.head_dim);
            GuardedBuffer<float> x(count, slack), guarded_table(table.size(), slack);
            std::copy(table.begin(), table.end(), guarded_table.data());
            test::fill_normal(random, x.data(), static_cast<int64_t>(count));
            if (hard) {
              for (size_t i = 0; i < count; i += 3)
                x[i] = test::kHardValues[i % std::size(test::kHardValues)];
            }
            std::vector<float> want(x.begin(), x.end());
            find_rope(Isa::kRef).apply(
                {want.data(), s.stride, table.data(), s.rows, s.heads, s.head_dim, s.rotated, style});
            find_rope(isa).apply(
                {x.data(), s.stride, guarded_table.data(), s.rows, s.heads, s.head_dim, s.rotated, style});
            for (size_t i = 0; i < count; ++i) {
              ASSERT_TRUE(test::same_bits(x[i], want[i]))
                  << s.head_dim << " " << i << " " << x[i] << " " << want[i];
            }
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace brisk::kernels
