// rope_table: positions i32 [rows] -> f32 [rows, rotated]: cosines, then sines, of position * frequency.
// Attribute frequencies (rotated / 2 numbers). One node serves all layers.
#include "kernels/rope/rope.hpp"
#include "ops/op.hpp"

namespace brisk::ops {

namespace {

class RopeTable final : public BoundOp {
 public:
  RopeTable(const NodeView& node, const BindContext& context)
      : kernel_(kernels::find_rope(context.isa)), frequencies_(node.attributes.reals("frequencies")),
        rows_(node.inputs[0].shape[0]), in_(context.input_offsets[0]), out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    const int64_t rotated = 2 * static_cast<int64_t>(frequencies_.size());
    context.pool->parallel_ranges(context.size(rows_), 4, [&](int64_t begin, int64_t end) {
      kernel_.table({context.at<int32_t>(in_) + begin, frequencies_.data(), end - begin, rotated,
                     context.at<float>(out_) + begin * rotated});
    });
  }
  const char* kernel() const override { return kernel_.name; }
  OpCost cost(const StepContext& context) const override {
    const int64_t values = context.size(rows_) * 2 * static_cast<int64_t>(frequencies_.size());
    return {values * 4, values * 16};
  }

 private:
  const kernels::RopeVariant& kernel_;
  std::vector<float> frequencies_;
  Dim rows_;
  int64_t in_, out_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 1));
  BRISK_TRY(expect_row_numbers(node, 0));
  const auto rotated = 2 * static_cast<int64_t>(node.attributes.reals("frequencies").size());
  return std::vector{ValueType{ValueForm::kTensor, DType::kF32, {node.inputs[0].shape[0], Dim(rotated)}}};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  return std::unique_ptr<BoundOp>(std::make_unique<RopeTable>(node, context));
}

}  // namespace

Op op_rope_table() {
  static constexpr AttributeRule kAttributes[] = {{"frequencies", AttributeKind::kReals, 1}};
  return {"rope_table", infer, bind, false, kAttributes};
}

}  // namespace brisk::ops
