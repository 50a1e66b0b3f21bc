// Ops look at a weight before they read it: by its form, and never only by the type of a component.
#include <gtest/gtest.h>

#include <vector>

#include "ops/op.hpp"
#include "quant/weight_form.hpp"

namespace brisk::ops {
namespace {

constexpr int64_t kWidth = 8;

/// rms_norm of rows of eight values with this weight, inferred and bound.
Status bind_rms_norm(const Weight& weight) {
  const Op* op = find_op("rms_norm");
  const ValueType rows{ValueForm::kTensor, DType::kF32, {Dim(1), Dim(kWidth)}};
  const ValueType inputs[] = {rows, {ValueForm::kTensor, weight.dtype(), {Dim(kWidth)}}};
  const Weight* const weights[] = {nullptr, &weight};
  const Attributes attributes{{{"eps", 1e-5}}};
  const NodeView node{"norm", inputs, weights, attributes};
  BRISK_TRY(op->infer(node));
  const int64_t most[] = {1, 1}, in[] = {0, -1}, out[] = {64};
  BindContext context;
  context.most = most;
  context.input_offsets = in;
  context.output_offsets = out;
  return op->bind(node, context).status();
}

TEST(WeightChecks, AVectorOfF32IsTaken) {
  const std::vector<float> values(kWidth, 1.0F);
  EXPECT_TRUE(
      bind_rms_norm(quant::block_weight("w", DType::kF32, {kWidth}, std::as_bytes(std::span(values)))).ok());
}

TEST(WeightChecks, AVectorWithoutItsBytesIsRefused) {
  const Status status = bind_rms_norm(quant::block_weight("w", DType::kF32, {kWidth}, {}));
  ASSERT_EQ(status.code(), StatusCode::kBadInput);
  EXPECT_EQ(status.parts().where, "weight w, component blocks");
}

TEST(WeightChecks, OneComponentOfF32IsNotYetAVectorOfF32) {
  const std::vector<float> values(kWidth, 1.0F);
  quant::WeightForm other = *quant::find_form(DType::kF32);
  other.name = "coefficients";
  Weight weight = quant::block_weight("w", DType::kF32, {kWidth}, std::as_bytes(std::span(values)));
  weight.form = &other;
  EXPECT_EQ(bind_rms_norm(weight).parts().got, "coefficients");
  weight.form = nullptr;
  EXPECT_FALSE(bind_rms_norm(weight).ok());
}

}  // namespace
}  // namespace brisk::ops
