#include "graph/memory_plan.hpp"

#include <algorithm>

namespace brisk::graph {

namespace {

constexpr int64_t kAlignment = 64;

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

  MemoryPlan run() {
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
  int64_t bytes_of(ValueId id) const {
    return (ops::value_bytes(graph_.value(id).type, most_) + kAlignment - 1) / kAlignment * kAlignment;
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
  std::vector<int64_t> last_use_;
  Arena arena_;
  MemoryPlan plan_;
};

}  // namespace

MemoryPlan plan_memory(const Graph& graph, std::span<const int64_t> most) {
  return Planner(graph, most).run();
}

}  // namespace brisk::graph
