// share_common: nodes of one op with the same inputs and attributes become one (common subexpressions). Ops
// that touch state are left alone.
#include <map>

#include "graph/passes/pass.hpp"

namespace brisk::graph {

namespace {

bool touches_state(const Graph& graph, const Node& node) {
  for (const auto* list : {&node.inputs, &node.outputs}) {
    for (const ValueId id : *list) {
      if (graph.value(id).type.form == ops::ValueForm::kState) return true;
    }
  }
  return false;
}

Status run(Graph& graph, const PassContext&) {
  std::map<std::pair<const ops::Op*, std::vector<ValueId>>, std::vector<size_t>> seen;
  std::map<ValueId, ValueId> replaced;
  std::vector<Node> kept;
  for (Node& node : graph.take_nodes()) {
    for (ValueId& id : node.inputs) {
      if (const auto found = replaced.find(id); found != replaced.end()) id = found->second;
    }
    if (!touches_state(graph, node)) {
      std::vector<size_t>& same = seen[{node.op, node.inputs}];
      const Node* twin = nullptr;
      for (const size_t index : same) {
        if (kept[index].attributes == node.attributes) twin = &kept[index];
      }
      if (twin != nullptr) {
        for (size_t i = 0; i < node.outputs.size(); ++i) {
          replaced[node.outputs[i]] = twin->outputs[i];
          graph.replace_named(node.outputs[i], twin->outputs[i]);
        }
        continue;
      }
      same.push_back(kept.size());
    }
    kept.push_back(std::move(node));
  }
  graph.set_nodes(std::move(kept));
  return {};
}

}  // namespace

Pass pass_share_common() { return {"share_common", 10, run}; }

}  // namespace brisk::graph
