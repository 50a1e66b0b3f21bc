// cast: x i32, i64, bool or f32, any shape -> f32 of that shape, each value rounded to the nearest.
#include "ops/op.hpp"

namespace brisk::ops {

namespace {

template <typename From>
void convert(const std::byte* from, int64_t begin, int64_t end, float* out) noexcept {
  const auto* x = reinterpret_cast<const From*>(from);
  for (int64_t i = begin; i < end; ++i) out[i] = static_cast<float>(x[i]);
}

using Convert = void (*)(const std::byte* from, int64_t begin, int64_t end, float* out) noexcept;

Convert find_convert(DType from) {
  switch (from) {
    case DType::kI32: return convert<int32_t>;
    case DType::kI64: return convert<int64_t>;
    case DType::kBool: return convert<uint8_t>;
    case DType::kF32: return convert<float>;
    default: return nullptr;
  }
}

class Cast final : public BoundOp {
 public:
  Cast(const NodeView& node, const BindContext& context)
      : convert_(find_convert(node.inputs[0].dtype)),
        value_bytes_(dtype_info(node.inputs[0].dtype).block_bytes), shape_(node.inputs[0].shape),
        in_(context.input_offsets[0]), out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    context.pool->parallel_ranges(context.count(shape_), kLeast, [&](int64_t begin, int64_t end) {
      convert_(context.at<std::byte>(in_), begin, end, context.at<float>(out_));
    });
  }
  const char* kernel() const override { return "cast__ref"; }
  OpCost cost(const StepContext& context) const override {
    const int64_t values = context.count(shape_);
    return {values * (value_bytes_ + static_cast<int64_t>(sizeof(float))), values};
  }

 private:
  static constexpr int64_t kLeast = 4096;  // values that are worth waking a lane for
  Convert convert_;
  int64_t value_bytes_;
  std::vector<Dim> shape_;
  int64_t in_, out_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 1));
  const ValueType& x = node.inputs[0];
  if (x.form != ValueForm::kTensor || find_convert(x.dtype) == nullptr || node.weights[0] != nullptr) {
    return node_error(node, "an i32, i64, bool or f32 activation", "something else");
  }
  return std::vector{ValueType{ValueForm::kTensor, DType::kF32, x.shape}};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  return std::unique_ptr<BoundOp>(std::make_unique<Cast>(node, context));
}

}  // namespace

Op op_cast() { return {"cast", infer, bind}; }

}  // namespace brisk::ops
