// What every block is built with: the graph at hand, and weights that come from the model's files checked.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "graph/graph.hpp"
#include "models/source.hpp"

namespace brisk::models {

class Builder {
 public:
  Builder(graph::Graph& graph, const ModelSource& source) : graph_(&graph), source_(&source) {}

  graph::Graph& graph() { return *graph_; }
  bool has_tensor(std::string_view name) const { return source_->find(name) != nullptr; }
  /// The weight of this name and shape. A missing tensor or another shape is a bad-input error naming it.
  Result<graph::ValueId> weight(const std::string& name, const Shape& shape);
  /// As above, of type F32 (norms).
  Result<graph::ValueId> f32_weight(const std::string& name, const Shape& shape);

  /// Refuses a model that holds tensors which the graph does not read (biases, experts, more layers): they
  /// would change the numbers. `apart` names tensors that are read elsewhere.
  Status check_all_used(std::span<const std::string_view> apart) const;

  /// Nodes with one output; `name` names the node.
  Result<graph::ValueId> node(std::string name, std::string_view op, std::vector<graph::ValueId> inputs,
                              ops::Attributes attributes = {});
  /// x [rows, k] times the tensor `tensor` [n, k].
  Result<graph::ValueId> linear(std::string name, graph::ValueId x, const std::string& tensor, int64_t n,
                                int64_t k);
  Result<graph::ValueId> rms_norm(std::string name, graph::ValueId x, const std::string& tensor,
                                  int64_t width, double eps);

 private:
  /// Adds a weight that its form accepts.
  Result<graph::ValueId> checked(Weight weight);

  graph::Graph* graph_;
  const ModelSource* source_;
};

}  // namespace brisk::models
