// rms_norm: x f32 [rows, width], weight f32 [width], attribute eps -> f32 [rows, width].
#include "kernels/norm/norm.hpp"
#include "ops/op.hpp"
#include "quant/weight_form.hpp"

namespace brisk::ops {

namespace {

class RmsNorm final : public BoundOp {
 public:
  RmsNorm(const NodeView& node, const BindContext& context)
      : kernel_(kernels::find_rms_norm(context.isa)), rows_(node.inputs[0].shape[0]),
        width_(node.inputs[0].shape[1].constant()), eps_(static_cast<float>(node.attributes.real("eps"))),
        weight_(reinterpret_cast<const float*>(node.weights[1]->only().data.data())),
        in_(context.input_offsets[0]), out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    context.pool->parallel_ranges(context.size(rows_), 4, [&](int64_t begin, int64_t end) {
      kernel_.run({context.at<float>(in_) + begin * width_, width_, weight_, eps_, end - begin, width_,
                   context.at<float>(out_) + begin * width_, width_});
    });
  }
  const char* kernel() const override { return kernel_.name; }
  OpCost cost(const StepContext& context) const override {
    const int64_t values = context.size(rows_) * width_;
    return {values * 8 + width_ * 4, values * 4};
  }

 private:
  const kernels::RmsNormVariant& kernel_;
  Dim rows_;
  int64_t width_;
  float eps_;
  const float* weight_;
  int64_t in_, out_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 2));
  BRISK_TRY(expect_rows(node, 0, -1));
  const DType f32 = DType::kF32;
  BRISK_TRY(expect_weight(node, 1, {node.inputs[0].shape[1].constant()}, &f32));
  return std::vector{node.inputs[0]};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  const Weight& weight = *node.weights[1];
  BRISK_TRY(weight.form->check(weight));
  return std::unique_ptr<BoundOp>(std::make_unique<RmsNorm>(node, context));
}

}  // namespace

Op op_rms_norm() {
  static constexpr AttributeRule kAttributes[] = {{"eps", AttributeKind::kReal}};
  return {"rms_norm", infer, bind, true, kAttributes};
}

}  // namespace brisk::ops
