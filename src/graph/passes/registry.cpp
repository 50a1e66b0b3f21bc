// The list of passes, written by the build from the files of this folder, and the loop that runs them.
#include <algorithm>
#include <array>
#include <chrono>
#include <map>

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

void count_changes(const std::vector<Node>& before, const std::vector<Node>& after, PassReport& report) {
  std::map<ValueId, const Node*> made_by;
  for (const Node& node : before) made_by[node.outputs.at(0)] = &node;
  for (const Node& node : after) {
    const auto found = made_by.find(node.outputs.at(0));
    if (found == made_by.end()) {
      ++report.added;
      continue;
    }
    const Node& old = *found->second;
    const bool same = old.op == node.op && old.inputs == node.inputs && old.attributes == node.attributes;
    report.changed += same ? 0 : 1;
    made_by.erase(found);
  }
  report.removed = made_by.size();
}

}  // namespace

Result<std::vector<PassReport>> run_passes(Graph& graph, const PassContext& context,
                                           std::span<const std::string> off) {
  BRISK_TRY(check_names(off));
  BRISK_TRY(verify(graph));
  std::vector<PassReport> reports;
  for (const Pass& pass : all_passes()) {
    if (std::ranges::find(off, pass.name) != off.end()) continue;
    const std::vector<Node> before = graph.nodes();
    const auto start = std::chrono::steady_clock::now();
    BRISK_TRY(pass.run(graph, context));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    BRISK_TRY(verify(graph));
    PassReport report{pass.name, took.count(), before.size(), graph.nodes().size()};
    count_changes(before, graph.nodes(), report);
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace brisk::graph
