// The forms of quantised Hugging Face folders against values that the test packs itself: codes, zeros and
// scales are drawn, laid out by a plain bit writer, and decoded at any address. What the libraries write is
// read in tests/unit/models/quantized_folders_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "quant/fp8_values.hpp"
#include "quant/half.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {
namespace {

/// Lines of codes, packed one after the other along each line, each line in whole words.
class Packed {
 public:
  Packed(int64_t lines, int64_t codes, int64_t bits)
      : bits_(bits), words_((codes * bits + 31) / 32), data_(size_t(lines * words_)) {}
  void put(int64_t line, int64_t index, uint32_t code) {
    for (int64_t bit = 0; bit < bits_; ++bit) {
      const int64_t at = index * bits_ + bit;
      if ((code >> bit & 1U) != 0) data_[size_t(line * words_ + at / 32)] |= 1U << (at % 32);
    }
  }
  int64_t words() const { return words_; }
  const std::vector<uint32_t>& data() const { return data_; }
  std::vector<uint32_t> transposed() const {
    const auto lines = static_cast<int64_t>(data_.size()) / words_;
    std::vector<uint32_t> out(data_.size());
    for (int64_t line = 0; line < lines; ++line) {
      for (int64_t word = 0; word < words_; ++word)
        out[size_t(word * lines + line)] = data_[size_t(line * words_ + word)];
    }
    return out;
  }

 private:
  int64_t bits_, words_;
  std::vector<uint32_t> data_;
};

/// A weight that owns its bytes, each component at an odd address.
class OwnedWeight {
 public:
  OwnedWeight(const char* form, Shape shape, std::vector<std::pair<std::string, int64_t>> settings) {
    weight_ = {"m", std::move(shape), find_form(form), {}, std::move(settings)};
  }
  template <typename T>
  void add(const char* name, DType dtype, Shape shape, const std::vector<T>& values) {
    auto& bytes =
        *bytes_.emplace_back(std::make_unique<std::vector<std::byte>>(values.size() * sizeof(T) + 1));
    std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(T));
    weight_.components.push_back(
        {name, dtype, std::move(shape), std::span<const std::byte>(bytes).subspan(1)});
  }
  Weight& weight() { return weight_; }
  std::vector<float> decoded() {
    const Status status = weight_.form->check(weight_);
    EXPECT_TRUE(status.ok()) << status.message();
    std::vector<float> out(size_t(weight_.shape[0] * weight_.shape[1]));
    if (status.ok()) weight_.form->decode_rows(weight_, 0, weight_.shape[0], out.data());
    return out;
  }

 private:
  Weight weight_;
  std::vector<std::unique_ptr<std::vector<std::byte>>> bytes_;
};

class GroupedForms : public testing::Test {
 protected:
  GroupedForms() {
    const char* given = std::getenv("BRISK_TEST_SEED");
    const auto seed = given != nullptr ? uint32_t(std::strtoul(given, nullptr, 10)) : 20'261'123U;
    std::printf("BRISK_TEST_SEED=%u\n", seed);
    random_.seed(seed);
  }
  uint32_t below(uint32_t bound) { return uint32_t(random_() % bound); }
  float scale() { return std::uniform_real_distribution<float>(1e-3F, 1e-1F)(random_); }
  std::vector<uint16_t> half_scales(int64_t count) {
    std::vector<uint16_t> out(static_cast<size_t>(count));
    for (uint16_t& each : out) each = f32_to_f16(scale());
    return out;
  }

  std::mt19937 random_;
};

struct GptqCase {
  int64_t bits, n, k, group;
  bool less_one, ordered;
};

