// embed: rows of the embedding table, decoded to f32.
//     tokens i32 [rows], table weight [vocabulary, width] of any block format -> f32 [rows, width]
// Token ids were checked against the vocabulary when the batch was made.
#include "kernels/embed/embed.hpp"
#include "ops/op.hpp"
#include "quant/block_format.hpp"

namespace brisk::ops {

namespace {

class Embed final : public BoundOp {
 public:
  Embed(const Weight& table, const NodeView& node, const BindContext& context)
      : table_(table), rows_(node.inputs[0].shape[0]), tokens_(context.input_offsets[0]),
        out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    const int64_t width = table_.shape[1];
    context.pool->parallel_ranges(context.size(rows_), 8, [&](int64_t begin, int64_t end) {
      kernels::embed({table_.dtype, table_.data.data(), table_.shape[0], width,
                      context.at<int32_t>(tokens_) + begin, end - begin,
                      context.at<float>(out_) + begin * width, width});
    });
  }
  const char* kernel() const override { return "embed__ref"; }
  OpCost cost(const StepContext& context) const override {
    const int64_t row_bytes = static_cast<int64_t>(table_.data.size()) / table_.shape[0];
    return {context.size(rows_) * (row_bytes + table_.shape[1] * 4), 0};
  }

 private:
  const Weight& table_;
  Dim rows_;
  int64_t tokens_, out_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 2));
  const ValueType& tokens = node.inputs[0];
  if (tokens.dtype != DType::kI32 || tokens.shape.size() != 1) {
    return node_error(node, "token ids i32 [rows]", "something else");
  }
  const Weight* table = node.weights[1];
  if (table == nullptr || table->shape.size() != 2 || quant::find_format(table->dtype) == nullptr) {
    return node_error(node, "a table [vocabulary, width] in a weight format", "something else");
  }
  return std::vector{ValueType{ValueForm::kTensor, DType::kF32, {tokens.shape[0], Dim(table->shape[1])}}};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  return std::unique_ptr<BoundOp>(std::make_unique<Embed>(*node.weights[1], node, context));
}

}  // namespace

Op op_embed() { return {"embed", infer, bind}; }

}  // namespace brisk::ops
