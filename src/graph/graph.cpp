#include "graph/graph.hpp"

namespace brisk::graph {

ValueId Graph::add_input(std::string name, ops::ValueType type) {
  values_.push_back({std::move(name), ValueKind::kInput, std::move(type)});
  return static_cast<ValueId>(values_.size() - 1);
}

ValueId Graph::add_weight(Weight weight) {
  const auto [entry, fresh] = weight_ids_.try_emplace(weight.name, static_cast<ValueId>(values_.size()));
  if (!fresh) return entry->second;
  ops::ValueType type{ops::ValueForm::kTensor, weight.dtype(), {}};
  for (const int64_t dim : weight.shape) type.shape.emplace_back(dim);
  weights_.push_back(std::make_unique<Weight>(std::move(weight)));
  values_.push_back({weights_.back()->name, ValueKind::kWeight, std::move(type), weights_.back().get()});
  return entry->second;
}

ValueId Graph::add_activation(std::string name, ops::ValueType type) {
  values_.push_back({std::move(name), ValueKind::kActivation, std::move(type)});
  return static_cast<ValueId>(values_.size() - 1);
}

ValueId Graph::find_input(std::string_view name) const {
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].kind == ValueKind::kInput && values_[i].name == name) return static_cast<ValueId>(i);
  }
  return -1;
}

Result<std::vector<ValueId>> Graph::add_node(std::string name, std::string_view op_name,
                                             std::vector<ValueId> inputs, ops::Attributes attributes) {
  const ops::Op* op = ops::find_op(op_name);
  BRISK_ASSERT(op != nullptr, "builders name ops that exist");
  BRISK_ASSERT(!segments_.empty(), "nodes belong to a segment");
  Node node{std::move(name),       op,
            std::move(inputs),     {},
            std::move(attributes), static_cast<int32_t>(segments_.size() - 1)};
  NodeViewStorage storage;
  BRISK_ASSIGN(std::vector<ops::ValueType> types, ops::infer_outputs(*op, view_node(*this, node, storage)));
  for (size_t i = 0; i < types.size(); ++i) {
    const std::string suffix = i == 0 ? "" : "." + std::to_string(i);
    node.outputs.push_back(add_activation(node.name + suffix, std::move(types[i])));
  }
  nodes_.push_back(std::move(node));
  return nodes_.back().outputs;
}

ops::NodeView view_node(const Graph& graph, const Node& node, NodeViewStorage& storage) {
  storage.inputs.clear();
  storage.weights.clear();
  for (const ValueId id : node.inputs) {
    storage.inputs.push_back(graph.value(id).type);
    storage.weights.push_back(graph.value(id).weight);
  }
  return {node.name, storage.inputs, storage.weights, node.attributes};
}

}  // namespace brisk::graph
