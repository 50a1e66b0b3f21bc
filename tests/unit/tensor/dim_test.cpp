// Symbolic dimensions: bounds of those that are known later, largest values, products and their text.
#include "tensor/dim.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace brisk {
namespace {

const std::array<std::string, 2> kNames = {"tokens", "outputs"};
constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

TEST(Dims, KnownLaterHasABoundOrNone) {
  const Dim tokens = Dim::symbol(0);
  const Dim bounded = Dim::known_after(3, 8 * tokens + Dim(1));
  const Dim unbounded = Dim::known_after(3);
  EXPECT_FALSE(bounded.is_known());
  EXPECT_FALSE(bounded.is_constant());
  EXPECT_FALSE(Dim::known_after(0, Dim(4)).is_constant());
  EXPECT_EQ(bounded.size_id(), 3);
  EXPECT_EQ(bounded.bound(), 8 * tokens + Dim(1));
  EXPECT_EQ(unbounded.bound(), std::nullopt);
  EXPECT_EQ(tokens.bound(), tokens);
  EXPECT_EQ(tokens.size_id(), -1);
  EXPECT_FALSE(bounded == unbounded);
  EXPECT_FALSE(bounded == Dim::known_after(2, 8 * tokens + Dim(1)));
  EXPECT_TRUE(bounded == Dim::known_after(3, 8 * tokens + Dim(1)));
  EXPECT_EQ(bounded.to_string(kNames), "after(3)<=8*tokens+1");
  EXPECT_EQ(unbounded.to_string(kNames), "after(3)");
}

TEST(Dims, TheMostIsChecked) {
  const std::array<int64_t, 2> symbols = {5, 7};
  const Dim tokens = Dim::symbol(0);
  EXPECT_EQ((2 * tokens + Dim(-3)).most(symbols), 7);
  EXPECT_EQ(Dim::known_after(0, 2 * tokens).most(symbols), 10);
  EXPECT_EQ(Dim::known_after(0).most(symbols), std::nullopt);
  EXPECT_EQ((tokens + Dim(-6)).most(symbols), std::nullopt);  // negative
  EXPECT_EQ(((kHuge / 4) * tokens).most(symbols), std::nullopt);
  EXPECT_EQ((tokens + Dim(kHuge)).most(symbols), std::nullopt);
}

TEST(Dims, ProductsKeepTheirBound) {
  const Dim tokens = Dim::symbol(0);
  EXPECT_EQ(bound_of_product(Dim(3), 2 * tokens + Dim(1)), 6 * tokens + Dim(3));
  EXPECT_EQ(bound_of_product(tokens, Dim(4)), 4 * tokens);
  EXPECT_EQ(bound_of_product(Dim::known_after(1, tokens), Dim(4)), 4 * tokens);
  EXPECT_EQ(bound_of_product(tokens, Dim(0)), Dim(0));
  EXPECT_EQ(bound_of_product(tokens, tokens), std::nullopt);  // not affine
  EXPECT_EQ(bound_of_product(Dim::known_after(1), Dim(4)), std::nullopt);
  EXPECT_EQ(bound_of_product(Dim(kHuge), Dim(2)), std::nullopt);
  EXPECT_EQ(bound_of_product(Dim(kHuge), 2 * tokens), std::nullopt);
}

TEST(Dims, NegativeTermsReadWell) {
  const Dim dim = 2 * Dim::symbol(0) + (-3) * Dim::symbol(1) + Dim(-4);
  EXPECT_EQ(dim.to_string(kNames), "2*tokens-3*outputs-4");
  EXPECT_EQ(dim.symbol_count(), 2);
  EXPECT_EQ(Dim(5).symbol_count(), 0);
}

}  // namespace
}  // namespace brisk
