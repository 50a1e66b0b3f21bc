#include "graph/executor.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "graph/regions.hpp"

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
  BRISK_ASSIGN(executor->arena_,
               AlignedBuffer::allocate(static_cast<size_t>(plan.arena_bytes()), "activations"));
  BRISK_ASSIGN(executor->scratch_,
               AlignedBuffer::allocate(static_cast<size_t>(plan.scratch_bytes() * pool.lanes()), "scratch"));
  const Graph& graph = plan.graph();
  if (run_time_size_count(graph) > 0) {
    return usage_error({"executor", "a graph whose sizes are known before a step", "one that finds a size"});
  }
  const ValueId positions = graph.find_input("positions");
  executor->tokens_offset_ = plan.offset(graph.find_input("tokens"));
  executor->positions_offset_ = plan.offset(positions);
  executor->output_rows_offset_ = plan.offset(graph.find_input("output_rows"));
  const std::vector<Dim>& position_shape = graph.value(positions).type.shape;
  if (position_shape.size() > 1) executor->components_ = position_shape[1].constant();
  const ValueId logits = graph.outputs().at(0);
  executor->logits_offset_ = plan.offset(logits);
  executor->vocabulary_ = graph.value(logits).type.shape[1].constant();
  executor->places_.reserve(static_cast<size_t>(plan.most_tokens()));
  executor->order_.reserve(static_cast<size_t>(plan.most_tokens()));
  executor->context_.arena = executor->arena_.data();
  executor->context_.pool = &pool;
  executor->context_.scratch = executor->scratch_.data();
  executor->context_.scratch_stride = plan.scratch_bytes();
  return executor;
}

Status Executor::set_taps(std::vector<Tap> taps) {
  std::vector<BoundTap> bound;
  for (Tap& tap : taps) {
    const auto& calls = plan_->calls();
    const auto call = std::ranges::find(calls, tap.name, &PlannedCall::name);
    if (call == calls.end()) {
      return usage_error({"tap", "the name of a point of this model, such as " + calls.back().name, tap.name,
                          "'brisk show MODEL --plan', which lists them"});
    }
    const auto index = static_cast<size_t>(call - calls.begin());
    const Graph& graph = plan_->graph();
    const ValueId id = graph.nodes()[index].outputs.at(0);
    const ops::ValueType& type = graph.value(id).type;
    if (type.form != ops::ValueForm::kTensor || type.dtype != DType::kF32 || type.shape.size() != 2 ||
        type.shape[0] != Dim::symbol(kTokens)) {
      return usage_error({"tap " + tap.name, "a value f32 [tokens, width]", "another kind of value"});
    }
    bound.push_back({index, plan_->offset(id), type.shape[1].constant(), std::move(tap)});
  }
  std::ranges::sort(bound, {}, &BoundTap::call);
  taps_ = std::move(bound);
  return {};
}

Status Executor::begin(const StepInput& input) {
  BRISK_ASSERT(static_cast<int64_t>(input.tokens.size()) <= plan_->most_tokens() &&
                   input.positions.size() == input.tokens.size() * static_cast<size_t>(components_) &&
                   static_cast<int64_t>(input.output_rows.size()) <= plan_->most_outputs() &&
                   (input.paths.empty() || input.paths.size() == input.tokens.size()) &&
                   (input.embeddings.empty() || input.embeddings.size() == input.tokens.size()),
               "a step fits the plan's token budget");
  auto copy = [this](int64_t offset, std::span<const int32_t> from) {
    if (!from.empty()) std::memcpy(arena_.data() + offset, from.data(), from.size_bytes());
  };
  copy(tokens_offset_, input.tokens);
  copy(positions_offset_, input.positions);
  copy(output_rows_offset_, input.output_rows);
  symbols_[kTokens] = static_cast<int64_t>(input.tokens.size());
  symbols_[kOutputs] = static_cast<int64_t>(input.output_rows.size());
  context_.symbols = symbols_;
  context_.kv = input.kv;
  own_ways_ = !input.paths.empty();
  if (own_ways_) {
    BRISK_TRY(paths_.prepare());
    paths_.begin(input.paths, arena_.data());
  }
  return {};
}

