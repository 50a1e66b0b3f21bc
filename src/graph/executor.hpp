// Runs a plan: owns the arena and the lanes' scratch, allocates nothing in a step.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/memory.hpp"
#include "graph/plan.hpp"

namespace brisk::graph {

/// The batch descriptor: what one step works on, a row at a time.
struct StepInput {
  std::span<const int32_t> tokens;       ///< [rows]
  std::span<const int32_t> positions;    ///< [rows] place in the row's own sequence
  std::span<const int32_t> output_rows;  ///< rows whose logits are wanted
  ops::KvState kv;                       ///< with one table per row
};

struct TraceEvent {
  const PlannedCall* call;
  int64_t start_ns, end_ns;  ///< steady clock
  ops::OpCost cost;
};

/// Times of every call of the steps that ran while it was set. Reserve before: a step then allocates nothing
/// until the room is used up.
struct Trace {
  std::vector<TraceEvent> events;
  std::vector<std::pair<int64_t, int64_t>> steps;  ///< start and end of each step, ns
};

class Executor {
 public:
  static Result<std::unique_ptr<Executor>> create(const Plan& plan, ThreadPool& pool);

  /// Runs all segments. The logits are [output_rows, vocabulary] until the next step. Looks at `cancel`
  /// between ops.
  Result<std::span<const float>> run(const StepInput& input, Trace* trace, const std::atomic<bool>* cancel);

  /// Runs the step again and looks at the numbers after each segment: the name of the first whose result
  /// holds a not-a-number or infinity, or "" when none does. Slow; for error messages.
  std::string find_bad_segment(const StepInput& input);

 private:
  explicit Executor(const Plan& plan) : plan_(&plan) {}
  ops::StepContext begin(const StepInput& input);
  bool segment_is_finite(int32_t segment) const;

  const Plan* plan_;
  ThreadPool* pool_ = nullptr;
  AlignedBuffer arena_, scratch_;
  int64_t tokens_offset_ = 0, positions_offset_ = 0, output_rows_offset_ = 0, logits_offset_ = 0;
  int64_t vocabulary_ = 0;
  int64_t symbols_[2] = {0, 0};
};

}  // namespace brisk::graph
