// dead_code: removes nodes whose outputs nobody reads, unless they change state or make a segment's stream,
// which rows that pass the segment by still need.
#include "graph/passes/pass.hpp"

namespace brisk::graph {

namespace {

bool changes_state(const Graph& graph, const Node& node) {
  for (const ValueId id : node.outputs) {
    if (graph.value(id).type.form == ops::ValueForm::kState) return true;
  }
  return false;
}

Status run(Graph& graph, const PassContext&) {
  std::vector<bool> wanted(graph.values().size(), false);
  for (const ValueId id : graph.outputs()) wanted[static_cast<size_t>(id)] = true;
  for (const Segment& segment : graph.segments()) {
    if (segment.stream >= 0) wanted[static_cast<size_t>(segment.stream)] = true;
  }
  std::vector<Node> nodes = graph.take_nodes();
  std::vector<Node> kept;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    bool keep = changes_state(graph, *node);
    for (const ValueId id : node->outputs) keep = keep || wanted[static_cast<size_t>(id)];
    if (!keep) continue;
    for (const ValueId id : node->inputs) wanted[static_cast<size_t>(id)] = true;
    kept.push_back(std::move(*node));
  }
  graph.set_nodes({std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend())});
  return {};
}

}  // namespace

Pass pass_dead_code() { return {"dead_code", 90, run}; }

}  // namespace brisk::graph
