#include "graph/stateless.hpp"

#include <map>

namespace brisk::graph {

namespace {

class Rewriter {
 public:
  explicit Rewriter(const Graph& from) : from_(from), new_ids_(from.values().size(), kNone) {}

  Result<Graph> run() {
    for (size_t i = to_.symbols().size(); i < from_.symbols().size(); ++i) to_.add_symbol(from_.symbols()[i]);
    for (size_t i = 0; i < from_.values().size(); ++i) BRISK_TRY(copy_value(static_cast<ValueId>(i)));
    for (const Node& node : from_.nodes()) {
      BRISK_TRY(begin_segments(static_cast<size_t>(node.segment) + 1));
      BRISK_TRY(rewrite(node));
    }
    BRISK_TRY(begin_segments(from_.segments().size()));
    for (const ValueId id : from_.outputs()) {
      BRISK_ASSIGN(const ValueId output, new_id(id, "graph outputs"));
      to_.mark_output(output);
    }
    BRISK_TRY(verify(to_));
    return std::move(to_);
  }

 private:
  static constexpr ValueId kNone = -1;

  /// What the newest kv_store of a layer was given, as values of the new graph.
  struct Stored {
    ValueId k, v;
  };

  bool is_state(ValueId id) const { return from_.value(id).type.form == ops::ValueForm::kState; }

  Status copy_value(ValueId id) {
    const Value& value = from_.value(id);
    ValueId& copy = new_ids_[static_cast<size_t>(id)];
    if (value.kind == ValueKind::kWeight) {
      copy = to_.add_weight(*value.weight);
    } else if (value.kind == ValueKind::kInput && !is_state(id)) {
      copy = to_.add_input(value.name, value.type);
    } else if (value.kind == ValueKind::kInput) {
      if (segments_ != kNone) {
        return refuse(value.name, "one input that is a state", "a second one");
      }
      segments_ = to_.add_input("segments", {ops::ValueForm::kTensor, DType::kI32, {Dim::symbol(kTokens)}});
    }
    return {};
  }

  Status begin_segments(size_t end) {
    for (size_t i = to_.segments().size(); i < end; ++i) {
      const Segment& segment = from_.segments()[i];
      ValueId stream = kNone;
      if (segment.stream != kNone) {
        BRISK_ASSIGN(stream, new_id(segment.stream, segment.name));
      }
      to_.begin_segment(segment.name, stream);
    }
    return {};
  }

  Status rewrite(const Node& node) {
    const std::string_view op = node.op->name;
    if (op == "kv_store") return note_store(node);
    if (op == "attention") return rewrite_attention(node);
    for (const auto* list : {&node.inputs, &node.outputs}) {
      for (const ValueId id : *list) {
        if (is_state(id)) return refuse(node.name, "ops that have a stateless form", std::string(op));
      }
    }
    std::vector<ValueId> inputs;
    for (const ValueId id : node.inputs) {
      BRISK_ASSIGN(const ValueId input, new_id(id, node.name));
      inputs.push_back(input);
    }
    BRISK_ASSIGN(const std::vector<ValueId> outputs,
                 to_.add_node(node.name, op, std::move(inputs), node.attributes));
    for (size_t i = 0; i < outputs.size(); ++i) new_ids_[static_cast<size_t>(node.outputs[i])] = outputs[i];
    return {};
  }

  Status note_store(const Node& node) {
    const int64_t layer = node.attributes.integer("layer");
    BRISK_ASSIGN(const ValueId k, new_id(node.inputs[0], node.name));
    BRISK_ASSIGN(const ValueId v, new_id(node.inputs[1], node.name));
    if (stored_.emplace(layer, Stored{k, v}).second) return {};
    return refuse(node.name, "one kv_store for each layer",
                  "a second one for layer " + std::to_string(layer));
  }

  Status rewrite_attention(const Node& node) {
    const int64_t layer = node.attributes.integer("layer");
    const auto stored = stored_.find(layer);
    if (stored == stored_.end()) {
      return refuse(node.name, "a kv_store of layer " + std::to_string(layer) + " before it", "none");
    }
    ops::Attributes attributes = node.attributes;
    std::erase_if(attributes.entries, [](const auto& entry) { return entry.first == "layer"; });
    BRISK_ASSIGN(const ValueId q, new_id(node.inputs[0], node.name));
    BRISK_ASSIGN(const std::vector<ValueId> outputs,
                 to_.add_node(node.name, "attention_segments",
                              {q, stored->second.k, stored->second.v, segments_}, std::move(attributes)));
    new_ids_[static_cast<size_t>(node.outputs[0])] = outputs[0];  // its other outputs are work space
    return {};
  }

  Result<ValueId> new_id(ValueId id, const std::string& user) const {
    const ValueId found = new_ids_[static_cast<size_t>(id)];
    if (found != kNone) return found;
    return refuse(user, "values that the stateless form has", from_.value(id).name);
  }

  static Status refuse(const std::string& what, std::string expected, std::string got) {
    return bad_input({"stateless form, " + what, std::move(expected), std::move(got),
                      "a graph in which only kv_store and attention touch state"});
  }

  const Graph& from_;
  Graph to_;
  std::vector<ValueId> new_ids_;
  ValueId segments_ = kNone;
  std::map<int64_t, Stored> stored_;  // by layer
};

}  // namespace

Result<Graph> stateless(const Graph& graph) { return Rewriter(graph).run(); }

}  // namespace brisk::graph
