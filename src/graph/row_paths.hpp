// Rows that take their own way through the segments of a step: passed by, split off, dropped. The stream of
// each row lives either in the arena, where the rows that run the next segment stand side by side, or in its
// *home*, a place of its own beside it. Between segments rows move only when the set changes.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/memory.hpp"
#include "graph/plan.hpp"

namespace brisk::graph {

/// What a row sees of its sequence from a segment on: bit j is position j's.
struct SeenFrom {
  int32_t segment;
  const uint64_t* mask;
};

/// The way of one row. The default runs everything.
struct RowPath {
  int32_t source = -1;  ///< earlier row whose stream it copies when it comes to segment `from`
  int32_t from = 0;     ///< first segment that it runs (after segment 0, which every row runs)
  int32_t until = std::numeric_limits<int32_t>::max();  ///< segment that it does not reach any more
  const uint8_t* skip = nullptr;                        ///< [segments] nonzero: passes by; null: none
  /// Masks that take the place of the row's own from their segment on, ascending: where rows are dropped on
  /// the way, those that stay must not look at what the dropped ones would have stored.
  std::span<const SeenFrom> seen = {};

  bool is_default() const {
    return source < 0 && skip == nullptr && until == RowPath().until && seen.empty();
  }
  bool runs(int32_t segment) const {
    return segment >= from && segment < until && (skip == nullptr || skip[segment] == 0);
  }
};

class RowPaths {
 public:
  explicit RowPaths(const Plan& plan) : plan_(&plan) {}

  /// Makes room for the homes (once). Out of memory is an error.
  Status prepare();
  /// Begins a step whose rows have these paths, in the arena at `arena`.
  void begin(std::span<const RowPath> paths, std::byte* arena);
  /// Moves rows so that those of `segment` stand in front, in order. Call it before every segment but 0.
  void enter(int32_t segment);
  /// The rows that stand in the arena, in order.
  std::span<const int32_t> active() const { return active_; }
  /// Whether they are rows 0, 1, 2, ...
  bool in_place() const { return in_place_; }

 private:
  void save_constants();
  void save_streams(std::byte* stream);
  void split_off(int32_t segment);
  void load(std::byte* stream);

  const Plan* plan_;
  std::span<const RowPath> paths_;
  std::byte* arena_ = nullptr;
  AlignedBuffer homes_, constants_;
  std::vector<int32_t> active_, next_;
  bool in_place_ = true, constants_in_place_ = true;
};

}  // namespace brisk::graph
