// Runs a plan: owns the arena and the lanes' scratch, allocates nothing in a step.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/memory.hpp"
#include "graph/plan.hpp"
#include "graph/row_paths.hpp"

namespace brisk::graph {

/// The batch descriptor: what one step works on, a row at a time.
struct StepInput {
  std::span<const int32_t> tokens;       ///< [rows]
  std::span<const int32_t> positions;    ///< [rows, components]: what rotary embedding sees
  std::span<const int32_t> output_rows;  ///< rows whose logits are wanted; they must reach the last segment
  ops::KvState kv;                       ///< with one place per row
  std::span<const RowPath> paths;        ///< [rows]; empty: every row runs everything
  std::span<const float* const> embeddings;  ///< [rows] that enter in place of the tokens', null: the token's
};

/// What a tap is shown: a value of the step at hand, as the op that made it left it. Writing replaces it.
struct TapView {
  std::string_view name;
  float* data;  ///< [active rows, width]
  int64_t width;
  int64_t row_count;
  std::span<const int32_t> rows;  ///< which row of the step each is; empty: rows 0, 1, 2, ...
};

/// A named point of the plan, such as "layer.12.residual" or "layer.3.attn.out".
struct Tap {
  std::string name;  ///< of the node that makes the value
  std::function<void(const TapView&)> visit;
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

  /// Taps of all steps from now on. An unknown name, or a point whose value is not f32 [tokens, width], is a
  /// usage error that names it.
  Status set_taps(std::vector<Tap> taps);

  /// Runs the step again and looks at the numbers after each segment: the name of the first whose result
  /// holds a not-a-number or infinity, or "" when none does. Slow; for error messages.
  std::string find_bad_segment(const StepInput& input);

 private:
  struct BoundTap {
    size_t call;
    int64_t offset, width;
    Tap tap;
  };
  explicit Executor(const Plan& plan) : plan_(&plan), paths_(plan) {}
  Status begin(const StepInput& input);
  void enter_segment(const StepInput& input, int32_t segment);
  void place_rows(const StepInput& input, int32_t segment);
  void replace_embeddings(const StepInput& input);
  void run_call(size_t index, Trace* trace);
  void visit_taps(size_t call);
  bool segment_is_finite(int32_t segment) const;

  const Plan* plan_;
  RowPaths paths_;
  AlignedBuffer arena_, scratch_;
  int64_t tokens_offset_ = 0, positions_offset_ = 0, output_rows_offset_ = 0, logits_offset_ = 0;
  int64_t vocabulary_ = 0, components_ = 1;
  std::vector<BoundTap> taps_;  // by call
  // Of the step at hand.
  int64_t symbols_[2] = {0, 0};
  ops::StepContext context_;
  std::vector<ops::KvRow> places_;  // in the order of the active rows
  std::vector<int32_t> order_;      // where each row stands among the active ones
  bool own_ways_ = false;
};

}  // namespace brisk::graph
