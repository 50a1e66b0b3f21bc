// Where every activation lies in the arena: buffers are reused as soon as their last reader has run, and an
// op that may work in place takes its input's buffer. All regions (graph/regions.hpp) share one arena: a size
// that a step finds as it runs counts with its upper bound.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.hpp"

namespace brisk::graph {

struct MemoryPlan {
  std::vector<int64_t> offsets;  ///< per value; -1 for weights, states and values nobody makes
  int64_t arena_bytes = 0;
};

/// `most` holds the largest value of each symbol. Graph inputs and outputs keep their buffers throughout. A
/// value without an upper bound, or larger than 2^60 bytes with the others, is refused.
Result<MemoryPlan> plan_memory(const Graph& graph, std::span<const int64_t> most);

}  // namespace brisk::graph