class Gptq : public GroupedForms, public testing::WithParamInterface<GptqCase> {
 protected:
  struct Made {
    OwnedWeight weight;
    std::vector<float> values;
  };
  Made make(const GptqCase& c) {
    const int64_t groups = (c.k + c.group - 1) / c.group;
    std::vector<int32_t> order(static_cast<size_t>(c.k));
    for (int64_t i = 0; i < c.k; ++i) order[size_t(i)] = int32_t(i / c.group);
    if (c.ordered) std::shuffle(order.begin(), order.end(), random_);
    const std::vector<uint16_t> scales = half_scales(groups * c.n);
    const uint32_t top = (1U << c.bits) - 1;
    Packed codes(c.n, c.k, c.bits), zeros(groups, c.n, c.bits);
    std::vector<uint32_t> zero(size_t(groups * c.n));
    for (int64_t g = 0; g < groups; ++g) {
      for (int64_t row = 0; row < c.n; ++row) {
        // From 1 on: what a zero of 0 less one does to its neighbours is tested apart.
        zero[size_t(g * c.n + row)] = 1 + below(top);
        zeros.put(g, row, zero[size_t(g * c.n + row)] - (c.less_one ? 1 : 0));
      }
    }
    std::vector<float> values;
    for (int64_t row = 0; row < c.n; ++row) {
      for (int64_t i = 0; i < c.k; ++i) {
        const uint32_t code = below(top + 1);
        codes.put(row, i, code);
        const auto at = size_t(order[size_t(i)] * c.n + row);
        values.push_back(f16_to_f32(scales[at]) * (float(code) - float(zero[at])));
      }
    }
    OwnedWeight weight("gptq", {c.n, c.k},
                       {{"bits", c.bits}, {"group", c.group}, {"zeros_less_one", c.less_one ? 1 : 0}});
    weight.add("qweight", DType::kI32, {codes.words(), c.n}, codes.transposed());
    weight.add("qzeros", DType::kI32, {groups, zeros.words()}, zeros.data());
    weight.add("scales", DType::kF16, {groups, c.n}, scales);
    if (c.ordered) weight.add("g_idx", DType::kI32, {c.k}, order);
    return {std::move(weight), std::move(values)};
  }
};

TEST_P(Gptq, DecodesWhatWasPacked) {
  Made made = make(GetParam());
  EXPECT_EQ(made.weight.decoded(), made.values);
  const Weight& weight = made.weight.weight();
  const int64_t k = weight.width();
  std::vector<float> rows(static_cast<size_t>(2 * k));
  weight.form->decode_rows(weight, 3, 2, rows.data());
  EXPECT_EQ(rows, std::vector<float>(made.values.begin() + 3 * k, made.values.begin() + 5 * k));
}

INSTANTIATE_TEST_SUITE_P(
    All, Gptq,
    testing::Values(GptqCase{2, 16, 64, 16, true, false}, GptqCase{2, 32, 48, 16, false, true},
                    GptqCase{3, 32, 96, 32, true, false}, GptqCase{3, 64, 64, 16, false, true},
                    GptqCase{4, 8, 32, 32, true, false}, GptqCase{4, 16, 72, 16, true, true},
                    GptqCase{4, 12, 40, 40, false, false}, GptqCase{8, 8, 36, 36, true, false},
                    GptqCase{8, 8, 1028, 1, false, true}, GptqCase{4, 9, 2100, 2, true, true}),
    [](const auto& one) {
      const GptqCase& c = one.param;
      return std::to_string(c.bits) + "bit_" + std::to_string(c.n) + "x" + std::to_string(c.k) + "_group" +
             std::to_string(c.group) + (c.less_one ? "_v1" : "_v2") + (c.ordered ? "_ordered" : "");
    });

TEST_F(GroupedForms, GptqZerosBorrowWithinAWord) {
  // Zeros 0, 3, 15, 0, 7, 1, 2, 9 less one, taken off the whole word.
  const uint32_t word = 0x9217'0F30U - 0x1111'1111U;
  OwnedWeight weight("gptq", {8, 8}, {{"bits", 4}, {"group", 8}, {"zeros_less_one", 1}});
  weight.add("qweight", DType::kI32, {1, 8}, std::vector<uint32_t>(8, 0));
  weight.add("qzeros", DType::kI32, {1, 1}, std::vector<uint32_t>{word});
  weight.add("scales", DType::kF32, {1, 8}, std::vector<float>(8, 1.0F));
  const std::vector<float> values = weight.decoded();
  std::vector<float> zeros;
  for (size_t row = 0; row < 8; ++row) zeros.push_back(-values[row * 8]);
  EXPECT_EQ(zeros, (std::vector<float>{0, 3, 15, 0, 7, 1, 2, 9}));
}

