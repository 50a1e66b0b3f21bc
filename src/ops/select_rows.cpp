// select_rows: x f32 [rows, width], chosen i32 [count] -> f32 [count, width]: the rows whose logits somebody
// wants.
#include <cstring>

#include "ops/op.hpp"

namespace brisk::ops {

namespace {

class SelectRows final : public BoundOp {
 public:
  SelectRows(const NodeView& node, const BindContext& context)
      : count_(node.inputs[1].shape[0]), width_(node.inputs[0].shape[1].constant()),
        x_(context.input_offsets[0]), chosen_(context.input_offsets[1]), out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    const int64_t count = context.size(count_);
    const int32_t* chosen = context.at<int32_t>(chosen_);
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(context.at<float>(out_) + i * width_, context.at<float>(x_) + chosen[i] * width_,
                  static_cast<size_t>(width_) * sizeof(float));
    }
  }
  const char* kernel() const override { return "select_rows__ref"; }
  OpCost cost(const StepContext& context) const override { return {context.size(count_) * width_ * 8, 0}; }

 private:
  Dim count_;
  int64_t width_, x_, chosen_, out_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 2));
  BRISK_TRY(expect_rows(node, 0, -1));
  BRISK_TRY(expect_row_numbers(node, 1));
  ValueType out = node.inputs[0];
  out.shape[0] = node.inputs[1].shape[0];
  return std::vector{out};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  return std::unique_ptr<BoundOp>(std::make_unique<SelectRows>(node, context));
}

}  // namespace

Op op_select_rows() { return {"select_rows", infer, bind}; }

}  // namespace brisk::ops
