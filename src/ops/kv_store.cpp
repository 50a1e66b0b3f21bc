// kv_store: k f32 [rows, kv_heads * k_dim], v f32 [rows, kv_heads * v_dim], positions i32 [rows], state
// -> state: appends the rows' keys and values to their sequences. Attribute layer.
#include "ops/op.hpp"

namespace brisk::ops {

namespace {

class KvStoreOp final : public BoundOp {
 public:
  KvStoreOp(const NodeView& node, const BindContext& context)
      : kernel_(*kernels::find_attention(context.kv_type, context.isa)), rows_(node.inputs[0].shape[0]),
        k_width_(node.inputs[0].shape[1].constant()), v_width_(node.inputs[1].shape[1].constant()),
        layer_(node.attributes.integer("layer")), k_(context.input_offsets[0]), v_(context.input_offsets[1]),
        positions_(context.input_offsets[2]) {}

  void run(const StepContext& context) const noexcept override {
    const KvState& kv = context.kv;
    const int32_t* positions = context.at<int32_t>(positions_);
    context.pool->parallel_ranges(context.size(rows_), 8, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        kernel_.store({{kv.base + layer_ * kv.layer_bytes, kv.tables[row], kv.geometry},
                       positions[row],
                       context.at<float>(k_) + row * k_width_,
                       context.at<float>(v_) + row * v_width_});
      }
    });
  }
  const char* kernel() const override { return kernel_.name; }
  OpCost cost(const StepContext& context) const override {
    return {context.size(rows_) * (k_width_ + v_width_) * 6, 0};
  }

 private:
  const kernels::AttentionVariant& kernel_;
  Dim rows_;
  int64_t k_width_, v_width_, layer_, k_, v_, positions_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 4));
  BRISK_TRY(expect_rows(node, 0, -1));
  BRISK_TRY(expect_rows(node, 1, -1));
  if (node.inputs[3].form != ValueForm::kState) return node_error(node, "a state as input 3", "a tensor");
  return std::vector{node.inputs[3]};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  return std::unique_ptr<BoundOp>(std::make_unique<KvStoreOp>(node, context));
}

}  // namespace

Op op_kv_store() { return {"kv_store", infer, bind}; }

}  // namespace brisk::ops
