// The plan: a graph made ready to run. A flat list of calls in segments, each with its kernel chosen and its
// buffers resolved for the largest step, and the repacked weights. Immutable; any number of executors run it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/memory.hpp"
#include "graph/graph.hpp"
#include "graph/passes/pass.hpp"

namespace brisk::graph {

struct PlanOptions {
  Isa isa = Isa::kRef;
  bool exact = false;
  DType kv_type = DType::kF16;  ///< of the stored keys and values
  int64_t most_tokens = 512;    ///< rows of the largest step
  int64_t most_outputs = 64;    ///< and how many of them may ask for logits
  std::vector<std::string> passes_off = {};
};

struct PlannedCall {
  std::string name;  ///< of the node
  const char* op;
  int32_t segment;
  std::unique_ptr<ops::BoundOp> bound;
};

/// A segment of the plan: its calls, and the stream that enters it.
struct PlannedSegment {
  std::string name;
  size_t first_call = 0, last_call = 0;  ///< calls [first, last)
  int64_t stream = -1;                   ///< arena offset; -1: nothing enters
};

/// A value with one row per token that the first segment (or the caller) makes and later ones read, such as
/// the rotary table: rows that move take their part of it along.
struct RowConstant {
  int64_t offset;
  int64_t row_bytes;
};

class Plan {
 public:
  /// Runs the passes, plans the memory and chooses kernels. No weight is packed yet: packed_bytes() and
  /// arena_bytes() say what it will take.
  static Result<std::unique_ptr<Plan>> create(Graph graph, const PlanOptions& options);

  /// Packs the weights; `progress` (may be empty) is called with the share done. Cancelled between ops.
  Status pack_weights(ThreadPool& pool, const std::function<void(double)>& progress,
                      const std::atomic<bool>* cancel);

  const Graph& graph() const { return graph_; }
  const std::vector<PlannedCall>& calls() const { return calls_; }
  const std::vector<PlannedSegment>& segments() const { return segments_; }
  const std::vector<PassReport>& passes() const { return passes_; }
  /// The segment of this name, or -1.
  int32_t find_segment(std::string_view name) const;

  /// Whether rows may take their own ways (RowPath): every value that crosses from one segment to the next is
  /// its stream or a row constant. Else an error naming the value that is neither.
  const Status& row_paths() const { return row_paths_; }
  const std::vector<RowConstant>& row_constants() const { return row_constants_; }
  int64_t stream_row_bytes() const { return stream_row_bytes_; }
  int64_t most_tokens() const { return most_tokens_; }
  int64_t most_outputs() const { return most_outputs_; }
  int64_t arena_bytes() const { return arena_bytes_; }
  int64_t scratch_bytes() const { return scratch_bytes_; }  ///< per lane
  int64_t packed_bytes() const { return packed_bytes_; }
  /// Arena offset of a value; -1 when it has none.
  int64_t offset(ValueId id) const { return offsets_[static_cast<size_t>(id)]; }

 private:
  explicit Plan(Graph graph) : graph_(std::move(graph)) {}
  Status bind_calls(const PlanOptions& options, std::span<const int64_t> most);
  void plan_segments();
  void plan_row_paths();
  bool is_row_constant(ValueId id, int32_t made_in) const;

  Graph graph_;
  std::vector<PassReport> passes_;
  std::vector<int64_t> offsets_;
  std::vector<PlannedCall> calls_;
  std::vector<PlannedSegment> segments_;
  std::vector<RowConstant> row_constants_;
  Status row_paths_;
  int64_t stream_row_bytes_ = 0;
  AlignedBuffer packed_;
  int64_t most_tokens_ = 0, most_outputs_ = 0, arena_bytes_ = 0, scratch_bytes_ = 0, packed_bytes_ = 0;
};

}  // namespace brisk::graph
