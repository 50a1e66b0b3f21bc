// rope: x f32 [rows, heads * head_dim], table f32 [rows, rotated] -> x with each head rotated.
// Attributes head_dim, style (kernels::RopeStyle).
#include <cstring>

#include "kernels/rope/rope.hpp"
#include "ops/op.hpp"

namespace brisk::ops {

namespace {

class Rope final : public BoundOp {
 public:
  Rope(const NodeView& node, const BindContext& context)
      : kernel_(kernels::find_rope(context.isa)), rows_(node.inputs[0].shape[0]),
        width_(node.inputs[0].shape[1].constant()), rotated_(node.inputs[1].shape[1].constant()),
        head_dim_(node.attributes.integer("head_dim")),
        style_(static_cast<kernels::RopeStyle>(node.attributes.integer("style"))),
        in_(context.input_offsets[0]), table_(context.input_offsets[1]), out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    context.pool->parallel_ranges(context.size(rows_), 4, [&](int64_t begin, int64_t end) {
      float* out = context.at<float>(out_) + begin * width_;
      if (in_ != out_) {
        std::memcpy(out, context.at<float>(in_) + begin * width_,
                    static_cast<size_t>((end - begin) * width_) * sizeof(float));
      }
      kernel_.apply({out, width_, context.at<float>(table_) + begin * rotated_, end - begin,
                     width_ / head_dim_, head_dim_, rotated_, style_});
    });
  }
  const char* kernel() const override { return kernel_.name; }
  OpCost cost(const StepContext& context) const override {
    const int64_t values = context.size(rows_) * width_;
    return {values * 8, values * 3};
  }

 private:
  const kernels::RopeVariant& kernel_;
  Dim rows_;
  int64_t width_, rotated_, head_dim_;
  kernels::RopeStyle style_;
  int64_t in_, table_, out_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 2));
  BRISK_TRY(expect_rows(node, 0, -1));
  BRISK_TRY(expect_rows(node, 1, -1, true));
  const int64_t head_dim = node.attributes.integer("head_dim");
  if (node.inputs[0].shape[1].constant() % head_dim != 0 || node.inputs[1].shape[1].constant() > head_dim ||
      node.inputs[1].shape[1].constant() % 2 != 0) {
    return node_error(node, "whole heads, at least as wide as the table of whole pairs",
                      "head_dim " + std::to_string(head_dim));
  }
  return std::vector{node.inputs[0]};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  return std::unique_ptr<BoundOp>(std::make_unique<Rope>(node, context));
}

}  // namespace

Op op_rope() {
  static constexpr AttributeRule kAttributes[] = {{"head_dim", AttributeKind::kInteger, 1},
                                                  {"style", AttributeKind::kInteger, 0, 1}};
  return {"rope", infer, bind, true, kAttributes};
}

}  // namespace brisk::ops
