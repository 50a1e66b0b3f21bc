#include "graph/plan.hpp"

#include <algorithm>
#include <array>

#include "base/checked.hpp"
#include "graph/memory_plan.hpp"

namespace brisk::graph {

Result<std::unique_ptr<Plan>> Plan::create(Graph graph, const PlanOptions& options) {
  BRISK_ASSERT(options.most_tokens > 0 && options.most_outputs > 0, "a step has at least one row");
  std::unique_ptr<Plan> plan(new Plan(std::move(graph)));
  plan->most_tokens_ = options.most_tokens;
  plan->most_outputs_ = options.most_outputs;
  BRISK_ASSIGN(plan->passes_, run_passes(plan->graph_, {options.isa, options.exact}, options.passes_off));
  const std::array<int64_t, 2> most = {options.most_tokens, options.most_outputs};
  BRISK_ASSIGN(MemoryPlan memory, plan_memory(plan->graph_, most));
  plan->offsets_ = std::move(memory.offsets);
  plan->arena_bytes_ = memory.arena_bytes;
  BRISK_TRY(plan->bind_calls(options, most));
  plan->plan_segments();
  plan->plan_row_paths();
  return plan;
}

void Plan::plan_segments() {
  for (const Segment& segment : graph_.segments()) {
    segments_.push_back({segment.name, 0, 0, segment.stream < 0 ? -1 : offset(segment.stream)});
  }
  for (size_t i = 0; i < calls_.size(); ++i) {
    PlannedSegment& segment = segments_[static_cast<size_t>(calls_[i].segment)];
    if (segment.last_call == 0) segment.first_call = i;
    segment.last_call = i + 1;
  }
}

int32_t Plan::find_segment(std::string_view name) const {
  for (size_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].name == name) return static_cast<int32_t>(i);
  }
  return -1;
}

// Row constants come from the caller or the first segment, with one row per token.
bool Plan::is_row_constant(ValueId id, int32_t made_in) const {
  const ops::ValueType& type = graph_.value(id).type;
  return made_in <= 0 && type.form == ops::ValueForm::kTensor && !type.shape.empty() &&
         type.shape[0] == Dim::symbol(kTokens);
}

void Plan::plan_row_paths() {
  std::vector<int32_t> made_in(graph_.values().size(), -1);
  std::vector<uint8_t> listed(graph_.values().size(), 0);
  for (const Node& node : graph_.nodes()) {
    for (const ValueId id : node.outputs) made_in[static_cast<size_t>(id)] = node.segment;
  }
  for (const Node& node : graph_.nodes()) {
    for (const ValueId id : node.inputs) {
      const auto index = static_cast<size_t>(id);
      const Value& value = graph_.value(id);
      const int32_t from = made_in[index];
      const bool crosses = node.segment > 0 && from < node.segment;
      if (!crosses || listed[index] != 0 || offsets_[index] < 0) continue;
      const bool by_token = !value.type.shape.empty() && value.type.shape[0] == Dim::symbol(kTokens);
      if (value.kind == ValueKind::kInput && !by_token) continue;
      const bool enters = std::ranges::any_of(graph_.segments(),
                                              [&](const Segment& segment) { return segment.stream == id; });
      listed[index] = 1;
      if (enters) continue;
      if (!is_row_constant(id, from)) {
        row_paths_ =
            usage_error({"rows with their own way", "a model whose layers pass on nothing but their stream",
                         "'" + value.name + "', which crosses from segment to segment"});
        return;
      }
      const ops::ValueType row = {
          value.type.form, value.type.dtype, {value.type.shape.begin() + 1, value.type.shape.end()}};
      int64_t row_bytes = dtype_info(row.dtype).block_bytes;
      for (const Dim& dim : row.shape) row_bytes *= dim.constant();
      row_constants_.push_back({offset(id), row_bytes});
    }
  }
  for (const Segment& segment : graph_.segments()) {
    if (segment.stream < 0) continue;
    const int64_t bytes =
        graph_.value(segment.stream).type.shape[1].constant() * static_cast<int64_t>(sizeof(float));
    if (stream_row_bytes_ != 0 && stream_row_bytes_ != bytes) {
      row_paths_ = usage_error({"rows with their own way", "layers of one width", segment.name});
    }
    stream_row_bytes_ = bytes;
  }
}

Status Plan::bind_calls(const PlanOptions& options, std::span<const int64_t> most) {
  NodeViewStorage storage;
  std::vector<int64_t> inputs;
  std::vector<int64_t> outputs;
  std::vector<ops::ValueType> types;
  for (const Node& node : graph_.nodes()) {
    inputs.clear();
    outputs.clear();
    types.clear();
    for (const ValueId id : node.inputs) inputs.push_back(offset(id));
    for (const ValueId id : node.outputs) {
      outputs.push_back(offset(id));
      types.push_back(graph_.value(id).type);
    }
    const ops::BindContext context{options.isa, options.kv_type, most, inputs, outputs, types};
    BRISK_ASSIGN(std::unique_ptr<ops::BoundOp> bound,
                 node.op->bind(view_node(graph_, node, storage), context));
    packed_bytes_ += round_up(bound->packed_bytes(), static_cast<int64_t>(kBufferAlignment));
    scratch_bytes_ =
        std::max(scratch_bytes_, round_up(bound->scratch_bytes(), static_cast<int64_t>(kBufferAlignment)));
    calls_.push_back({node.name, node.op->name, node.segment, std::move(bound)});
  }
  return {};
}

Status Plan::pack_weights(ThreadPool& pool, const std::function<void(double)>& progress,
                          const std::atomic<bool>* cancel) {
  if (packed_bytes_ == 0) return {};
  BRISK_ASSIGN(packed_, AlignedBuffer::allocate(static_cast<size_t>(packed_bytes_), "packed weights"));
  int64_t at = 0;
  for (PlannedCall& call : calls_) {
    const int64_t bytes = call.bound->packed_bytes();
    if (bytes == 0) continue;
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return cancelled();
    call.bound->pack(packed_.data() + at, pool);
    at += round_up(bytes, static_cast<int64_t>(kBufferAlignment));
    if (progress) progress(static_cast<double>(at) / static_cast<double>(packed_bytes_));
  }
  return {};
}

}  // namespace brisk::graph
