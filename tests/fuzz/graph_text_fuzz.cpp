// Fuzz target: the reader of a graph's text. What it accepts is verified, dumped and read again (the same
// text must come back), cut into regions, planned (never with data: a graph without weights may have a plan),
// run through the passes and rewritten without state. Conventions: gguf_fuzz.cpp.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz/fuzz_support.hpp"
#include "graph/memory_plan.hpp"
#include "graph/passes/pass.hpp"
#include "graph/plan.hpp"
#include "graph/regions.hpp"
#include "graph/stateless.hpp"
#include "graph/text.hpp"

namespace {

using namespace brisk;
using namespace brisk::graph;
using fuzz::check_error;
using fuzz::require;

std::string dump_again(const Graph& graph) {
  require(verify(graph).ok(), "a graph that was read is verified");
  std::string text = dump(graph);
  const auto back = read_graph(text, "dump");
  require(back.ok(), "what dump() writes reads back");
  require(dump(*back) == text, "a dump comes back as the same text");
  return text;
}

void use_regions(const Graph& graph) {
  NodeId next = 0;
  for (const Region& region : regions(graph)) {
    require(region.first_node == next && region.last_node > next, "regions follow each other");
    next = region.last_node;
  }
  require(next == static_cast<NodeId>(graph.nodes().size()), "regions hold every node");
}

void use_memory_plan(const Graph& graph) {
  const std::array<int64_t, 2> most = {7, 3};
  const auto plan = plan_memory(graph, most);
  if (!plan.ok()) {
    require(plan.status().code() == StatusCode::kBadInput, "a graph that cannot be planned is a bad input");
    return;
  }
  for (const Node& node : graph.nodes()) {
    for (const ValueId id : node.outputs) {
      const int64_t offset = plan->offsets[static_cast<size_t>(id)];
      const int64_t bytes = ops::value_bytes(graph.value(id).type, most).value_or(-1);
      require(bytes >= 0, "a planned value has a size");
      require(bytes == 0 || (offset >= 0 && offset + bytes <= plan->arena_bytes), "it lies in the arena");
    }
  }
}

#if defined(BRISK_PLANTED_BUG)
// The planted bug: names are copied to a buffer that is long enough for those of the corpus.
void use_names(const Graph& graph) {
  const auto buffer = std::make_unique<volatile char[]>(16);
  for (const Node& node : graph.nodes()) {
    for (size_t i = 0; i < node.name.size(); ++i) buffer[i] = node.name[i];
  }
}
#endif

void use_graph(Graph graph, const std::string& text) {
  use_regions(graph);
  use_memory_plan(graph);
#if defined(BRISK_PLANTED_BUG)
  use_names(graph);
#endif
  if (const auto without_state = stateless(graph); without_state.ok()) dump_again(*without_state);
  PlanOptions options;
  options.most_tokens = 7;
  options.most_outputs = 3;
  if (auto copy = read_graph(text, "plan"); copy.ok())
    (void)Plan::create(std::move(copy).value(), options).ok();
  const auto reports = run_passes(graph, {}, {});
  require(reports.ok(), "passes keep a graph right");
  dump_again(graph);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A copy of exactly this size: the sanitizer sees every byte read beyond it.
  const std::unique_ptr<char[]> bytes(new char[size]);
  std::copy(data, data + size, bytes.get());
  auto graph = read_graph(std::string_view(bytes.get(), size), "fuzz");
  if (graph.ok()) {
    const std::string text = dump_again(*graph);
    use_graph(std::move(graph).value(), text);
  } else {
    check_error(graph.status());
  }
  return 0;
}