TEST_F(GroupedForms, AwqDecodesItsInterleavedOrder) {
  constexpr int64_t kN = 24, kK = 64, kGroup = 16, kGroups = kK / kGroup;
  constexpr int64_t kOrder[8] = {0, 2, 4, 6, 1, 3, 5, 7};
  const std::vector<uint16_t> scales = half_scales(kGroups * kN);
  Packed codes(kK, kN, 4), zeros(kGroups, kN, 4);
  std::vector<float> values(kN * kK);
  std::vector<uint32_t> zero(kGroups * kN);
  // The word's place p holds output kOrder[p] of its eight.
  const auto put = [&](Packed& to, int64_t line, int64_t place, uint32_t code) {
    to.put(line, place, code);
    return place / 8 * 8 + kOrder[place % 8];
  };
  for (int64_t g = 0; g < kGroups; ++g) {
    for (int64_t place = 0; place < kN; ++place) {
      const uint32_t code = below(16);
      zero[size_t(g * kN + put(zeros, g, place, code))] = code;
    }
  }
  for (int64_t i = 0; i < kK; ++i) {
    for (int64_t place = 0; place < kN; ++place) {
      const uint32_t code = below(16);
      const int64_t row = put(codes, i, place, code);
      const auto at = size_t(i / kGroup * kN + row);
      values[size_t(row * kK + i)] = f16_to_f32(scales[at]) * (float(code) - float(zero[at]));
    }
  }
  OwnedWeight weight("awq", {kN, kK}, {{"group", kGroup}});
  weight.add("qweight", DType::kI32, {kK, kN / 8}, codes.data());
  weight.add("qzeros", DType::kI32, {kGroups, kN / 8}, zeros.data());
  weight.add("scales", DType::kF16, {kGroups, kN}, scales);
  EXPECT_EQ(weight.decoded(), values);
}

TEST_F(GroupedForms, PackedIntegersWithAndWithoutZerosAndOrder) {
  for (const int64_t bits : {2, 4, 8}) {
    for (const bool with_zeros : {false, true}) {
      for (const bool ordered : {false, true}) {
        constexpr int64_t kN = 10, kK = 36, kGroup = 12, kGroups = kK / kGroup;
        std::vector<int32_t> order(kK);
        for (int64_t i = 0; i < kK; ++i) order[size_t(i)] = int32_t(i / kGroup);
        if (ordered) std::shuffle(order.begin(), order.end(), random_);
        const int32_t middle = 1 << (bits - 1);
        Packed codes(kN, kK, bits), zeros(kGroups, kN, bits);
        std::vector<float> scales(kN * kGroups), values;
        for (float& each : scales) each = scale();
        std::vector<int32_t> zero(kGroups * kN, 0);
        for (int64_t g = 0; g < kGroups; ++g) {
          for (int64_t row = 0; row < kN; ++row) {
            const int32_t drawn = int32_t(below(2U * uint32_t(middle))) - middle;
            if (with_zeros) zero[size_t(g * kN + row)] = drawn;
            zeros.put(g, row, uint32_t(drawn + middle));
          }
        }
        for (int64_t row = 0; row < kN; ++row) {
          for (int64_t i = 0; i < kK; ++i) {
            const int32_t code = int32_t(below(2U * uint32_t(middle))) - middle;
            codes.put(row, i, uint32_t(code + middle));
            const int64_t g = order[size_t(i)];
            values.push_back(scales[size_t(row * kGroups + g)] * float(code - zero[size_t(g * kN + row)]));
          }
        }
        OwnedWeight weight("packed_int", {kN, kK}, {{"bits", bits}, {"group", kGroup}});
        weight.add("codes", DType::kI32, {kN, codes.words()}, codes.data());
        weight.add("scales", DType::kF32, {kN, kGroups}, scales);
        if (with_zeros) weight.add("zeros", DType::kI32, {zeros.words(), kGroups}, zeros.transposed());
        if (ordered) weight.add("g_idx", DType::kI32, {kK}, order);
        EXPECT_EQ(weight.decoded(), values) << bits << " bits, zeros " << with_zeros << ", order " << ordered;
      }
    }
  }
}

