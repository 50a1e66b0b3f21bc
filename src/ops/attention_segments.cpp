// attention_segments: q f32 [rows, heads * k_dim], k f32 [rows, kv_heads * k_dim], v f32 [rows, kv_heads *
// v_dim], segments i32 [rows] -> f32 [rows, heads * v_dim]: attention without stored state. Neighbouring rows
// with the same number are a segment; a row sees the rows of its segment up to itself, the last `window` of
// them, or with causal = 0 the whole segment. Attributes heads, kv_heads, k_dim, v_dim, scale; causal (1),
// window (0: all).
//
// The numbers are those of kv_store and attention on fresh sequences, bit for bit: each segment and key-value
// head is packed into pages in the lane's scratch by the kernel's own store (so keys and values are rounded
// to the same type) and read by the same kernel, whose row law does the rest.
#include <algorithm>
#include <cstring>

#include "base/checked.hpp"
#include "ops/op.hpp"

namespace brisk::ops {

namespace {

class AttentionSegments final : public BoundOp {
 public:
  AttentionSegments(const kernels::AttentionVariant& kernel, const NodeView& node, const BindContext& context)
      : kernel_(kernel), rows_(node.inputs[0].shape[0]), heads_(node.attributes.integer("heads")),
        kv_heads_(node.attributes.integer("kv_heads")),
        geometry_{1, node.attributes.integer("k_dim"), node.attributes.integer("v_dim"), context.kv_type},
        window_(node.attributes.integer_or("window", 0)),
        causal_(node.attributes.integer_or("causal", 1) != 0),
        scale_(static_cast<float>(node.attributes.real("scale"))), most_rows_(context.most_size(rows_)),
        q_(context.input_offsets[0]), k_(context.input_offsets[1]), v_(context.input_offsets[2]),
        segments_(context.input_offsets[3]), out_(context.output_offsets[0]) {}

  void run(const StepContext& context) const noexcept override {
    const int64_t lanes = context.pool->lanes();
    context.pool->parallel([&](int lane) {
      int64_t item = 0;
      for_each_segment(context, [&](int64_t begin, int64_t end) {
        for (int64_t head = 0; head < kv_heads_; ++head) {
          if (item++ % lanes == lane) attend(context, lane, begin, end, head);
        }
      });
    });
  }
  const char* kernel() const override { return kernel_.name; }
  OpCost cost(const StepContext& context) const override {
    int64_t keys = 0;  // seen by all rows together
    for_each_segment(context, [&](int64_t begin, int64_t end) {
      for (int64_t i = 0; i < end - begin; ++i) keys += last(i, end - begin) - first(i);
    });
    const int64_t width = geometry_.k_dim + geometry_.v_dim;
    return {context.size(rows_) * (heads_ + kv_heads_) * width * static_cast<int64_t>(sizeof(float)),
            2 * keys * heads_ * width};
  }
  int64_t scratch_bytes() const override { return layout().bytes; }

 private:
  /// What a lane keeps while it works on a segment, by offset in its scratch, after the kernel's own.
  struct Layout {
    int64_t pages, rows, table, bytes;
  };
  Layout layout() const {
    const int64_t kernel_floats = kernels::attention_scratch_floats(heads_ / kv_heads_, 1, geometry_);
    const int64_t page_count = div_up(most_rows_, kernels::kPageTokens);
    const int64_t pages = round_up(kernel_floats * static_cast<int64_t>(sizeof(float)), 64);
    const int64_t rows = pages + page_count * geometry_.page_bytes();
    const int64_t table = rows + most_rows_ * static_cast<int64_t>(sizeof(kernels::AttentionRow));
    return {pages, rows, table, table + page_count * static_cast<int64_t>(sizeof(int32_t))};
  }

  template <typename Visit>
  void for_each_segment(const StepContext& context, Visit&& visit) const noexcept {
    const int64_t rows = context.size(rows_);
    const int32_t* segments = context.at<int32_t>(segments_);
    for (int64_t begin = 0; begin < rows;) {
      int64_t end = begin + 1;
      while (end < rows && segments[end] == segments[begin]) ++end;
      visit(begin, end);
      begin = end;
    }
  }

  int64_t first(int64_t row) const noexcept {
    return window_ > 0 ? std::max<int64_t>(0, row + 1 - window_) : 0;
  }
  int64_t last(int64_t row, int64_t count) const noexcept { return causal_ ? row + 1 : count; }

