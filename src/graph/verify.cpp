// The verifier: runs after the graph is built and after every pass.
#include "graph/graph.hpp"

namespace brisk::graph {

namespace {

Status broken(const Node& node, std::string expected, std::string got) {
  return internal_error({"graph, node " + node.name, std::move(expected), std::move(got)});
}

class Verifier {
 public:
  explicit Verifier(const Graph& graph)
      : graph_(graph), made_(graph.values().size(), false), state_changed_(graph.values().size(), false) {}

  Status run() {
    for (size_t i = 0; i < graph_.values().size(); ++i) {
      made_[i] = graph_.values()[i].kind != ValueKind::kActivation;
    }
    for (const Node& node : graph_.nodes()) {
      BRISK_TRY(check_inputs(node));
      BRISK_TRY(check_outputs(node));
    }
    for (const ValueId id : graph_.outputs()) {
      if (!in_range(id) || !made_[static_cast<size_t>(id)]) {
        return internal_error(
            {"graph", "every output to be made", "value " + std::to_string(id) + " is not"});
      }
    }
    return {};
  }

 private:
  bool in_range(ValueId id) const { return id >= 0 && static_cast<size_t>(id) < graph_.values().size(); }

  Status check_inputs(const Node& node) {
    if (node.segment < segment_ || static_cast<size_t>(node.segment) >= graph_.segments().size()) {
      return broken(node, "segments in order", "segment " + std::to_string(node.segment));
    }
    segment_ = node.segment;
    for (const ValueId id : node.inputs) {
      if (!in_range(id)) return broken(node, "inputs that exist", "value " + std::to_string(id));
      if (!made_[static_cast<size_t>(id)]) {
        return broken(node, "inputs made before", graph_.value(id).name + ", which is made later or never");
      }
      if (graph_.value(id).type.form == ops::ValueForm::kState && returns_state(node)) {
        if (state_changed_[static_cast<size_t>(id)]) {
          return broken(node, "one change of each state", "a second change of " + graph_.value(id).name);
        }
        state_changed_[static_cast<size_t>(id)] = true;
      } else if (state_changed_[static_cast<size_t>(id)]) {
        return broken(node, "the newest state", graph_.value(id).name + ", which was changed before");
      }
    }
    return {};
  }

  Status check_outputs(const Node& node) {
    NodeViewStorage storage;
    BRISK_ASSIGN(const std::vector<ops::ValueType> types, node.op->infer(view_node(graph_, node, storage)));
    if (types.size() != node.outputs.size()) {
      return broken(node, std::to_string(types.size()) + " outputs", std::to_string(node.outputs.size()));
    }
    for (size_t i = 0; i < types.size(); ++i) {
      const ValueId id = node.outputs[i];
      if (!in_range(id)) return broken(node, "outputs that exist", "value " + std::to_string(id));
      if (made_[static_cast<size_t>(id)])
        return broken(node, "every value made once", graph_.value(id).name + " again");
      if (!(graph_.value(id).type == types[i]))
        return broken(node, "the type that the op's rule gives", "another");
      made_[static_cast<size_t>(id)] = true;
    }
    return {};
  }

  bool returns_state(const Node& node) const {
    for (const ValueId id : node.outputs) {
      if (in_range(id) && graph_.value(id).type.form == ops::ValueForm::kState) return true;
    }
    return false;
  }

  const Graph& graph_;
  std::vector<bool> made_;
  std::vector<bool> state_changed_;
  int32_t segment_ = 0;
};

}  // namespace

Status verify(const Graph& graph) { return Verifier(graph).run(); }

}  // namespace brisk::graph