TEST_F(GroupedForms, ScaledBytesInBlocksThatDoNotDivideTheMatrix) {
  constexpr int64_t kN = 7, kK = 11;
  for (const auto& [rows, columns] :
       {std::pair<int64_t, int64_t>{3, 4}, {1, 11}, {7, 11}, {1, 5}, {100, 100}}) {
    const int64_t down = (kN + rows - 1) / rows, across = (kK + columns - 1) / columns;
    std::vector<float> scales(size_t(down * across)), floats, integers;
    std::vector<int8_t> zeros(scales.size());
    for (float& each : scales) each = scale();
    for (int8_t& each : zeros) each = int8_t(below(256));
    std::vector<uint8_t> codes;
    for (int64_t row = 0; row < kN; ++row) {
      for (int64_t i = 0; i < kK; ++i) {
        codes.push_back(uint8_t(below(0x7F)));
        const auto block = size_t(row / rows * across + i / columns);
        floats.push_back(scales[block] * e4m3_to_f32(codes.back()));
        integers.push_back(scales[block] * float(int8_t(codes.back()) - zeros[block]));
      }
    }
    const std::vector<std::pair<std::string, int64_t>> settings = {{"block_rows", rows},
                                                                   {"block_columns", columns}};
    OwnedWeight fp8("fp8", {kN, kK}, settings);
    fp8.add("codes", DType::kF8E4M3, {kN, kK}, codes);
    fp8.add("scales", DType::kF32, {down, across}, scales);
    EXPECT_EQ(fp8.decoded(), floats);
    OwnedWeight int8("int8", {kN, kK}, settings);
    int8.add("codes", DType::kI8, {kN, kK}, codes);
    int8.add("scales", DType::kF32, {down, across}, scales);
    int8.add("zeros", DType::kI8, {down, across}, zeros);
    EXPECT_EQ(int8.decoded(), integers);
  }
}

TEST_F(GroupedForms, ScalesMayBeOfFourTypes) {
  const auto decode_one = [](DType dtype, const auto& scales) {
    OwnedWeight weight("int8", {1, 1}, {{"block_rows", 1}, {"block_columns", 1}});
    weight.add("codes", DType::kI8, {1, 1}, std::vector<int8_t>{-3});
    weight.add("scales", dtype, {1, 1}, scales);
    return weight.decoded()[0];
  };
  EXPECT_EQ(decode_one(DType::kF32, std::vector<float>{0.3F}), 0.3F * -3.0F);
  EXPECT_EQ(decode_one(DType::kF16, std::vector<uint16_t>{0x3800}), -1.5F);
  EXPECT_EQ(decode_one(DType::kBF16, std::vector<uint16_t>{0x3F00}), -1.5F);
  EXPECT_EQ(decode_one(DType::kF8E8M0, std::vector<uint8_t>{126}), -1.5F);
  EXPECT_TRUE(std::isnan(decode_one(DType::kF8E8M0, std::vector<uint8_t>{255})));
  EXPECT_TRUE(std::isnan(decode_one(DType::kF16, std::vector<uint16_t>{0x7E00})));
}

TEST(Fp8Values, AreThoseOfTheirDefinition) {
  for (int code = 0; code < 256; ++code) {
    const int exponent = code >> 3 & 15, mantissa = code & 7;
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);
    const float value = e4m3_to_f32(uint8_t(code));
    if ((code & 127) == 127) {
      EXPECT_TRUE(std::isnan(value));
      continue;
    }
    EXPECT_EQ(value, float(code >= 128 ? -magnitude : magnitude)) << code;
    EXPECT_EQ(std::signbit(value), code >= 128) << code;
  }
  for (int code = 0; code < 255; ++code) EXPECT_EQ(e8m0_to_f32(uint8_t(code)), std::ldexp(1.0F, code - 127));
  EXPECT_TRUE(std::isnan(e8m0_to_f32(255)));
}

// ---- What is refused ----