  /// Rows [begin, end), which are one segment, and one key-value head with its query heads.
  void attend(const StepContext& context, int lane, int64_t begin, int64_t end, int64_t head) const noexcept {
    const Layout at = layout();
    std::byte* scratch = context.scratch + lane * context.scratch_stride;
    auto* table = reinterpret_cast<int32_t*>(scratch + at.table);
    auto* rows = reinterpret_cast<kernels::AttentionRow*>(scratch + at.rows);
    const int64_t count = end - begin;
    const int64_t page_count = div_up(count, kernels::kPageTokens);
    for (int64_t page = 0; page < page_count; ++page) table[page] = static_cast<int32_t>(page);
    const kernels::KvHead pages{scratch + at.pages, table, 0};
    // Entries that are never stored are zero, as in a fresh store.
    std::memset(pages.base + (page_count - 1) * geometry_.page_bytes(), 0,
                static_cast<size_t>(geometry_.page_bytes()));

    const float* k = context.at<float>(k_) + (begin * kv_heads_ + head) * geometry_.k_dim;
    const float* v = context.at<float>(v_) + (begin * kv_heads_ + head) * geometry_.v_dim;
    for (int64_t i = 0; i < count; ++i) {
      kernel_.store(
          {&geometry_, &pages, i, k + i * kv_heads_ * geometry_.k_dim, v + i * kv_heads_ * geometry_.v_dim});
      rows[i] = {&pages, first(i), last(i, count), nullptr};
    }
    const int64_t group = heads_ / kv_heads_;
    const int64_t first_head = begin * heads_ + head * group;
    kernel_.run({&geometry_, context.at<float>(q_) + first_head * geometry_.k_dim, heads_ * geometry_.k_dim,
                 rows, count, group, scale_, context.at<float>(out_) + first_head * geometry_.v_dim,
                 heads_ * geometry_.v_dim, 0, kernels::attention_items(count, 1),
                 reinterpret_cast<float*>(scratch)});
  }

  const kernels::AttentionVariant& kernel_;
  Dim rows_;
  int64_t heads_, kv_heads_;
  kernels::KvGeometry geometry_;  // of one head
  int64_t window_;
  bool causal_;
  float scale_;
  int64_t most_rows_, q_, k_, v_, segments_, out_;
};

Result<std::vector<ValueType>> infer(const NodeView& node) {
  BRISK_TRY(expect_inputs(node, 4));
  const Attributes& a = node.attributes;
  const int64_t heads = a.integer("heads"), kv_heads = a.integer("kv_heads");
  BRISK_TRY(expect_rows(node, 0, heads * a.integer("k_dim")));
  BRISK_TRY(expect_rows(node, 1, kv_heads * a.integer("k_dim"), true));
  BRISK_TRY(expect_rows(node, 2, kv_heads * a.integer("v_dim"), true));
  const Dim& rows = node.inputs[0].shape[0];
  BRISK_TRY(expect_row_numbers(node, 3, &rows));
  if (heads % kv_heads != 0) {
    return node_error(node, "query heads in equal groups per key-value head", std::to_string(heads));
  }
  if (a.integer_or("window", 0) > 0 && a.integer_or("causal", 1) == 0) {
    return node_error(node, "a window of rows up to the own one", "one with causal = 0");
  }
  return std::vector{ValueType{ValueForm::kTensor, DType::kF32, {rows, Dim(heads * a.integer("v_dim"))}}};
}

Result<std::unique_ptr<BoundOp>> bind(const NodeView& node, const BindContext& context) {
  const kernels::AttentionVariant* kernel = kernels::find_attention(context.kv_type, context.isa);
  const int64_t block = dtype_info(context.kv_type).block_values;
  if (kernel == nullptr || node.attributes.integer("k_dim") % block != 0 ||
      node.attributes.integer("v_dim") % block != 0) {
    return node_error(node, "a type that can hold keys and values of these widths",
                      std::string(dtype_name(context.kv_type)));
  }
  return std::unique_ptr<BoundOp>(std::make_unique<AttentionSegments>(*kernel, node, context));
}

}  // namespace

Op op_attention_segments() {
  static constexpr AttributeRule kAttributes[] = {{"heads", AttributeKind::kInteger, 1},
                                                  {"kv_heads", AttributeKind::kInteger, 1, 1024},
                                                  {"k_dim", AttributeKind::kInteger, 1},
                                                  {"v_dim", AttributeKind::kInteger, 1},
                                                  {"scale", AttributeKind::kReal},
                                                  {"causal", AttributeKind::kInteger, 0, 1, false},
                                                  {"window", AttributeKind::kInteger, 0, 1 << 30, false}};
  return {"attention_segments", infer, bind, false, kAttributes};
}

}  // namespace brisk::ops
