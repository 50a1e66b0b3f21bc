// Ops that combine two f32 inputs of one shape, of any rank, value by value.
#pragma once

#include "kernels/activation/activation.hpp"
#include "ops/op.hpp"

namespace brisk::ops {

template <auto Function>
class Pointwise final : public BoundOp {
 public:
  Pointwise(const NodeView& node, const BindContext& context)
      : kernel_(kernels::find_activation(context.isa)), shape_(node.inputs[0].shape),
        a_(context.input_offsets[0]), b_(context.input_offsets[1]), out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    context.pool->parallel_ranges(context.count(shape_), kLeast, [&](int64_t begin, int64_t end) {
      (kernel_.*Function)(context.at<float>(a_) + begin, context.at<float>(b_) + begin, end - begin,
                          context.at<float>(out_) + begin);
    });
  }
  const char* kernel() const override { return kernel_.name; }
  OpCost cost(const StepContext& context) const override {
    const int64_t values = context.count(shape_);
    return {values * 12, values};
  }

 private:
  static constexpr int64_t kLeast = 2048;  // values that are worth waking a lane for

  const kernels::ActivationVariant& kernel_;
  std::vector<Dim> shape_;
  int64_t a_, b_, out_;
};

inline Result<std::vector<ValueType>> infer_pointwise(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 2));
  for (size_t i = 0; i < 2; ++i) {
    const ValueType& type = node.inputs[i];
    if (type.form != ValueForm::kTensor || type.dtype != DType::kF32 || node.weights[i] != nullptr) {
      return node_error(node, "f32 activations", "something else as input " + std::to_string(i));
    }
  }
  if (!(node.inputs[0] == node.inputs[1])) return node_error(node, "two inputs of one shape", "two shapes");
  return std::vector{node.inputs[0]};
}

template <auto Function>
Op pointwise_op(const char* name) {
  return {name, infer_pointwise,
          [](const NodeView& node, const BindContext& context) -> Result<std::unique_ptr<BoundOp>> {
            return std::unique_ptr<BoundOp>(std::make_unique<Pointwise<Function>>(node, context));
          },
          true};
}

}  // namespace brisk::ops
