// quantize_rows: f32 [rows, k] -> int8 rows with a scale per 32 values, the activation form that integer
// products read. A node of its own, so that all products of one input share it.
#include "kernels/quantize/quantize.hpp"
#include "ops/op.hpp"
#include "ops/q8_rows.hpp"

namespace brisk::ops {

namespace {

class QuantizeRows final : public BoundOp {
 public:
  QuantizeRows(const NodeView& node, const BindContext& context)
      : kernel_(kernels::find_quantize(context.isa)), rows_(node.inputs[0].shape[0]),
        width_(node.inputs[0].shape[1].constant()), most_rows_(rows_.evaluate(context.most)),
        in_(context.input_offsets[0]), out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    const Q8Layout layout = q8_layout(most_rows_, width_);
    std::byte* out = context.at<std::byte>(out_);
    context.pool->parallel_ranges(context.size(rows_), 4, [&](int64_t begin, int64_t end) {
      kernel_.run({context.at<float>(in_) + begin * width_, width_, end - begin, width_,
                   reinterpret_cast<int8_t*>(out) + begin * kernels::q8_value_stride(width_),
                   reinterpret_cast<float*>(out + layout.scales_offset) + begin * (width_ / 32),
                   reinterpret_cast<int32_t*>(out + layout.sums_offset) + begin * (width_ / 16)});
    });
  }
  const char* kernel() const override { return kernel_.name; }
  OpCost cost(const StepContext& context) const override {
    const int64_t values = context.size(rows_) * width_;
    return {values * 5, values * 3};
  }

 private:
  const kernels::QuantizeVariant& kernel_;
  Dim rows_;
  int64_t width_, most_rows_, in_, out_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 1));
  BRISK_TRY(expect_rows(node, 0, -1));
  if (node.inputs[0].shape[1].constant() % kernels::kQ8Block != 0) {
    return node_error(node, "a width that is a multiple of 32", node.inputs[0].shape[1].to_string({}));
  }
  ValueType out = node.inputs[0];
  out.form = ValueForm::kQ8Rows;
  out.dtype = DType::kI8;
  return std::vector{out};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  return std::unique_ptr<BoundOp>(std::make_unique<QuantizeRows>(node, context));
}

}  // namespace

Op op_quantize_rows() { return {"quantize_rows", infer, bind}; }

}  // namespace brisk::ops
