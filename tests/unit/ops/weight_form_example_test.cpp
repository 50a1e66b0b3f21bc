// The worked example of docs/howto/add-a-weight-form.md: its code stands here between the lines "// doc: ..."
// and "// doc: end", runs through the ops, and the last test compares it with the page.
#include <gtest/gtest.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu.hpp"
#include "base/memory.hpp"
#include "base/thread_pool.hpp"
#include "ops/op.hpp"

// doc: the form
// I8_ROWS: int8 rows with one f32 scale per row (8 bits a value, 32 bits a row), symmetric.
//
//     codes   I8 [n, k]
//     scales  F32 [n]
//
// value = scale of the row * code
#include "quant/weight_form.hpp"

namespace brisk::quant {
namespace {

Status check(const Weight& weight) {
  BRISK_TRY(check_matrix(weight));
  const int64_t n = weight.shape[0];
  return check_components(weight, {{"codes", DType::kI8, weight.shape}, {"scales", DType::kF32, {n}}});
}

void decode_rows(const Weight& weight, int64_t first_row, int64_t rows, float* out) noexcept {
  const WeightComponent& codes = weight.component("codes");
  const WeightComponent& scales = weight.component("scales");
  const int64_t k = weight.width();
  for (int64_t row = first_row; row < first_row + rows; ++row) {
    const auto scale = scales.at<float>(row);
    for (int64_t i = 0; i < k; ++i) *out++ = scale * static_cast<float>(codes.at<int8_t>(row * k + i));
  }
}

}  // namespace

WeightForm quant_i8_rows();
WeightForm quant_i8_rows() { return {"i8_rows", ActivationForm::kF32, check, decode_rows}; }

}  // namespace brisk::quant
// doc: end

namespace brisk::ops {
namespace {

const quant::WeightForm& i8_rows() {
  static const quant::WeightForm form = quant::quant_i8_rows();
  return form;
}

// doc: a weight
struct I8Rows {
  int64_t n, k;
  std::vector<int8_t> codes;  // [n, k]
  std::vector<float> scales;  // [n]

  Weight weight() const {
    return {"example",
            {n, k},
            &i8_rows(),
            {{"codes", DType::kI8, {n, k}, std::as_bytes(std::span(codes))},
             {"scales", DType::kF32, {n}, std::as_bytes(std::span(scales))}}};
  }
};
// doc: end

class I8RowsExample : public testing::Test {
 protected:
  I8RowsExample() {
    const char* given = std::getenv("BRISK_TEST_SEED");
    const auto seed = static_cast<uint32_t>(given != nullptr ? std::strtoul(given, nullptr, 10) : 20'261'123);
    std::printf("BRISK_TEST_SEED=%u\n", seed);
    random_.seed(seed);
    pool_ = ThreadPool::create(2).value();
  }

  I8Rows random_rows(int64_t n, int64_t k) {
    I8Rows rows{n, k, std::vector<int8_t>(static_cast<size_t>(n * k)), random_floats(n)};
    for (int8_t& code : rows.codes) code = static_cast<int8_t>(random_() & 255);
    return rows;
  }
  std::vector<float> random_floats(int64_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = normal(random_);
    return values;
  }

  /// x times the weight, f32 activations, through the op; `kernel` is told who served.
  std::vector<float> linear(const Weight& weight, const std::vector<float>& x, Isa isa, std::string& kernel) {
    const auto rows = static_cast<int64_t>(x.size()) / weight.width();
    return run("linear", {ValueForm::kTensor, DType::kF32, {Dim::symbol(0), Dim(weight.width())}}, weight,
               std::as_bytes(std::span(x)), rows, rows * weight.shape[0], isa, kernel);
  }
  std::vector<float> embed(const Weight& table, const std::vector<int32_t>& tokens, std::string& kernel) {
    const auto rows = static_cast<int64_t>(tokens.size());
    return run("embed", {ValueForm::kTensor, DType::kI32, {Dim::symbol(0)}}, table,
               std::as_bytes(std::span(tokens)), rows, rows * table.width(), Isa::kRef, kernel);
  }

  Result<std::unique_ptr<BoundOp>> bind(const char* op_name, const ValueType& in, const Weight& weight,
                                        BindContext context) {
    const Op* op = find_op(op_name);
    const ValueType inputs[] = {in, {ValueForm::kTensor, weight.dtype(), {}}};
    const Weight* const weights[] = {nullptr, &weight};
    const Attributes none;
    const NodeView node{"product", inputs, weights, none};
    BRISK_ASSIGN(const std::vector<ValueType> outputs, op->infer(node));
    context.outputs = outputs;
    return op->bind(node, context);
  }

