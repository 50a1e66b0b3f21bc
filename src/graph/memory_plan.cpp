#include "graph/memory_plan.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace brisk::graph {

namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kMostArenaBytes = int64_t{1} << 60;

struct Placed {
  int64_t offset, bytes;
};

// First fit among the buffers that live now, kept sorted by offset.
class Arena {
 public:
  int64_t place(int64_t bytes) {
    int64_t offset = 0;
    auto at = live_.begin();
    while (at != live_.end() && at->offset - offset < bytes) {
      offset = at->offset + at->bytes;
      ++at;
    }
    live_.insert(at, {offset, bytes});
    high_ = std::max(high_, offset + bytes);
    return offset;
  }
  void release(int64_t offset) {
    std::erase_if(live_, [offset](const Placed& placed) { return placed.offset == offset; });
  }
  int64_t high() const { return high_; }

 private:
  std::vector<Placed> live_;
  int64_t high_ = 0;
};

class Planner {
 public:
  Planner(const Graph& graph, std::span<const int64_t> most)
      : graph_(graph), most_(most), last_use_(graph.values().size(), -1) {
    plan_.offsets.assign(graph.values().size(), -1);
  }

  Result<MemoryPlan> run() {
    BRISK_TRY(find_sizes());
    const auto end = static_cast<int64_t>(graph_.nodes().size());
    find_last_uses(end);
    for (size_t i = 0; i < graph_.values().size(); ++i) {
      if (graph_.values()[i].kind == ValueKind::kInput) place(static_cast<ValueId>(i));
    }
    for (int64_t at = 0; at < end; ++at) {
      const Node& node = graph_.nodes()[static_cast<size_t>(at)];
      place_outputs(node, at);
      for (const ValueId id : node.inputs) release_if_done(id, at);
      for (const ValueId id : node.outputs) release_if_done(id, at);
    }
    plan_.arena_bytes = arena_.high();
    return std::move(plan_);
  }

 private:
  int64_t bytes_of(ValueId id) const { return bytes_[static_cast<size_t>(id)]; }

  // The largest size of every value that is somebody's input or output, or why it has none.
  Status find_sizes() {
    bytes_.assign(graph_.values().size(), 0);
    for (size_t i = 0; i < bytes_.size(); ++i) {
      if (graph_.values()[i].kind == ValueKind::kInput) BRISK_TRY(find_size(static_cast<ValueId>(i)));
    }
    for (const Node& node : graph_.nodes()) {
      for (const ValueId id : node.inputs) BRISK_TRY(check_data(graph_.value(id)));
      for (const ValueId id : node.outputs) BRISK_TRY(find_size(id));
    }
    return {};
  }

  Status find_size(ValueId id) {
    const Value& value = graph_.value(id);
    BRISK_TRY(check_dims(value));
    const std::optional<int64_t> bytes = ops::value_bytes(value.type, most_);
    // Together they stay below the limit, so no sum of offsets can overflow.
    if (!bytes || *bytes > kMostArenaBytes / static_cast<int64_t>(bytes_.size())) {
      return refuse(value, "values of at most 2^60 bytes together", "one too large for that",
                    "a smaller step");
    }
    bytes_[static_cast<size_t>(id)] = round_up(*bytes, kAlignment);
    return {};
  }

  // A graph that was read as text without its weights can be looked at, not run.
  static Status check_data(const Value& value) {
    if (value.kind != ValueKind::kWeight || value.weight->bytes() > 0) return {};
    return refuse(value, "the data of the weight", "a description without data",
                  "the graph with the file that holds its weights");
  }

  Status check_dims(const Value& value) const {
    for (const Dim& dim : value.type.shape) {
      if (static_cast<size_t>(dim.symbol_count()) > most_.size()) {
        return refuse(value,
                      "symbols that the step limits (" + graph_.symbols()[kTokens] + ", " +
                          graph_.symbols()[kOutputs] + ")",
                      dim.to_string(graph_.symbols()));
      }
      if (dim.bound()) continue;
      return refuse(
          value, "dimensions with an upper bound", dim.to_string(graph_.symbols()),
          "an op that bounds what it finds; buffers that grow come with the first op that needs them");
    }
    return {};
  }

  static Status refuse(const Value& value, std::string expected, std::string got, std::string hint = {}) {
    return bad_input(
        {"memory plan, value " + value.name, std::move(expected), std::move(got), std::move(hint)});
  }

  void find_last_uses(int64_t end) {
    for (int64_t at = 0; at < end; ++at) {
      const Node& node = graph_.nodes()[static_cast<size_t>(at)];
      for (const ValueId id : node.inputs) last_use_[static_cast<size_t>(id)] = at;
      for (const ValueId id : node.outputs) last_use_[static_cast<size_t>(id)] = at;
    }
    for (size_t i = 0; i < graph_.values().size(); ++i) {
      if (graph_.values()[i].kind == ValueKind::kInput) last_use_[i] = end;
    }
    for (const ValueId id : graph_.outputs()) last_use_[static_cast<size_t>(id)] = end;
  }

  void place(ValueId id) {
    const int64_t bytes = bytes_of(id);
    if (bytes > 0) plan_.offsets[static_cast<size_t>(id)] = arena_.place(bytes);
  }

  void place_outputs(const Node& node, int64_t at) {
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId out = node.outputs[i];
      if (i == 0 && node.op->in_place) {
        const ValueId in = node.inputs[0];
        const bool dies_here = last_use_[static_cast<size_t>(in)] == at &&
                               graph_.value(in).kind == ValueKind::kActivation &&
                               std::count(node.inputs.begin(), node.inputs.end(), in) == 1;
        if (dies_here && bytes_of(in) == bytes_of(out)) {
          plan_.offsets[static_cast<size_t>(out)] = plan_.offsets[static_cast<size_t>(in)];
          last_use_[static_cast<size_t>(in)] = -1;  // its buffer lives on as the output's
          continue;
        }
      }
      place(out);
    }
  }

  void release_if_done(ValueId id, int64_t at) {
    const auto index = static_cast<size_t>(id);
    if (last_use_[index] != at || plan_.offsets[index] < 0 || graph_.value(id).kind != ValueKind::kActivation)
      return;
    arena_.release(plan_.offsets[index]);
    last_use_[index] = -1;
  }

  const Graph& graph_;
  std::span<const int64_t> most_;
  std::vector<int64_t> bytes_;  // per value
  std::vector<int64_t> last_use_;
  Arena arena_;
  MemoryPlan plan_;
};

}  // namespace

Result<MemoryPlan> plan_memory(const Graph& graph, std::span<const int64_t> most) {
  return Planner(graph, most).run();
}

}  // namespace brisk::graph
