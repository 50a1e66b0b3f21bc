// The IR: values, nodes and segments of one network. Nodes stand in an order in which they can run; ops
// that touch state take a state token and return the next one, so no pass can reorder them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "ops/op.hpp"
#include "tensor/dim.hpp"
#include "tensor/weight.hpp"

namespace brisk::graph {

using ValueId = int32_t;
using NodeId = int32_t;

enum class ValueKind : uint8_t { kInput, kWeight, kActivation };

struct Value {
  std::string name;
  ValueKind kind;
  ops::ValueType type;
  const Weight* weight = nullptr;  ///< for kWeight
};

struct Node {
  std::string name;
  const ops::Op* op;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  ops::Attributes attributes;
  int32_t segment;
};

/// A run of neighbouring nodes, such as one layer: what techniques skip, repeat and cut at.
struct Segment {
  std::string name;
  /// The activation [tokens, width] that enters the segment and that the segment passes on, changed, as the
  /// next one's stream: a row that is not part of the segment keeps its value. -1: nothing enters.
  ValueId stream = -1;
};

/// The symbols that every language model's graph has.
inline constexpr SymbolId kTokens = 0;   ///< rows of a step
inline constexpr SymbolId kOutputs = 1;  ///< rows whose logits are wanted

class Graph {
 public:
  /// Symbols: "tokens" and "outputs".
  Graph() : symbols_{"tokens", "outputs"} {}

  /// A further symbol; a plan has to be told its largest value.
  SymbolId add_symbol(std::string name) {
    symbols_.push_back(std::move(name));
    return static_cast<SymbolId>(symbols_.size() - 1);
  }
  ValueId add_input(std::string name, ops::ValueType type);
  /// Takes the weight; values of one weight are shared by name.
  ValueId add_weight(Weight weight);
  /// Begins a segment: nodes that follow belong to it.
  void begin_segment(std::string name, ValueId stream = -1) {
    segments_.push_back({std::move(name), stream});
  }
  /// Adds a node; an error when the op's rule refuses it. Returns its outputs.
  Result<std::vector<ValueId>> add_node(std::string name, std::string_view op, std::vector<ValueId> inputs,
                                        ops::Attributes attributes = {});
  void mark_output(ValueId id) { outputs_.push_back(id); }

  const std::vector<Value>& values() const { return values_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Segment>& segments() const { return segments_; }
  const std::vector<std::string>& symbols() const { return symbols_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  bool has_weight(const std::string& name) const { return weight_ids_.contains(name); }
  /// The weight of this name, or -1.
  ValueId find_weight(const std::string& name) const {
    const auto found = weight_ids_.find(name);
    return found == weight_ids_.end() ? -1 : found->second;
  }
  const Value& value(ValueId id) const { return values_[static_cast<size_t>(id)]; }
  /// The input of this name, or -1.
  ValueId find_input(std::string_view name) const;

  /// For passes: replaces a value where the graph itself names it (outputs, streams) ...
  void replace_named(ValueId old_id, ValueId new_id) {
    std::replace(outputs_.begin(), outputs_.end(), old_id, new_id);
    for (Segment& segment : segments_) {
      if (segment.stream == old_id) segment.stream = new_id;
    }
  }
  /// ... and the list of nodes (values stay), and adds a value.
  void set_nodes(std::vector<Node> nodes) { nodes_ = std::move(nodes); }
  ValueId add_activation(std::string name, ops::ValueType type);
  std::vector<Node> take_nodes() { return std::move(nodes_); }

 private:
  std::vector<std::string> symbols_;
  std::vector<Segment> segments_;
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> outputs_;
  std::vector<std::unique_ptr<Weight>> weights_;  // stable addresses
  std::map<std::string, ValueId> weight_ids_;
};

/// What an op sees of a node; the view borrows from `storage`.
struct NodeViewStorage {
  std::vector<ops::ValueType> inputs;
  std::vector<const Weight*> weights;
};
ops::NodeView view_node(const Graph& graph, const Node& node, NodeViewStorage& storage);

/// Checks a whole graph: ids in range, every value made before it is used and once, types equal to what the
/// ops' rules say, segments in order, and every state token used by at most one node that changes it.
Status verify(const Graph& graph);

}  // namespace brisk::graph
