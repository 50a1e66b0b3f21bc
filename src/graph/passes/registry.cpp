// The list of passes, written by the build from the files of this folder, and the loop that runs them.
#include <algorithm>
#include <array>
#include <chrono>

#include "graph/passes/pass.hpp"

namespace brisk::graph {

#define BRISK_ITEM(name) Pass name();
#include "passes.inc"
#undef BRISK_ITEM

std::span<const Pass> all_passes() {
  static const auto passes = [] {
    std::array list = {
#define BRISK_ITEM(name) name(),
#include "passes.inc"
#undef BRISK_ITEM
    };
    std::ranges::sort(list, {}, &Pass::order);
    return list;
  }();
  return passes;
}

namespace {

Status check_names(std::span<const std::string> off) {
  for (const std::string& name : off) {
    std::string known;
    bool found = false;
    for (const Pass& pass : all_passes()) {
      found = found || name == pass.name;
      known += (known.empty() ? "" : ", ") + std::string(pass.name);
    }
    if (!found) return usage_error({"graph passes", "one of " + known, "'" + name + "'"});
  }
  return {};
}

}  // namespace

Result<std::vector<PassReport>> run_passes(Graph& graph, const PassContext& context,
                                           std::span<const std::string> off) {
  BRISK_TRY(check_names(off));
  BRISK_TRY(verify(graph));
  std::vector<PassReport> reports;
  for (const Pass& pass : all_passes()) {
    if (std::ranges::find(off, pass.name) != off.end()) continue;
    const size_t before = graph.nodes().size();
    const auto start = std::chrono::steady_clock::now();
    BRISK_TRY(pass.run(graph, context));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    BRISK_TRY(verify(graph));
    reports.push_back({pass.name, took.count(), before, graph.nodes().size()});
  }
  return reports;
}

}  // namespace brisk::graph
