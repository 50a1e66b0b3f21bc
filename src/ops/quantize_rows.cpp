// quantize_rows: f32 [rows, k] -> pairs of int8 rows with a scale per 32 values (ops/q8_rows.hpp), the
// activation form that integer products read. A node of its own, so that all products of one input share it.
#include "kernels/quantize/quantize.hpp"
#include "ops/op.hpp"
#include "ops/q8_rows.hpp"

namespace brisk::ops {

namespace {

class QuantizeRows final : public BoundOp {
 public:
  QuantizeRows(const NodeView& node, const BindContext& context)
      : kernel_(kernels::find_quantize(context.isa)), rows_(node.inputs[0].shape[0]),
        width_(node.inputs[0].shape[1].constant()), most_rows_(context.most_size(rows_)),
        in_(context.input_offsets[0]), out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    const int64_t rows = context.size(rows_);
    if (rows == 1) return run_rows(context, 0, 0, 1);  // not worth waking the other lanes
    const int64_t lanes = context.pool->lanes();
    context.pool->parallel(
        [&](int lane) { run_rows(context, lane, rows * lane / lanes, rows * (lane + 1) / lanes); });
  }
  int64_t scratch_bytes() const override { return width_ * static_cast<int64_t>(sizeof(float)); }
  const char* kernel() const override { return kernel_.name; }
  OpCost cost(const StepContext& context) const override {
    const int64_t values = context.size(rows_) * width_;
    return {values * 6, values * 8};
  }

 private:
  void run_rows(const StepContext& context, int lane, int64_t begin, int64_t end) const noexcept {
    auto* residual = reinterpret_cast<float*>(context.scratch + lane * context.scratch_stride);
    for (int64_t row = begin; row < end; ++row) {
      const float* x = context.at<float>(in_) + row * width_;
      const kernels::QuantizeArgs main = int8_row(context, x, kQ8Terms * row);
      kernel_.run(main);
      kernel_.residual({x, main.values, main.scales, width_, residual});
      kernel_.run(int8_row(context, residual, kQ8Terms * row + 1));
    }
  }

  kernels::QuantizeArgs int8_row(const StepContext& context, const float* x, int64_t index) const noexcept {
    const Q8Layout layout = q8_layout(most_rows_, width_);
    std::byte* out = context.at<std::byte>(out_);
    return {x,
            width_,
            1,
            width_,
            reinterpret_cast<int8_t*>(out) + index * kernels::q8_value_stride(width_),
            reinterpret_cast<float*>(out + layout.scales_offset) + index * (width_ / 32),
            reinterpret_cast<int32_t*>(out + layout.sums_offset) + index * (width_ / 16)};
  }

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
