// kv_store: k f32 [rows, kv_heads * k_dim], v f32 [rows, kv_heads * v_dim], state -> state: stores the rows'
// keys and values in their sequences, at the places that the batch descriptor gives. Attributes layer,
// kv_heads, k_dim, v_dim.
#include <array>

#include "ops/op.hpp"

namespace brisk::ops {

namespace {

constexpr int64_t kMostKvHeads = 1024;

class KvStoreOp final : public BoundOp {
 public:
  KvStoreOp(const NodeView& node, const BindContext& context)
      : kernel_(*kernels::find_attention(context.kv_type, context.isa)), rows_(node.inputs[0].shape[0]),
        k_width_(node.inputs[0].shape[1].constant()), v_width_(node.inputs[1].shape[1].constant()),
        layer_(node.attributes.integer("layer")), k_(context.input_offsets[0]), v_(context.input_offsets[1]) {
  }

  void run(const StepContext& context) const noexcept override {
    context.pool->parallel_ranges(context.size(rows_), 8, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) store(context, row);
    });
  }
  const char* kernel() const override { return kernel_.name; }
  OpCost cost(const StepContext& context) const override {
    return {context.size(rows_) * (k_width_ + v_width_) * 6, 0};
  }

 private:
  void store(const StepContext& context, int64_t row) const noexcept {
    const KvRow& place = context.kv.rows[row];
    const kernels::KvLayer& layer = place.layers[layer_];
    std::array<kernels::KvHead, kMostKvHeads> heads;
    for (int64_t h = 0; h < layer.geometry->kv_heads; ++h) heads[static_cast<size_t>(h)] = layer.head(h);
    kernel_.store({layer.geometry, heads.data(), place.position, context.at<float>(k_) + row * k_width_,
                   context.at<float>(v_) + row * v_width_});
  }

  const kernels::AttentionVariant& kernel_;
  Dim rows_;
  int64_t k_width_, v_width_, layer_, k_, v_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 3));
  const Attributes& a = node.attributes;
  BRISK_TRY(expect_rows(node, 0, a.integer("kv_heads") * a.integer("k_dim")));
  BRISK_TRY(expect_rows(node, 1, a.integer("kv_heads") * a.integer("v_dim"), true));
  if (a.integer("kv_heads") > kMostKvHeads) {
    return node_error(node, "at most " + std::to_string(kMostKvHeads) + " key-value heads",
                      std::to_string(a.integer("kv_heads")));
  }
  if (node.inputs[2].form != ValueForm::kState) return node_error(node, "a state as input 2", "a tensor");
  return std::vector{node.inputs[2]};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  return std::unique_ptr<BoundOp>(std::make_unique<KvStoreOp>(node, context));
}

}  // namespace

Op op_kv_store() {
  static constexpr AttributeRule kAttributes[] = {{"layer", AttributeKind::kInteger, 0, 4095},
                                                  {"kv_heads", AttributeKind::kInteger, 1, kMostKvHeads},
                                                  {"k_dim", AttributeKind::kInteger, 1},
                                                  {"v_dim", AttributeKind::kInteger, 1}};
  return {"kv_store", infer, bind, false, kAttributes};
}

}  // namespace brisk::ops
