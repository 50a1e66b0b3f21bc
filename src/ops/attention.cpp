// attention: q f32 [rows, heads * k_dim], state -> f32 [rows, heads * v_dim]: each row attends to the stored
// keys of its own sequence that the batch descriptor lets it see. Attributes layer, heads, kv_heads, k_dim,
// v_dim, scale. A policy may ask what the rows look at (AttentionProbe).
#include <atomic>

#include "ops/op.hpp"

namespace brisk::ops {

namespace {

class Attention final : public BoundOp {
 public:
  Attention(const NodeView& node, const BindContext& context)
      : kernel_(*kernels::find_attention(context.kv_type, context.isa)), rows_(node.inputs[0].shape[0]),
        most_rows_(context.most_size(rows_)), layer_(node.attributes.integer("layer")),
        heads_(node.attributes.integer("heads")), kv_heads_(node.attributes.integer("kv_heads")),
        k_dim_(node.attributes.integer("k_dim")), v_dim_(node.attributes.integer("v_dim")),
        scale_(static_cast<float>(node.attributes.real("scale"))), q_(context.input_offsets[0]),
        out_(context.output_offsets[0]), seen_(context.output_offsets[1]) {}

  void run(const StepContext& context) const noexcept override {
    const int64_t rows = context.size(rows_);
    if (rows == 0) return;
    const kernels::KvGeometry* geometry = context.kv.rows[0].layers[layer_].geometry;
    const kernels::AttentionArgs args{geometry,
                                      context.at<float>(q_),
                                      heads_ * k_dim_,
                                      describe_rows(context, rows),
                                      rows,
                                      heads_,
                                      scale_,
                                      context.at<float>(out_),
                                      heads_ * v_dim_,
                                      0,
                                      0,
                                      nullptr};
    // Later rows see more keys, so lanes take items as they come instead of in halves.
    share_out(context, kernels::attention_items(rows, kv_heads_), [&](int64_t item, float* scratch) {
      kernels::AttentionArgs part = args;
      part.scratch = scratch;
      part.item_begin = item;
      part.item_end = item + 1;
      kernel_.run(part);
    });
    if (context.kv.probe != nullptr) probe(context, args, *context.kv.probe);
  }
  const char* kernel() const override { return kernel_.name; }
  OpCost cost(const StepContext& context) const override {
    const int64_t rows = context.size(rows_);
    if (rows == 0) return {};
    int64_t keys = 0;
    for (int64_t row = 0; row < rows; ++row) keys += context.kv.rows[row].last - context.kv.rows[row].first;
    const int64_t slab = context.kv.rows[0].layers[layer_].geometry->slab_bytes();
    return {keys * slab / kernels::kPageTokens, 2 * keys * heads_ * (k_dim_ + v_dim_)};
  }
  int64_t scratch_bytes() const override {
    const kernels::KvGeometry geometry{kv_heads_, k_dim_, v_dim_, DType::kF32};
    return kernels::attention_scratch_floats(heads_, kv_heads_, geometry) *
           static_cast<int64_t>(sizeof(float));
  }

 private:
  /// Lanes call body(item, their scratch) for items as they come.
  template <typename Body>
  void share_out(const StepContext& context, int64_t items, Body&& body) const noexcept {
    std::atomic<int64_t> next{0};
    auto work = [&](int lane) {
      auto* scratch = reinterpret_cast<float*>(context.scratch + lane * context.scratch_stride);
      for (;;) {
        const int64_t item = next.fetch_add(1, std::memory_order_relaxed);
        if (item >= items) return;
        body(item, scratch);
      }
    };
    context.pool->parallel(work);
  }

  /// Fills the work space: AttentionRow[most rows], then KvHead[kv_heads] for each run of rows that share a
  /// sequence.
  const kernels::AttentionRow* describe_rows(const StepContext& context, int64_t rows) const noexcept {
    auto* seen = context.at<kernels::AttentionRow>(seen_);
    auto* heads = reinterpret_cast<kernels::KvHead*>(seen + most_rows_);
    for (int64_t row = 0; row < rows; ++row) {
      const KvRow& place = context.kv.rows[row];
      const bool same = row > 0 && context.kv.rows[row - 1].layers == place.layers;
      if (row > 0 && !same) heads += kv_heads_;
      if (!same) {
        for (int64_t h = 0; h < kv_heads_; ++h) heads[h] = place.layers[layer_].head(h);
      }
      seen[row] = {heads, place.first, place.last, place.mask};
    }
    return seen;
  }

  void probe(const StepContext& context, const kernels::AttentionArgs& args,
             const AttentionProbe& wanted) const noexcept {
    auto* rows = context.at<kernels::AttentionRow>(seen_) + wanted.row_begin;
    for (int64_t row = 0; row < wanted.row_count; ++row)
      rows[row] = {rows[row].heads, 0, wanted.last, nullptr};
    share_out(context, kv_heads_, [&](int64_t kv_head, float* scratch) {
      float* scores = wanted.key_scores;
      kernel_.probe({args.geometry, args.q + wanted.row_begin * args.q_stride, args.q_stride, rows,
                     wanted.row_count, heads_, scale_, wanted.log_sums + layer_ * wanted.row_count * heads_,
                     wanted.score,
                     scores == nullptr ? nullptr : scores + layer_ * kv_heads_ * wanted.key_stride,
                     wanted.key_stride, kv_head, scratch});
    });
  }

  const kernels::AttentionVariant& kernel_;
  Dim rows_;
  int64_t most_rows_, layer_, heads_, kv_heads_, k_dim_, v_dim_;
  float scale_;
  int64_t q_, out_, seen_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 2));
  const Attributes& a = node.attributes;
  BRISK_TRY(expect_rows(node, 0, a.integer("heads") * a.integer("k_dim")));
  if (node.inputs[1].form != ValueForm::kState) return node_error(node, "a state as input 1", "a tensor");
  if (a.integer("kv_heads") < 1 || a.integer("heads") % a.integer("kv_heads") != 0) {
    return node_error(node, "query heads in equal groups per key-value head",
                      std::to_string(a.integer("heads")));
  }
  const Dim& rows = node.inputs[0].shape[0];
  // Output 1 is work space: what each row sees, and the heads of each sequence (at most one per row).
  const auto row_bytes = static_cast<int64_t>(sizeof(kernels::AttentionRow)) +
                         a.integer("kv_heads") * static_cast<int64_t>(sizeof(kernels::KvHead));
  return std::vector{
      ValueType{ValueForm::kTensor, DType::kF32, {rows, Dim(a.integer("heads") * a.integer("v_dim"))}},
      ValueType{ValueForm::kTensor, DType::kU8, {rows, Dim(row_bytes)}}};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  return std::unique_ptr<BoundOp>(std::make_unique<Attention>(node, context));
}

}  // namespace

Op op_attention() {
  static constexpr AttributeRule kAttributes[] = {
      {"layer", AttributeKind::kInteger, 0, 4095},    {"heads", AttributeKind::kInteger, 1},
      {"kv_heads", AttributeKind::kInteger, 1, 1024}, {"k_dim", AttributeKind::kInteger, 1},
      {"v_dim", AttributeKind::kInteger, 1},          {"scale", AttributeKind::kReal}};
  return {"attention", infer, bind, false, kAttributes};
}

}  // namespace brisk::ops
