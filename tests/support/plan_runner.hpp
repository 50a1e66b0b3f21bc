// Runs a plan of any graph for tests: inputs by value, symbols by number, outputs read back. The engine's own
// executor is made for the inputs of language models.
#pragma once

#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "base/check.hpp"
#include "graph/plan.hpp"
#include "graph/regions.hpp"

namespace brisk::test {

class PlanRunner {
 public:
  /// Packs nothing: call Plan::pack_weights() before when the plan has weights.
  PlanRunner(const graph::Plan& plan, ThreadPool& pool)
      : plan_(plan), arena_(buffer(plan.arena_bytes())),
        scratch_(buffer(plan.scratch_bytes() * pool.lanes())),
        sizes_(static_cast<size_t>(graph::run_time_size_count(plan.graph()))) {
    context_.arena = arena_.data();
    context_.pool = &pool;
    context_.scratch = scratch_.data();
    context_.scratch_stride = plan.scratch_bytes();
    context_.run_time_sizes = sizes_;
  }

  template <typename T>
  void set(graph::ValueId id, const std::vector<T>& values) {
    BRISK_ASSERT(plan_.offset(id) >= 0, "inputs have a place in the arena");
    if (!values.empty())
      std::memcpy(context_.at<T>(plan_.offset(id)), values.data(), values.size() * sizeof(T));
  }
  void set_kv(const ops::KvState& kv) { context_.kv = kv; }
  /// `symbols`: tokens, outputs.
  void run(std::array<int64_t, 2> symbols) {
    symbols_ = symbols;
    context_.symbols = symbols_;
    for (const graph::PlannedCall& call : plan_.calls()) call.bound->run(context_);
  }
  /// The values of a graph output after run().
  template <typename T>
  std::vector<T> get(graph::ValueId id) const {
    const auto count = static_cast<size_t>(context_.count(plan_.graph().value(id).type.shape));
    if (count == 0) return {};
    const T* at = context_.at<T>(plan_.offset(id));
    return {at, at + count};
  }
  int64_t size(SizeId id) const { return sizes_[static_cast<size_t>(id)]; }

 private:
  static AlignedBuffer buffer(int64_t bytes) {
    auto made = AlignedBuffer::allocate(static_cast<size_t>(bytes), "test");
    BRISK_ASSERT(made.ok(), "a test has memory");
    return std::move(made).value();
  }

  const graph::Plan& plan_;
  AlignedBuffer arena_, scratch_;
  std::vector<int64_t> sizes_;
  std::array<int64_t, 2> symbols_{};
  ops::StepContext context_;
};

}  // namespace brisk::test
