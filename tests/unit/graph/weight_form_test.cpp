// The pass quantize_activations asks the weight's form what its products want, and never wants a kernel
// that is not there.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "graph/graph.hpp"
#include "graph/passes/pass.hpp"
#include "quant/weight_form.hpp"
#include "support/block_formats.hpp"

namespace brisk::graph {
namespace {

/// Whether int8 rows are made for a product with a weight [16, width] of this form.
bool makes_int8_rows(const quant::WeightForm& form, int64_t width, bool exact = false) {
  const std::vector<std::byte> bytes(*dtype_bytes(form.blocks->dtype, 16 * width));
  Weight weight = quant::block_weight("w", form.blocks->dtype, {16, width}, bytes);
  weight.form = &form;
  Graph graph;
  const ValueId x =
      graph.add_input("x", {ops::ValueForm::kTensor, DType::kF32, {Dim::symbol(kTokens), Dim(width)}});
  const ValueId w = graph.add_weight(std::move(weight));
  graph.begin_segment("only");
  graph.mark_output(graph.add_node("product", "linear", {x, w}).value()[0]);
  PassContext context;
  context.exact = exact;
  const std::vector<std::string> off;
  const auto reports = run_passes(graph, context, off);
  EXPECT_TRUE(reports.ok()) << reports.status().message();
  return std::ranges::any_of(
      graph.nodes(), [](const Node& node) { return std::string_view(node.op->name) == "quantize_rows"; });
}

TEST(QuantizeActivations, AsksTheForm) {
  for (const quant::BlockFormat& format : test::block_formats()) {
    const quant::WeightForm& form = *quant::find_form(format.dtype);
    EXPECT_EQ(makes_int8_rows(form, 256), form.wants == quant::ActivationForm::kQ8) << form.name;
    EXPECT_FALSE(makes_int8_rows(form, 256, true)) << form.name << " in exact mode";
  }
}

TEST(QuantizeActivations, AFormMayPreferF32) {
  quant::WeightForm form = *quant::find_form(DType::kQ8_0);
  EXPECT_TRUE(makes_int8_rows(form, 256));
  form.wants = quant::ActivationForm::kF32;
  EXPECT_FALSE(makes_int8_rows(form, 256));
}

TEST(QuantizeActivations, LeavesAProductAloneForWhichThereIsNoKernel) {
  quant::WeightForm form = *quant::find_form(DType::kQ8_0);
  form.name = "a form that no kernel names";
  EXPECT_FALSE(makes_int8_rows(form, 256));
}

}  // namespace
}  // namespace brisk::graph