/// A weight of each form that is sound: 32 outputs, 64 inputs, groups or blocks of 16.
OwnedWeight sound(const std::string& form) {
  constexpr int64_t kN = 32, kK = 64, kGroups = 4;
  const std::vector<uint32_t> words(256 * 4, 0x55555555U);
  const auto first = [&](int64_t count) {
    return std::vector<uint32_t>(words.begin(), words.begin() + count);
  };
  const std::vector<float> scales(kN * kGroups, 1.0F);
  if (form == "gptq") {
    OwnedWeight weight("gptq", {kN, kK}, {{"bits", 4}, {"group", 16}, {"zeros_less_one", 1}});
    weight.add("qweight", DType::kI32, {8, kN}, first(8 * kN));
    weight.add("qzeros", DType::kI32, {kGroups, 4}, first(kGroups * 4));
    weight.add("scales", DType::kF32, {kGroups, kN}, scales);
    weight.add("g_idx", DType::kI32, {kK}, std::vector<int32_t>(kK, 3));
    return weight;
  }
  if (form == "awq") {
    OwnedWeight weight("awq", {kN, kK}, {{"group", 16}});
    weight.add("qweight", DType::kI32, {kK, 4}, first(kK * 4));
    weight.add("qzeros", DType::kI32, {kGroups, 4}, first(kGroups * 4));
    weight.add("scales", DType::kF32, {kGroups, kN}, scales);
    return weight;
  }
  if (form == "packed_int") {
    OwnedWeight weight("packed_int", {kN, kK}, {{"bits", 4}, {"group", 16}});
    weight.add("codes", DType::kI32, {kN, 8}, first(kN * 8));
    weight.add("scales", DType::kF32, {kN, kGroups}, scales);
    weight.add("zeros", DType::kI32, {4, kGroups}, first(4 * kGroups));
    weight.add("g_idx", DType::kI32, {kK}, std::vector<int32_t>(kK, 0));
    return weight;
  }
  const bool floats = form == "fp8";
  OwnedWeight weight(form.c_str(), {kN, kK}, {{"block_rows", 16}, {"block_columns", 16}});
  weight.add("codes", floats ? DType::kF8E4M3 : DType::kI8, {kN, kK}, std::vector<int8_t>(kN * kK, 1));
  weight.add("scales", DType::kF32, {2, 4}, std::vector<float>(8, 1.0F));
  if (!floats) weight.add("zeros", DType::kI8, {2, 4}, std::vector<int8_t>(8, 1));
  return weight;
}

constexpr const char* kForms[] = {"gptq", "awq", "packed_int", "fp8", "int8"};

void expect_refused(OwnedWeight& weight, const std::string& what) {
  const Status status = weight.weight().form->check(weight.weight());
  ASSERT_EQ(status.code(), StatusCode::kBadInput) << what;
  EXPECT_TRUE(status.parts().where.starts_with("weight m")) << status.message();
  EXPECT_FALSE(status.parts().expected.empty() || status.parts().got.empty() || status.parts().hint.empty())
      << status.message();
}

TEST(GroupedChecks, EachComponentIsHeldAgainstTheShape) {
  for (const std::string form : kForms) {
    const size_t count = sound(form).weight().components.size();
    for (size_t part = 0; part < count; ++part) {
      const std::vector<std::pair<const char*, std::function<void(WeightComponent&)>>> faults = {
          {"a type too many", [](WeightComponent& c) { c.dtype = DType::kI64; }},
          {"a row too many", [](WeightComponent& c) { c.shape[0] += 1; }},
          {"a dimension too many", [](WeightComponent& c) { c.shape.push_back(1); }},
          {"a byte too few", [](WeightComponent& c) { c.data = c.data.first(c.data.size() - 1); }},
          {"another name", [](WeightComponent& c) { c.name = "other"; }},
      };
      for (const auto& [fault, plant] : faults) {
        OwnedWeight weight = sound(form);
        ASSERT_TRUE(weight.weight().form->check(weight.weight()).ok())
            << weight.weight().form->check(weight.weight()).message();
        plant(weight.weight().components[part]);
        expect_refused(weight, form + ", component " + std::to_string(part) + ": " + fault);
      }
    }
  }
}

TEST(GroupedChecks, SettingsAndShapesOutOfRange) {
  constexpr int64_t kHuge = int64_t{1} << 62;
  for (const std::string form : kForms) {
    const size_t settings = sound(form).weight().settings.size();
    for (size_t i = 0; i < settings; ++i) {
      for (const int64_t value : {int64_t{-1}, kHuge, int64_t{0}}) {
        OwnedWeight weight = sound(form);
        if (weight.weight().settings[i].first == "zeros_less_one" && value == 0) continue;
        weight.weight().settings[i].second = value;
        expect_refused(weight, form + ", setting " + std::to_string(i) + ": " + std::to_string(value));
      }
      OwnedWeight weight = sound(form);
      weight.weight().settings.erase(weight.weight().settings.begin() + static_cast<int64_t>(i));
      expect_refused(weight, form + ", without setting " + std::to_string(i));
    }
    for (const Shape& shape :
         {Shape{32}, Shape{0, 64}, Shape{32, -64}, Shape{kHuge, 64}, Shape{32, kHuge}, Shape{}}) {
      OwnedWeight weight = sound(form);
      weight.weight().shape = shape;
      expect_refused(weight, form + " " + to_string(shape));
    }
  }
}

