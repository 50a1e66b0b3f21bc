// Regions: where a step learns how large a tensor is. A dimension that is known only after some node has run
// cuts the graph in front of the first node that needs it; inside a region every shape is known when the
// region begins. A graph whose shapes are all symbols of the step is one region.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.hpp"

namespace brisk::graph {

/// Nodes [first_node, last_node) of the graph's list.
struct Region {
  NodeId first_node = 0, last_node = 0;
  friend bool operator==(const Region&, const Region&) = default;
};

/// The fewest regions of a verified graph, in order; together they hold every node once. Only what the
/// finding node itself makes may have a size that its own region finds.
std::vector<Region> regions(const Graph& graph);

/// One more than the largest run-time size of the graph: how many numbers ops::StepContext must hold.
int64_t run_time_size_count(const Graph& graph);

}  // namespace brisk::graph
