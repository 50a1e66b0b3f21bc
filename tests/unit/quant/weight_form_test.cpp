// Weight forms: the registry, blocks as weights, and the checks that forms are written with.
#include "quant/weight_form.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "support/block_formats.hpp"

namespace brisk::quant {
namespace {

TEST(WeightForms, AreFoundByNameAndByType) {
  std::set<std::string> names;
  for (const WeightForm& form : all_forms()) {
    EXPECT_TRUE(names.insert(form.name).second) << form.name << " twice";
    EXPECT_EQ(find_form(form.name), &form);
    if (!form.blocks) continue;
    EXPECT_EQ(find_form(form.blocks->dtype), &form);
    EXPECT_EQ(find_format(form.blocks->dtype), &*form.blocks);
    std::string name(dtype_name(form.blocks->dtype));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    EXPECT_EQ(form.name, name);
  }
  EXPECT_EQ(find_form("no such form"), nullptr);
  EXPECT_EQ(find_form(DType::kI32), nullptr);
  EXPECT_EQ(find_format(DType::kBool), nullptr);
}

// A form wants int8 rows exactly when there is an integer kernel for it (src/kernels/gemm).
TEST(WeightForms, FormsWithIntegerKernelsWantInt8) {
  const std::set<DType> with_kernel = {DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1,
                                       DType::kQ8_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K};
  for (const BlockFormat& format : test::block_formats()) {
    const WeightForm& form = *find_form(format.dtype);
    EXPECT_EQ(form.wants == ActivationForm::kQ8, with_kernel.contains(format.dtype)) << form.name;
  }
}

// Any range of rows of a weight is what the flat decoder says of the same blocks.
TEST(WeightForms, RowsOfBlocksAreTheFlatDecode) {
  constexpr int64_t kRows = 5, kWidth = 512;
  std::vector<float> values(kRows * kWidth);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 37 % 101) - 50.0F;
  for (const BlockFormat& format : test::block_formats()) {
    std::vector<std::byte> blocks(*dtype_bytes(format.dtype, kRows * kWidth));
    format.encode(values.data(), kRows * kWidth, blocks.data());
    std::vector<float> flat(values.size());
    format.decode(blocks.data(), kRows * kWidth, flat.data());
    const Weight weight = block_weight("w", format.dtype, {kRows, kWidth}, blocks);
    ASSERT_TRUE(weight.form->check(weight).ok()) << weight.form->check(weight).message();
    for (const auto& [first, rows] : {std::pair<int64_t, int64_t>{0, 5}, {2, 2}, {4, 1}, {3, 0}}) {
      std::vector<float> out(static_cast<size_t>(rows * kWidth));
      weight.form->decode_rows(weight, first, rows, out.data());
      EXPECT_EQ(out,
                std::vector<float>(flat.begin() + first * kWidth, flat.begin() + (first + rows) * kWidth))
          << weight.form->name;
    }
    const DTypeInfo& info = dtype_info(format.dtype);
    EXPECT_DOUBLE_EQ(bits_per_weight(weight), 8.0 * info.block_bytes / info.block_values);
  }
}

TEST(WeightForms, BlocksThatDoNotFillTheShapeAreRefused) {
  const std::vector<std::byte> bytes(4 * 34);
  const auto check = [&](Shape shape, size_t count) {
    const Weight weight = block_weight("w", DType::kQ8_0, std::move(shape), std::span(bytes).first(count));
    return weight.form->check(weight);
  };
  EXPECT_TRUE(check({4, 32}, 4 * 34).ok());
  EXPECT_TRUE(check({128}, 4 * 34).ok());
  const int64_t huge = std::numeric_limits<int64_t>::max() / 32 * 32;
  const std::vector<std::pair<Shape, size_t>> wrong = {
      {{4, 32}, 4 * 34 - 1}, {{5, 32}, 4 * 34}, {{8, 16}, 4 * 34},  // rows are not whole blocks
      {{0, 32}, 0},          {{}, 0},           {{-4, 32}, 4 * 34}, {{huge, huge}, 4 * 34},
      {{2, huge}, 4 * 34},
  };
  for (const auto& [shape, count] : wrong) {
    const Status status = check(shape, count);
    ASSERT_EQ(status.code(), StatusCode::kBadInput) << to_string(shape);
    EXPECT_EQ(status.parts().where.rfind("weight w", 0), 0U) << status.message();
    EXPECT_FALSE(status.parts().hint.empty());
  }
}

// A form with a setting: codes in groups that share a scale.
Status check_grouped(const Weight& weight) {
  BRISK_TRY(check_matrix(weight));
  BRISK_ASSIGN(const int64_t group, check_setting(weight, "group", 1, weight.width()));
  const Shape scales = {weight.shape[0], weight.width() / group};
  return check_components(weight, {{"codes", DType::kI8, weight.shape}, {"scales", DType::kF16, scales}});
}

TEST(WeightForms, SettingsAreFoundAndBounded) {
  const std::array<std::byte, 64> bytes{};
  Weight weight{"w", {2, 8}, nullptr, {}, {{"unused", 9}, {"group", 4}}};
  weight.components = {{"scales", DType::kF16, {2, 2}, std::span(bytes).first(8)},
                       {"codes", DType::kI8, {2, 8}, std::span(bytes).first(16)}};
  EXPECT_TRUE(check_grouped(weight).ok()) << "the order of components is free";
  EXPECT_EQ(weight.setting("group"), 4);
  EXPECT_EQ(weight.bytes(), 24);
  EXPECT_DOUBLE_EQ(bits_per_weight(weight), 12.0);
  EXPECT_EQ(weight.find("zeros"), nullptr);
  for (const int64_t group : {-1, 0, 9}) {
    weight.settings[1].second = group;
    const Status status = check_grouped(weight);
    ASSERT_EQ(status.code(), StatusCode::kBadInput) << group;
    EXPECT_EQ(status.parts().where, "weight w, setting group");
    EXPECT_EQ(status.parts().got, std::to_string(group));
  }
  weight.settings[1].second = 2;  // asks for four scales per row
  EXPECT_EQ(check_grouped(weight).parts().where, "weight w, component scales");
  weight.settings.pop_back();
  EXPECT_EQ(check_grouped(weight).parts().got, "none");
  weight.shape = {16};
  EXPECT_EQ(check_grouped(weight).code(), StatusCode::kBadInput);
}

TEST(WeightForms, ComponentsMayLieAtAnyAddress) {
  std::array<std::byte, 9> bytes{};
  const float value = 1.5F;
  std::memcpy(bytes.data() + 5, &value, sizeof(value));
  const WeightComponent component{"scales", DType::kF32, {2}, std::span(bytes).subspan(1)};
  EXPECT_EQ(component.at<float>(0), 0.0F);
  EXPECT_EQ(component.at<float>(1), value);
}

}  // namespace
}  // namespace brisk::quant