TEST(GroupedChecks, GroupsThatDoNotExist) {
  for (const char* form : {"gptq", "packed_int"}) {
    for (const int32_t group : {-1, 4, 1 << 30, INT32_MIN}) {
      OwnedWeight weight = sound(form);
      weight.weight().components.pop_back();
      std::vector<int32_t> order(64, 2);
      order[37] = group;
      weight.add("g_idx", DType::kI32, {64}, order);
      const Status status = weight.weight().form->check(weight.weight());
      ASSERT_EQ(status.code(), StatusCode::kBadInput);
      EXPECT_EQ(status.parts().where, "weight m, component g_idx");
      EXPECT_EQ(status.parts().expected, "groups from 0 to 3");
      EXPECT_EQ(status.parts().got, std::to_string(group) + " for input 37");
    }
  }
}

TEST(GroupedChecks, WidthsOfCodesAndGroupsThatDoNotFit) {
  const auto refused = [](const char* form, const char* setting, int64_t value) {
    OwnedWeight weight = sound(form);
    for (auto& [name, number] : weight.weight().settings) {
      if (name == setting) number = value;
    }
    expect_refused(weight, std::string(form) + ", " + setting + " " + std::to_string(value));
  };
  for (const int64_t bits : {3, 5, 6, 7, 8}) refused("packed_int", "bits", bits);
  for (const int64_t bits : {3, 5, 6, 7, 8}) refused("gptq", "bits", bits);
  for (const int64_t group : {24, 48, 65}) refused("packed_int", "group", group);
  for (const int64_t group : {24, 48, 65}) refused("awq", "group", group);
  for (const int64_t group : {24, 15, 65}) refused("gptq", "group", group);
}

// Components of the sizes that the settings ask for, where the settings cannot be.
TEST(GroupedChecks, SettingsThatOnlyTheirOwnCheckRefuses) {
  const auto words = [](int64_t count) { return std::vector<uint32_t>(size_t(count), 0); };
  const auto floats = [](int64_t count) { return std::vector<float>(size_t(count), 1.0F); };
  OwnedWeight part("packed_int", {32, 64}, {{"bits", 4}, {"group", 24}});
  part.add("codes", DType::kI32, {32, 8}, words(256));
  part.add("scales", DType::kF32, {32, 2}, floats(64));
  expect_refused(part, "packed integers in groups that do not divide the width");
  OwnedWeight three("packed_int", {32, 64}, {{"bits", 3}, {"group", 16}});
  three.add("codes", DType::kI32, {32, 6}, words(192));
  three.add("scales", DType::kF32, {32, 4}, floats(128));
  expect_refused(three, "packed integers of three bits");
  OwnedWeight awq("awq", {32, 64}, {{"group", 24}});
  awq.add("qweight", DType::kI32, {64, 4}, words(256));
  awq.add("qzeros", DType::kI32, {2, 4}, words(8));
  awq.add("scales", DType::kF32, {2, 32}, floats(64));
  expect_refused(awq, "AWQ in groups that do not divide the width");
  for (const auto& [n, k] : {std::pair<int64_t, int64_t>{32, 72}, {40, 64}}) {
    OwnedWeight odd("gptq", {n, k}, {{"bits", 3}, {"group", k}, {"zeros_less_one", 0}});
    const int64_t down = (k * 3 + 31) / 32, across = (n * 3 + 31) / 32;
    odd.add("qweight", DType::kI32, {down, n}, words(down * n));
    odd.add("qzeros", DType::kI32, {1, across}, words(across));
    odd.add("scales", DType::kF32, {1, n}, floats(n));
    expect_refused(odd, "three bits in sides that are no multiples of 32");
  }
  OwnedWeight five("gptq", {32, 64}, {{"bits", 5}, {"group", 64}, {"zeros_less_one", 0}});
  five.add("qweight", DType::kI32, {10, 32}, words(320));
  five.add("qzeros", DType::kI32, {1, 5}, words(5));
  five.add("scales", DType::kF32, {1, 32}, floats(32));
  expect_refused(five, "five bits");
}

}  // namespace
}  // namespace brisk::quant
