#include "graph/regions.hpp"

namespace brisk::graph {

namespace {

/// Calls `visit(size)` for every run-time size in the types of these values.
template <typename Visit>
void for_each_size(const Graph& graph, const std::vector<ValueId>& values, Visit&& visit) {
  for (const ValueId id : values) {
    for (const Dim& dim : graph.value(id).type.shape) {
      if (!dim.is_known()) visit(static_cast<size_t>(dim.size_id()));
    }
  }
}

}  // namespace

std::vector<Region> regions(const Graph& graph) {
  constexpr NodeId kNotFound = -1;
  std::vector<NodeId> found_by(static_cast<size_t>(run_time_size_count(graph)), kNotFound);
  std::vector<Region> list;
  const auto end = static_cast<NodeId>(graph.nodes().size());
  NodeId first = 0;
  for (NodeId at = 0; at < end; ++at) {
    const Node& node = graph.nodes()[static_cast<size_t>(at)];
    bool found_here = false;
    for_each_size(graph, node.inputs,
                  [&](size_t size) { found_here = found_here || found_by[size] >= first; });
    if (found_here) {
      list.push_back({first, at});
      first = at;
    }
    for_each_size(graph, node.outputs, [&](size_t size) {
      if (found_by[size] == kNotFound) found_by[size] = at;
    });
  }
  if (first < end) list.push_back({first, end});
  return list;
}

int64_t run_time_size_count(const Graph& graph) {
  int64_t count = 0;
  for (const Value& value : graph.values()) {
    for (const Dim& dim : value.type.shape) count = std::max<int64_t>(count, dim.size_id() + 1);
  }
  return count;
}

}  // namespace brisk::graph
