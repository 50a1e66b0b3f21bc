// Graph passes: each is one file of this folder, has a name, a timer and an off switch, and is followed by
// the verifier. passes/<name>.cpp defines pass_<name>(); `order` says when it runs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/cpu.hpp"
#include "graph/graph.hpp"

namespace brisk::graph {

struct PassContext {
  Isa isa = Isa::kRef;
  bool exact = false;  ///< keep f32 activations
};

struct Pass {
  const char* name;
  int order;  ///< lower runs earlier; no two alike
  Status (*run)(Graph& graph, const PassContext& context);
};

/// What a pass did: nodes are the same when they make the same value, and changed when they make it
/// otherwise.
struct PassReport {
  std::string name;
  double milliseconds = 0;
  size_t nodes_before = 0, nodes_after = 0;
  size_t added = 0, removed = 0, changed = 0;
};

/// In the order in which they run.
std::span<const Pass> all_passes();

/// Verifies, then runs every pass whose name is not in `off`, verifying after each. An unknown name in `off`
/// is a usage error.
Result<std::vector<PassReport>> run_passes(Graph& graph, const PassContext& context,
                                           std::span<const std::string> off);

}  // namespace brisk::graph
