// linear: x [rows, k] (f32, or pairs of int8 rows made by quantize_rows), weight [n, k] of any form
// -> f32 [rows, n], x * W^T.
#include <algorithm>

#include "base/checked.hpp"
#include "kernels/gemm/gemm.hpp"
#include "ops/op.hpp"
#include "ops/q8_rows.hpp"
#include "quant/weight_form.hpp"

namespace brisk::ops {

namespace {

kernels::ActivationForm activation_form(const ValueType& type) {
  return type.form == ValueForm::kQ8Rows ? kernels::ActivationForm::kQ8 : kernels::ActivationForm::kF32;
}

/// What traces call the kernel. A form without a kernel of its own shows in the name.
std::string kernel_name(const kernels::GemmVariant& kernel, const Weight& weight) {
  if (kernel.form != nullptr) return kernel.name;
  return "linear_f32_decoded_" + std::string(weight.form->name) + "__" + std::string(isa_name(kernel.isa));
}

class Linear final : public BoundOp {
 public:
  Linear(const kernels::GemmVariant& kernel, const NodeView& node, const BindContext& context)
      : kernel_(kernel), weight_(*node.weights[1]), name_(kernel_name(kernel, weight_)),
        rows_(node.inputs[0].shape[0]), most_rows_(context.most_size(rows_)), n_(weight_.shape[0]),
        k_(weight_.shape[1]), in_(context.input_offsets[0]), out_(context.output_offsets[0]) {}

  int64_t scratch_bytes() const override {
    const bool pairs = kernel_.activations == kernels::ActivationForm::kQ8;
    const int64_t floats = kernel_scratch_floats() + (pairs ? pair_floats(most_rows_) : 0);
    return floats * static_cast<int64_t>(sizeof(float));
  }

  int64_t packed_bytes() const override {
    return kernel_.pack != nullptr ? kernel_.packed_bytes(weight_) : 0;
  }

  void pack(std::byte* storage, ThreadPool& pool) override {
    pool.parallel_ranges(n_, kernels::kGemmColumns,
                         [&](int64_t begin, int64_t end) { kernel_.pack(weight_, begin, end, storage); });
    packed_ = storage;
  }

  void run(const StepContext& context) const noexcept override {
    kernels::GemmArgs args{};
    args.weight = &weight_;
    args.packed = packed_;
    args.n = n_;
    args.k = k_;
    args.m = context.size(rows_);
    args.y = context.at<float>(out_);
    args.y_stride = n_;
    if (args.m == 0) return;
    if (kernel_.activations == kernels::ActivationForm::kQ8) {
      run_pairs(context, args);
      return;
    }
    args.x_f32 = context.at<float>(in_);
    args.x_stride = k_;
    for_columns(context, [&](int64_t begin, int64_t end, float* scratch) {
      kernels::GemmArgs part = args;
      part.n_begin = begin;
      part.n_end = end;
      part.scratch = scratch;
      kernel_.run(part);
    });
  }
  const char* kernel() const override { return name_.c_str(); }
  OpCost cost(const StepContext& context) const override {
    const int64_t rows = context.size(rows_);
    return {weight_.bytes() + rows * (k_ + n_) * 4, 2 * rows * n_ * k_};
  }

 private:
  /// What the kernel itself wants at the start of a lane's scratch, in whole cache lines.
  int64_t kernel_scratch_floats() const {
    return kernel_.scratch_floats != nullptr ? round_up(kernel_.scratch_floats(k_), 16) : 0;
  }

  /// Calls body(begin, end, scratch) for each lane's share of the columns.
  template <typename Body>
  void for_columns(const StepContext& context, Body&& body) const noexcept {
    const int64_t units = div_up(n_, kernel_.columns);
    const int64_t lanes = context.pool->lanes();
    if (units == 1) return body(int64_t{0}, n_, reinterpret_cast<float*>(context.scratch));
    context.pool->parallel([&](int lane) {
      const int64_t begin = units * lane / lanes * kernel_.columns;
      const int64_t end = std::min(n_, units * (lane + 1) / lanes * kernel_.columns);
      if (begin >= end) return;
      body(begin, end, reinterpret_cast<float*>(context.scratch + lane * context.scratch_stride));
    });
  }