void Executor::replace_embeddings(const StepInput& input) {
  std::byte* stream = arena_.data() + plan_->segments()[1].stream;
  const auto bytes = static_cast<size_t>(plan_->stream_row_bytes());
  for (size_t row = 0; row < input.embeddings.size(); ++row) {
    if (input.embeddings[row] != nullptr) std::memcpy(stream + row * bytes, input.embeddings[row], bytes);
  }
}

void Executor::enter_segment(const StepInput& input, int32_t segment) {
  if (segment == 1 && !input.embeddings.empty()) replace_embeddings(input);
  if (!own_ways_ || segment == 0) return;
  paths_.enter(segment);
  place_rows(input, segment);
}

// Brings everything that is told by row into the order of the active rows.
void Executor::place_rows(const StepInput& input, int32_t segment) {
  const std::span<const int32_t> active = paths_.active();
  symbols_[kTokens] = static_cast<int64_t>(active.size());
  places_.clear();
  for (const int32_t row : active) {
    places_.push_back(input.kv.rows[row]);
    for (const SeenFrom& seen : input.paths[static_cast<size_t>(row)].seen) {
      if (seen.segment <= segment) places_.back().mask = seen.mask;
    }
  }
  context_.kv.rows = places_.data();
  order_.assign(input.tokens.size(), 0);
  for (size_t i = 0; i < active.size(); ++i) order_[static_cast<size_t>(active[i])] = static_cast<int32_t>(i);
  auto* outputs = reinterpret_cast<int32_t*>(arena_.data() + output_rows_offset_);
  for (size_t i = 0; i < input.output_rows.size(); ++i) {
    outputs[i] = order_[static_cast<size_t>(input.output_rows[i])];
  }
}

void Executor::visit_taps(size_t call) {
  for (const BoundTap& bound : taps_) {
    if (bound.call != call) continue;
    const bool in_order = !own_ways_ || paths_.in_place();
    bound.tap.visit({bound.tap.name, reinterpret_cast<float*>(arena_.data() + bound.offset), bound.width,
                     symbols_[kTokens], in_order ? std::span<const int32_t>{} : paths_.active()});
  }
}

void Executor::run_call(size_t index, Trace* trace) {
  const PlannedCall& call = plan_->calls()[index];
  if (trace == nullptr) {
    call.bound->run(context_);
  } else {
    const int64_t start = now_ns();
    call.bound->run(context_);
    trace->events.push_back({&call, start, now_ns(), call.bound->cost(context_)});
  }
  if (!taps_.empty()) visit_taps(index);
}

Result<std::span<const float>> Executor::run(const StepInput& input, Trace* trace,
                                             const std::atomic<bool>* cancel) {
  const int64_t step_start = trace != nullptr ? now_ns() : 0;
  BRISK_TRY(begin(input));
  for (size_t s = 0; s < plan_->segments().size(); ++s) {
    const PlannedSegment& segment = plan_->segments()[s];
    enter_segment(input, static_cast<int32_t>(s));
    if (symbols_[kTokens] == 0) continue;
    for (size_t call = segment.first_call; call < segment.last_call; ++call) {
      if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) return cancelled();
      run_call(call, trace);
    }
  }
  if (trace != nullptr) trace->steps.emplace_back(step_start, now_ns());
  return std::span<const float>(context_.at<float>(logits_offset_),
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
  for (const Dim& dim : type.shape) count *= context_.size(dim);
  const auto* values = reinterpret_cast<const float*>(arena_.data() + plan_->offset(last->outputs[0]));
  for (int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) return false;
  }
  return true;
}

std::string Executor::find_bad_segment(const StepInput& input) {
  if (!begin(input).ok()) return "";
  for (size_t s = 0; s < plan_->segments().size(); ++s) {
    const PlannedSegment& segment = plan_->segments()[s];
    enter_segment(input, static_cast<int32_t>(s));
    if (symbols_[kTokens] == 0) continue;
    for (size_t call = segment.first_call; call < segment.last_call; ++call) run_call(call, nullptr);
    if (!segment_is_finite(static_cast<int32_t>(s))) return segment.name;
  }
  return "";
}

}  // namespace brisk::graph
