// Types, shapes and symbolic dimensions.
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "tensor/dim.hpp"
#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

namespace brisk {
namespace {

TEST(DTypes, NamesAreReadInAnyCase) {
  EXPECT_EQ(dtype_from_name("q4_k"), DType::kQ4_K);
  EXPECT_EQ(dtype_from_name("BF16"), DType::kBF16);
  EXPECT_FALSE(dtype_from_name("Q4").has_value());
  EXPECT_FALSE(dtype_from_name("").has_value());
}

TEST(DTypes, BytesNeedWholeBlocks) {
  EXPECT_EQ(dtype_bytes(DType::kQ4_0, 64), 36U);
  EXPECT_EQ(dtype_bytes(DType::kQ6_K, 512), 420U);
  EXPECT_FALSE(dtype_bytes(DType::kQ4_0, 33).has_value());
  EXPECT_FALSE(dtype_bytes(DType::kF32, -1).has_value());
  EXPECT_FALSE(dtype_bytes(DType::kF64, std::numeric_limits<int64_t>::max()).has_value());
}

TEST(Shapes, ProductsAreChecked) {
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_EQ(element_count({}), 1);
  EXPECT_FALSE(element_count({int64_t{1} << 62, 4}).has_value());
  EXPECT_FALSE(element_count({-1}).has_value());
}

TEST(Dims, AffineArithmetic) {
  const std::array<int64_t, 2> symbols = {5, 7};
  const std::array<std::string, 2> names = {"tokens", "outputs"};
  const Dim sum = 2 * Dim::symbol(0) + Dim::symbol(1) + Dim(3);
  EXPECT_EQ(sum.evaluate(symbols), 20);
  EXPECT_EQ(sum.to_string(names), "2*tokens+outputs+3");
  EXPECT_TRUE(sum + (-2) * Dim::symbol(0) == Dim::symbol(1) + Dim(3));
  EXPECT_FALSE(Dim::known_after(4).is_known());
}

}  // namespace
}  // namespace brisk