  // Both rows of a pair are multiplied into scratch, a strip of columns at a time, then added.
  static constexpr int64_t kStripFloats = 1 << 18;
  static constexpr int64_t pair_floats(int64_t rows) {
    return std::max(kStripFloats, kQ8Terms * rows * kernels::kGemmColumns);
  }
  static constexpr int64_t strip_columns(int64_t rows) {
    const int64_t columns = kStripFloats / (kQ8Terms * rows) / kernels::kGemmColumns * kernels::kGemmColumns;
    return std::max(columns, kernels::kGemmColumns);
  }

  void run_pairs(const StepContext& context, const kernels::GemmArgs& all) const noexcept {
    const kernels::Q8Rows x = q8_rows_at(context.at<std::byte>(in_), most_rows_, k_);
    for_columns(context, [&](int64_t begin, int64_t end, float* scratch) {
      float* pairs = scratch + kernel_scratch_floats();
      const int64_t strip = strip_columns(all.m);
      for (int64_t first = begin; first < end; first += strip) {
        kernels::GemmArgs part = all;
        part.m = kQ8Terms * all.m;
        part.x_q8 = x;
        part.n_begin = first;
        part.n_end = std::min(end, first + strip);
        part.y_stride = strip;
        part.y = pairs - first;
        part.scratch = scratch;
        kernel_.run(part);
        add_pairs(pairs, strip, all, first, part.n_end);
      }
    });
  }

  static void add_pairs(const float* pairs, int64_t stride, const kernels::GemmArgs& all, int64_t begin,
                        int64_t end) noexcept {
    for (int64_t row = 0; row < all.m; ++row) {
      const float* main = pairs + kQ8Terms * row * stride;
      const float* residual = main + stride;
      float* y = all.y + row * all.y_stride + begin;
      for (int64_t i = 0; i < end - begin; ++i) y[i] = main[i] + residual[i];
    }
  }

  const kernels::GemmVariant& kernel_;
  const Weight& weight_;
  std::string name_;
  const std::byte* packed_ = nullptr;
  Dim rows_;
  int64_t most_rows_, n_, k_, in_, out_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 2));
  const ValueType& x = node.inputs[0];
  const Weight* weight = node.weights[1];
  if (x.shape.size() != 2 || node.weights[0] != nullptr || !x.shape[1].is_constant()) {
    return node_error(node, "activations [rows, k]", "something else");
  }
  if (weight == nullptr || weight->shape.size() != 2 || weight->shape[1] != x.shape[1].constant()) {
    return node_error(node, "a weight [n, " + x.shape[1].to_string({}) + "]",
                      weight == nullptr ? "an activation" : to_string(weight->shape));
  }
  if (weight->form == nullptr) return node_error(node, "a weight of some form", "one without");
  return std::vector{ValueType{ValueForm::kTensor, DType::kF32, {x.shape[0], Dim(weight->shape[0])}}};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  const Weight& weight = *node.weights[1];
  BRISK_TRY(weight.form->check(weight));
  const auto activations = activation_form(node.inputs[0]);
  const kernels::GemmVariant* kernel = kernels::find_gemm(*weight.form, activations, context.isa);
  if (kernel == nullptr) {
    return node_error(node, "a kernel for weights of form " + std::string(weight.form->name),
                      "none for this form of the activations");
  }
  return std::unique_ptr<BoundOp>(std::make_unique<Linear>(*kernel, node, context));
}

}  // namespace

Op op_linear() { return {"linear", infer, bind}; }

}  // namespace brisk::ops