 private:
  std::vector<float> run(const char* op_name, const ValueType& in, const Weight& weight,
                         std::span<const std::byte> input, int64_t rows, int64_t out_floats, Isa isa,
                         std::string& kernel) {
    const auto out_at = static_cast<int64_t>((input.size() + 63) / 64 * 64);
    auto arena = AlignedBuffer::allocate(static_cast<size_t>(out_at + out_floats * 4), "arena").value();
    std::memcpy(arena.data(), input.data(), input.size());
    const int64_t symbols[] = {rows, 0}, in_offsets[] = {0, -1}, out_offsets[] = {out_at};
    BindContext context;
    context.isa = isa;
    context.most = symbols;
    context.input_offsets = in_offsets;
    context.output_offsets = out_offsets;
    const auto bound = bind(op_name, in, weight, context).value();
    kernel = bound->kernel();
    auto packed = AlignedBuffer::allocate(static_cast<size_t>(bound->packed_bytes()), "packed").value();
    if (bound->packed_bytes() > 0) bound->pack(packed.data(), *pool_);
    const int64_t stride = (bound->scratch_bytes() + 63) / 64 * 64;
    auto scratch = AlignedBuffer::allocate(static_cast<size_t>(stride * pool_->lanes()), "scratch").value();
    StepContext step;
    step.arena = arena.data();
    step.symbols = symbols;
    step.pool = pool_.get();
    step.scratch = scratch.data();
    step.scratch_stride = stride;
    bound->run(step);
    const auto* out = reinterpret_cast<const float*>(arena.data() + out_at);
    return {out, out + out_floats};
  }

