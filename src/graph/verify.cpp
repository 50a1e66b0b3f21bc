// The verifier: runs after a graph is built or read and after every pass.
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
      BRISK_TRY(check_value(graph_.values()[i]));
    }
    for (const Node& node : graph_.nodes()) {
      BRISK_TRY(enter_segment(node));
      BRISK_TRY(check_inputs(node));
      BRISK_TRY(check_outputs(node));
    }
    for (++segment_; static_cast<size_t>(segment_) < graph_.segments().size(); ++segment_) {
      BRISK_TRY(check_stream(segment_));
    }
    for (const ValueId id : graph_.outputs()) {
      if (!is_made(id)) {
        return internal_error(
            {"graph", "every output to be made", "value " + std::to_string(id) + " is not"});
      }
    }
    return {};
  }

 private:
  bool in_range(ValueId id) const { return id >= 0 && static_cast<size_t>(id) < graph_.values().size(); }
  bool is_made(ValueId id) const { return in_range(id) && made_[static_cast<size_t>(id)]; }

  Status check_value(const Value& value) const {
    if ((value.kind == ValueKind::kWeight) != (value.weight != nullptr)) {
      return internal_error(
          {"graph, value " + value.name, "a weight behind every weight value", "another kind"});
    }
    for (const Dim& dim : value.type.shape) {
      if (static_cast<size_t>(dim.symbol_count()) > graph_.symbols().size()) {
        return internal_error({"graph, value " + value.name, "symbols of this graph", "another symbol"});
      }
      if (value.kind != ValueKind::kActivation && !dim.is_known()) {
        return internal_error(
            {"graph, value " + value.name, "dimensions known before the step", "one that no node finds"});
      }
    }
    return {};
  }

  Status enter_segment(const Node& node) {
    if (node.segment < 0 || node.segment < segment_ ||
        static_cast<size_t>(node.segment) >= graph_.segments().size()) {
      return broken(node, "segments in order", "segment " + std::to_string(node.segment));
    }
    while (segment_ < node.segment) BRISK_TRY(check_stream(++segment_));
    return {};
  }

  Status check_stream(int32_t segment) const {
    const Segment& entered = graph_.segments()[static_cast<size_t>(segment)];
    if (entered.stream == -1) return {};
    const std::string where = "graph, segment " + entered.name;
    if (!is_made(entered.stream)) {
      return internal_error({where, "a stream made before", "value " + std::to_string(entered.stream)});
    }
    const Value& stream = graph_.value(entered.stream);
    const ops::ValueType& type = stream.type;
    if (stream.kind != ValueKind::kWeight && type.form == ops::ValueForm::kTensor &&
        type.dtype == DType::kF32 && type.shape.size() == 2 && type.shape[1].is_constant()) {
      return {};
    }
    return internal_error({where, "f32 rows as its stream", stream.name});
  }

  Status check_inputs(const Node& node) {
    for (const ValueId id : node.inputs) {
      if (!in_range(id)) return broken(node, "inputs that exist", "value " + std::to_string(id));
      if (!is_made(id)) {
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
    BRISK_ASSIGN(const std::vector<ops::ValueType> types,
                 ops::infer_outputs(*node.op, view_node(graph_, node, storage)));
    if (types.size() != node.outputs.size()) {
      return broken(node, std::to_string(types.size()) + " outputs", std::to_string(node.outputs.size()));
    }
    for (size_t i = 0; i < types.size(); ++i) {
      const ValueId id = node.outputs[i];
      if (!in_range(id)) return broken(node, "outputs that exist", "value " + std::to_string(id));
      if (is_made(id)) return broken(node, "every value made once", graph_.value(id).name + " again");
      if (!(graph_.value(id).type == types[i]))
        return broken(node, "the type that the op's rule gives", "another");
      BRISK_TRY(check_sizes_found(node, types[i], storage.inputs));
      made_[static_cast<size_t>(id)] = true;
    }
    return {};
  }

  // A run-time size that comes with an input was found before, because that input was made before. One that
  // does not is found by this node, and nobody else may find it: it would be another number.
  Status check_sizes_found(const Node& node, const ops::ValueType& type,
                           std::span<const ops::ValueType> inputs) {
    for (const Dim& dim : type.shape) {
      if (dim.is_known()) continue;
      const auto has_dim = [&dim](const ops::ValueType& input) {
        return std::ranges::find(input.shape, dim) != input.shape.end();
      };
      if (std::ranges::any_of(inputs, has_dim)) continue;
      const auto id = static_cast<size_t>(dim.size_id());
      if (id >= static_cast<size_t>(ops::kMostRunTimeSizes)) {
        return broken(node, "sizes below " + std::to_string(ops::kMostRunTimeSizes), std::to_string(id));
      }
      if (size_found_.size() <= id) size_found_.resize(id + 1, nullptr);
      if (size_found_[id] != nullptr && size_found_[id] != &node) {
        return broken(node, "a run-time size of its own",
                      "size " + std::to_string(id) + " of " + size_found_[id]->name);
      }
      size_found_[id] = &node;
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
  std::vector<const Node*> size_found_;  // by size
  int32_t segment_ = -1;
};

}  // namespace

Status verify(const Graph& graph) { return Verifier(graph).run(); }

}  // namespace brisk::graph
