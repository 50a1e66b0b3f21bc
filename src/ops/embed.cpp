// embed: rows of the embedding table, decoded to f32.
//     tokens i32 [rows], table weight [vocabulary, width] of any form -> f32 [rows, width]
// Token ids were checked against the vocabulary when the batch was made.
#include "kernels/embed/embed.hpp"
#include "ops/op.hpp"
#include "quant/weight_form.hpp"

namespace brisk::ops {

namespace {

class Embed final : public BoundOp {
 public:
  Embed(const Weight& table, const NodeView& node, const BindContext& context)
      : table_(table), rows_(node.inputs[0].shape[0]), tokens_(context.input_offsets[0]),
        out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    const int64_t width = table_.width();
    context.pool->parallel_ranges(context.size(rows_), 8, [&](int64_t begin, int64_t end) {
      kernels::embed({&table_, context.at<int32_t>(tokens_) + begin, end - begin,
                      context.at<float>(out_) + begin * width, width});
    });
  }
  const char* kernel() const override { return "embed__ref"; }
  OpCost cost(const StepContext& context) const override {
    const int64_t row_bytes = table_.bytes() / table_.shape[0];
    return {context.size(rows_) * (row_bytes + table_.width() * 4), 0};
  }

 private:
  const Weight& table_;
  Dim rows_;
  int64_t tokens_, out_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 2));
  BRISK_TRY(expect_row_numbers(node, 0));
  const Weight* table = node.weights[1];
  if (table == nullptr || table->shape.size() != 2 || table->form == nullptr) {
    return node_error(node, "a table [vocabulary, width] of a weight form", "something else");
  }
  return std::vector{
      ValueType{ValueForm::kTensor, DType::kF32, {node.inputs[0].shape[0], Dim(table->shape[1])}}};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  const Weight& table = *node.weights[1];
  BRISK_TRY(table.form->check(table));
  return std::unique_ptr<BoundOp>(std::make_unique<Embed>(table, node, context));
}

}  // namespace

Op op_embed() { return {"embed", infer, bind}; }

}  // namespace brisk::ops
