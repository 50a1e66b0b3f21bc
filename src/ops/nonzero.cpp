// nonzero: x f32 or bool, any rank up to 8 -> i64 [rank, count]: the coordinates of the values that are not
// zero, in row-major order, one per column (ONNX NonZero; not-a-number is not zero). Attribute size: the
// number of the run-time size `count`, which the op sets; it is at most the number of values.
#include <array>

#include "ops/op.hpp"

namespace brisk::ops {

namespace {

constexpr size_t kMostRank = 8;

class NonZero final : public BoundOp {
 public:
  NonZero(const NodeView& node, const BindContext& context)
      : shape_(node.inputs[0].shape), dtype_(node.inputs[0].dtype),
        size_(static_cast<SizeId>(node.attributes.integer("size"))), in_(context.input_offsets[0]),
        out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    const int64_t values = context.count(shape_);
    if (dtype_ == DType::kBool) {
      find(context, context.at<uint8_t>(in_), values);
    } else {
      find(context, context.at<float>(in_), values);
    }
  }
  const char* kernel() const override { return "nonzero__ref"; }
  OpCost cost(const StepContext& context) const override {
    const int64_t found = context.run_time_sizes[static_cast<size_t>(size_)];
    return {2 * context.count(shape_) * dtype_info(dtype_).block_bytes +
                found * static_cast<int64_t>(shape_.size() * sizeof(int64_t)),
            context.count(shape_)};
  }

 private:
  // The number of columns is the stride of the output, so the values are looked at twice.
  template <typename T>
  void find(const StepContext& context, const T* x, int64_t values) const noexcept {
    int64_t found = 0;
    for (int64_t i = 0; i < values; ++i) found += x[i] != T{} ? 1 : 0;
    context.set_size(size_, found);

    std::array<int64_t, kMostRank> sizes{}, at{};
    for (size_t d = 0; d < shape_.size(); ++d) sizes[d] = context.size(shape_[d]);
    int64_t* column = context.at<int64_t>(out_);
    for (int64_t i = 0; i < values; ++i) {
      if (x[i] != T{}) {
        for (size_t d = 0; d < shape_.size(); ++d) column[static_cast<int64_t>(d) * found] = at[d];
        ++column;
      }
      for (size_t d = shape_.size(); d-- > 0 && ++at[d] == sizes[d];) at[d] = 0;
    }
  }

  std::vector<Dim> shape_;
  DType dtype_;
  SizeId size_;
  int64_t in_, out_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 1));
  const ValueType& x = node.inputs[0];
  if (x.form != ValueForm::kTensor || (x.dtype != DType::kF32 && x.dtype != DType::kBool) ||
      x.shape.size() > kMostRank || node.weights[0] != nullptr) {
    return node_error(node, "an f32 or bool activation of at most 8 dimensions", "something else");
  }
  std::optional<Dim> most = Dim(1);
  for (const Dim& dim : x.shape) {
    if (most) most = bound_of_product(*most, dim);
  }
  const Dim count = Dim::known_after(static_cast<SizeId>(node.attributes.integer("size")), std::move(most));
  return std::vector{
      ValueType{ValueForm::kTensor, DType::kI64, {Dim(static_cast<int64_t>(x.shape.size())), count}}};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  return std::unique_ptr<BoundOp>(std::make_unique<NonZero>(node, context));
}

}  // namespace

Op op_nonzero() {
  static constexpr AttributeRule kAttributes[] = {
      {"size", AttributeKind::kInteger, 0, kMostRunTimeSizes - 1}};
  return {"nonzero", infer, bind, false, kAttributes};
}

}  // namespace brisk::ops