  std::mt19937 random_;
  std::unique_ptr<ThreadPool> pool_;
};

std::vector<float> decoded(const Weight& weight) {
  std::vector<float> values(static_cast<size_t>(weight.shape[0] * weight.shape[1]));
  weight.form->decode_rows(weight, 0, weight.shape[0], values.data());
  return values;
}

std::vector<uint32_t> bits(const std::vector<float>& values) {
  std::vector<uint32_t> out;
  for (const float value : values) out.push_back(std::bit_cast<uint32_t>(value));
  return out;
}

TEST_F(I8RowsExample, DecodesStatedValues) {
  const I8Rows rows{2, 3, {1, -2, 3, 127, -128, 0}, {0.5F, 2.0F}};
  EXPECT_EQ(decoded(rows.weight()), (std::vector<float>{0.5F, -1.0F, 1.5F, 254.0F, -256.0F, 0.0F}));
  EXPECT_DOUBLE_EQ(quant::bits_per_weight(rows.weight()), 8 + 32.0 / 3);
}

TEST_F(I8RowsExample, LinearEqualsTheDenseProductBitForBit) {
  constexpr std::pair<int64_t, int64_t> kShapes[] = {{1, 1}, {3, 33}, {64, 100}, {65, 256}, {200, 600}};
  int products = 0;
  for (const Isa isa : kAllIsas) {
    if (isa > cpu_info().best) continue;
    for (const auto& [n, k] : kShapes) {
      const I8Rows rows = random_rows(n, k);
      const std::vector<float> values = decoded(rows.weight());
      const Weight dense =
          quant::block_weight("dense", DType::kF32, {n, k}, std::as_bytes(std::span(values)));
      for (const int64_t m : {1, 2, 7, 33}) {
        const std::vector<float> x = random_floats(m * k);
        std::string kernel, dense_kernel;
        const std::vector<float> got = linear(rows.weight(), x, isa, kernel);
        ASSERT_EQ(bits(got), bits(linear(dense, x, isa, dense_kernel))) << kernel << " " << n << " " << k;
        EXPECT_EQ(kernel, "linear_f32_decoded_i8_rows__" + std::string(isa_name(isa)));
        EXPECT_EQ(dense_kernel.find("decoded"), std::string::npos) << dense_kernel;
        ++products;
      }
    }
  }
  EXPECT_GE(products, 20);
}

TEST_F(I8RowsExample, ARowHasTheSameBitsAloneAndInCompany) {
  const I8Rows rows = random_rows(150, 300);
  const std::vector<float> x = random_floats(9 * 300);
  std::string kernel;
  const std::vector<float> together = linear(rows.weight(), x, cpu_info().best, kernel);
  for (int64_t row = 0; row < 9; ++row) {
    const std::vector<float> alone =
        linear(rows.weight(), {x.begin() + row * 300, x.begin() + (row + 1) * 300}, cpu_info().best, kernel);
    const std::vector<float> same(together.begin() + row * 150, together.begin() + (row + 1) * 150);
    EXPECT_EQ(bits(alone), bits(same)) << "row " << row;
  }
}

TEST_F(I8RowsExample, EmbedReadsItsRows) {
  const I8Rows rows = random_rows(5, 40);
  const std::vector<float> values = decoded(rows.weight());
  std::string kernel;
  const std::vector<float> out = embed(rows.weight(), {4, 0, 4}, kernel);
  for (const auto& [at, token] : {std::pair{0, 4}, {1, 0}, {2, 4}}) {
    const std::vector<float> got(out.begin() + at * 40, out.begin() + (at + 1) * 40);
    EXPECT_EQ(got, std::vector<float>(values.begin() + token * 40, values.begin() + (token + 1) * 40));
  }
}

TEST_F(I8RowsExample, WrongComponentsAreErrorsBeforeAnythingIsRead) {
  const I8Rows rows = random_rows(4, 8);
  const std::vector<std::pair<const char*, void (*)(Weight&)>> faults = {
      {"codes are missing", [](Weight& w) { w.components.erase(w.components.begin()); }},
      {"scales are missing", [](Weight& w) { w.components.pop_back(); }},
      {"scales of another type", [](Weight& w) { w.components[1].dtype = DType::kF16; }},
      {"a scale too few", [](Weight& w) { w.components[1].shape = {3}; }},
      {"codes of another width", [](Weight& w) { w.components[0].shape = {4, 7}; }},
      {"codes cut short", [](Weight& w) { w.components[0].data = w.components[0].data.first(31); }},
      {"a component too many", [](Weight& w) { w.components.push_back({"zeros", DType::kI8, {4}, {}}); }},
  };
  const int64_t most[] = {1, 0}, in[] = {0, -1}, out[] = {64};
  for (const auto& [fault, plant] : faults) {
    Weight weight = rows.weight();
    ASSERT_TRUE(i8_rows().check(weight).ok());
    plant(weight);
    const Status status = i8_rows().check(weight);
    ASSERT_EQ(status.code(), StatusCode::kBadInput) << fault;
    EXPECT_NE(status.parts().where.find("example"), std::string::npos) << status.message();
    EXPECT_FALSE(status.parts().expected.empty() || status.parts().got.empty() || status.parts().hint.empty())
        << status.message();
    BindContext context;
    context.most = most;
    context.input_offsets = in;
    context.output_offsets = out;
    const ValueType x{ValueForm::kTensor, DType::kF32, {Dim::symbol(0), Dim(8)}};
    EXPECT_EQ(bind("linear", x, weight, context).status().code(), StatusCode::kBadInput) << fault;
    const ValueType tokens{ValueForm::kTensor, DType::kI32, {Dim::symbol(0)}};
    EXPECT_EQ(bind("embed", tokens, weight, context).status().code(), StatusCode::kBadInput) << fault;
  }
}

std::string read_file(const std::string& path) {
  const char* source = std::getenv("BRISK_SOURCE_DIR");
  std::ifstream in(std::string(source != nullptr ? source : ".") + "/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The texts between a line that begins with `open` and the next line that is `close`.
std::vector<std::string> regions(const std::string& text, std::string_view open, std::string_view close) {
  std::vector<std::string> found;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string line = text.substr(at, end - at);
    if (inside && line == std::string(close) + "\n") {
      inside = false;
    } else if (inside) {
      found.back() += line;
    } else if (line.starts_with(open)) {
      inside = true;
      found.emplace_back();
    }
    at = end;
  }
  return found;
}

TEST(WeightFormHowto, QuotesTheCodeOfThisFile) {
  const auto code =
      regions(read_file("tests/unit/ops/weight_form_example_test.cpp"), "// doc: ", "// doc: end");
  const auto page = regions(read_file("docs/howto/add-a-weight-form.md"), "```cpp", "```");
  ASSERT_EQ(code.size(), 2U);
  EXPECT_EQ(page, code);
}

}  // namespace
}  // namespace brisk::ops
