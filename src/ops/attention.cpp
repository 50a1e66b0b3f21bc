// attention: q f32 [rows, heads * k_dim], positions i32 [rows], state -> f32 [rows, heads * v_dim]: each row
// attends to the keys of its own sequence up to its own position. Attributes layer, heads, kv_heads, k_dim,
// v_dim, scale.
#include <atomic>

#include "ops/op.hpp"

namespace brisk::ops {

namespace {

class Attention final : public BoundOp {
 public:
  Attention(const NodeView& node, const BindContext& context)
      : kernel_(*kernels::find_attention(context.kv_type, context.isa)), rows_(node.inputs[0].shape[0]),
        layer_(node.attributes.integer("layer")), heads_(node.attributes.integer("heads")),
        kv_heads_(node.attributes.integer("kv_heads")), k_dim_(node.attributes.integer("k_dim")),
        v_dim_(node.attributes.integer("v_dim")), scale_(static_cast<float>(node.attributes.real("scale"))),
        q_(context.input_offsets[0]), positions_(context.input_offsets[1]), out_(context.output_offsets[0]),
        row_views_(context.output_offsets[1]) {}

  void run(const StepContext& context) const noexcept override {
    const KvState& kv = context.kv;
    const int64_t rows = context.size(rows_);
    const int32_t* positions = context.at<int32_t>(positions_);
    auto* views = context.at<kernels::AttentionRow>(row_views_);
    std::byte* slabs = kv.base + layer_ * kv.layer_bytes;
    for (int64_t row = 0; row < rows; ++row) {
      views[row] = {{slabs, kv.tables[row], kv.geometry}, 0, positions[row] + 1};
    }
    const kernels::AttentionArgs args{context.at<float>(q_),   heads_ * k_dim_, views, rows, heads_, scale_,
                                      context.at<float>(out_), heads_ * v_dim_, 0,     0,    nullptr};
    // Later rows see more keys, so lanes take items as they come instead of in halves.
    const int64_t items = kernels::attention_items(rows, kv_heads_);
    std::atomic<int64_t> next{0};
    auto work = [&](int lane) {
      kernels::AttentionArgs part = args;
      part.scratch = reinterpret_cast<float*>(context.scratch + lane * context.scratch_stride);
      for (;;) {
        part.item_begin = next.fetch_add(1, std::memory_order_relaxed);
        if (part.item_begin >= items) return;
        part.item_end = part.item_begin + 1;
        kernel_.run(part);
      }
    };
    context.pool->parallel(work);
  }
  const char* kernel() const override { return kernel_.name; }
  OpCost cost(const StepContext& context) const override {
    const int64_t rows = context.size(rows_);
    const int32_t* positions = context.at<int32_t>(positions_);
    int64_t keys = 0;
    for (int64_t row = 0; row < rows; ++row) keys += positions[row] + 1;
    const int64_t element = dtype_info(context.kv.geometry->type).block_bytes;
    return {keys * kv_heads_ * (k_dim_ + v_dim_) * element, 2 * keys * heads_ * (k_dim_ + v_dim_)};
  }
  int64_t scratch_bytes() const override {
    const kernels::KvGeometry geometry{kv_heads_, k_dim_, v_dim_, DType::kF32};
    return kernels::attention_scratch_floats(heads_, kv_heads_, geometry) *
           static_cast<int64_t>(sizeof(float));
  }

 private:
  const kernels::AttentionVariant& kernel_;
  Dim rows_;
  int64_t layer_, heads_, kv_heads_, k_dim_, v_dim_;
  float scale_;
  int64_t q_, positions_, out_, row_views_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 3));
  const Attributes& a = node.attributes;
  BRISK_TRY(expect_rows(node, 0, a.integer("heads") * a.integer("k_dim")));
  if (node.inputs[2].form != ValueForm::kState) return node_error(node, "a state as input 2", "a tensor");
  if (a.integer("kv_heads") < 1 || a.integer("heads") % a.integer("kv_heads") != 0) {
    return node_error(node, "query heads in equal groups per key-value head",
                      std::to_string(a.integer("heads")));
  }
  const Dim& rows = node.inputs[0].shape[0];
  // Output 1 is work space: what each row sees (kernels::AttentionRow).
  return std::vector{
      ValueType{ValueForm::kTensor, DType::kF32, {rows, Dim(a.integer("heads") * a.integer("v_dim"))}},
      ValueType{
          ValueForm::kTensor, DType::kU8, {rows, Dim(static_cast<int64_t>(sizeof(kernels::AttentionRow)))}}};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  return std::unique_ptr<BoundOp>(std::make_unique<Attention>(node, context));
}

}  // namespace

Op op_attention() { return {"attention", infer, bind}; }

}  // namespace brisk::ops
