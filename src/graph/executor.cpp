#include "graph/executor.hpp"

#include <chrono>
#include <cmath>
#include <cstring>

namespace brisk::graph {

namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Result<std::unique_ptr<Executor>> Executor::create(const Plan& plan, ThreadPool& pool) {
  std::unique_ptr<Executor> executor(new Executor(plan));
  executor->pool_ = &pool;
  BRISK_ASSIGN(executor->arena_,
               AlignedBuffer::allocate(static_cast<size_t>(plan.arena_bytes()), "activations"));
  BRISK_ASSIGN(executor->scratch_,
               AlignedBuffer::allocate(static_cast<size_t>(plan.scratch_bytes() * pool.lanes()), "scratch"));
  const Graph& graph = plan.graph();
  executor->tokens_offset_ = plan.offset(graph.find_input("tokens"));
  executor->positions_offset_ = plan.offset(graph.find_input("positions"));
  executor->output_rows_offset_ = plan.offset(graph.find_input("output_rows"));
  const ValueId logits = graph.outputs().at(0);
  executor->logits_offset_ = plan.offset(logits);
  executor->vocabulary_ = graph.value(logits).type.shape[1].constant();
  return executor;
}

ops::StepContext Executor::begin(const StepInput& input) {
  BRISK_ASSERT(static_cast<int64_t>(input.tokens.size()) <= plan_->most_tokens() &&
                   input.positions.size() == input.tokens.size() &&
                   static_cast<int64_t>(input.output_rows.size()) <= plan_->most_outputs(),
               "a step fits the plan's token budget");
  auto copy = [this](int64_t offset, std::span<const int32_t> from) {
    if (!from.empty()) std::memcpy(arena_.data() + offset, from.data(), from.size_bytes());
  };
  copy(tokens_offset_, input.tokens);
  copy(positions_offset_, input.positions);
  copy(output_rows_offset_, input.output_rows);
  symbols_[kTokens] = static_cast<int64_t>(input.tokens.size());
  symbols_[kOutputs] = static_cast<int64_t>(input.output_rows.size());
  return {arena_.data(), symbols_, pool_, scratch_.data(), plan_->scratch_bytes(), input.kv};
}

Result<std::span<const float>> Executor::run(const StepInput& input, Trace* trace,
                                             const std::atomic<bool>* cancel) {
  const int64_t step_start = trace != nullptr ? now_ns() : 0;
  const ops::StepContext context = begin(input);
  for (const PlannedCall& call : plan_->calls()) {
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return cancelled();
    if (trace == nullptr) {
      call.bound->run(context);
    } else {
      const int64_t start = now_ns();
      call.bound->run(context);
      trace->events.push_back({&call, start, now_ns(), call.bound->cost(context)});
    }
  }
  if (trace != nullptr) trace->steps.emplace_back(step_start, now_ns());
  return std::span<const float>(context.at<float>(logits_offset_),
                                input.output_rows.size() * static_cast<size_t>(vocabulary_));
}

bool Executor::segment_is_finite(int32_t segment) const {
  const Graph& graph = plan_->graph();
  const Node* last = nullptr;
  for (const Node& node : graph.nodes()) {
    if (node.segment == segment) last = &node;
  }
  if (last == nullptr) return true;
  const ops::ValueType& type = graph.value(last->outputs[0]).type;
  if (type.form != ops::ValueForm::kTensor || type.dtype != DType::kF32) return true;
  int64_t count = 1;
  for (const Dim& dim : type.shape) count *= dim.evaluate(symbols_);
  const auto* values = reinterpret_cast<const float*>(arena_.data() + plan_->offset(last->outputs[0]));
  for (int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) return false;
  }
  return true;
}

std::string Executor::find_bad_segment(const StepInput& input) {
  const ops::StepContext context = begin(input);
  int32_t segment = 0;
  for (const PlannedCall& call : plan_->calls()) {
    if (call.segment != segment && !segment_is_finite(segment)) break;
    segment = call.segment;
    call.bound->run(context);
  }
  return segment_is_finite(segment) ? "" : plan_->graph().segments()[static_cast<size_t>(segment)];
}

}  // namespace brisk::graph
