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
  MemoryPlan memory = plan_memory(plan->graph_, most);
  plan->offsets_ = std::move(memory.offsets);
  plan->arena_bytes_ = memory.arena_bytes;
  BRISK_TRY(plan->bind_calls(options, most));
  return plan;
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
