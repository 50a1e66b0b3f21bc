#include "cli/plan_report.hpp"

#include <algorithm>
#include <array>

#include "base/utf8.hpp"
#include "cli/output.hpp"
#include "graph/regions.hpp"
#include "graph/text.hpp"
#include "models/architecture.hpp"

namespace brisk::cli {
namespace {

using graph::Graph;
using graph::Plan;
using graph::ValueId;

int64_t most_bytes(const Plan& plan, ValueId id) {
  const std::array<int64_t, 2> most = {plan.most_tokens(), plan.most_outputs()};
  return ops::value_bytes(plan.graph().value(id).type, most).value_or(0);
}

std::string size_text(int64_t bytes) { return bytes == 0 ? "" : human_bytes(static_cast<uint64_t>(bytes)); }

std::string calls_text(const Plan& plan) {
  Table table({{"SEGMENT"},
               {"NODE"},
               {"OP"},
               {"KERNEL"},
               {"OUTPUT"},
               {"OFFSET", true},
               {"BYTES", true},
               {"PACKED", true}});
  const Graph& graph = plan.graph();
  for (size_t i = 0; i < plan.calls().size(); ++i) {
    const graph::PlannedCall& call = plan.calls()[i];
    const ValueId out = graph.nodes()[i].outputs.at(0);
    const int64_t offset = plan.offset(out);
    table.add({escape_for_terminal(plan.segments()[static_cast<size_t>(call.segment)].name),
               escape_for_terminal(call.name), call.op, call.bound->kernel(),
               graph::type_text(graph.value(out).type, graph.symbols()),
               offset < 0 ? "" : grouped(static_cast<uint64_t>(offset)), size_text(most_bytes(plan, out)),
               size_text(call.bound->packed_bytes())});
  }
  return table.text();
}

const graph::PassReport* report_of(const Plan& plan, std::string_view pass) {
  const auto found = std::ranges::find(plan.passes(), pass, &graph::PassReport::name);
  return found == plan.passes().end() ? nullptr : &*found;
}

std::string passes_text(const Plan& plan) {
  Table table(
      {{"PASS"}, {"TIME", true}, {"NODES", true}, {"ADDED", true}, {"REMOVED", true}, {"CHANGED", true}});
  for (const graph::Pass& pass : graph::all_passes()) {
    const graph::PassReport* report = report_of(plan, pass.name);
    if (report == nullptr) {
      table.add({pass.name, "off", "", "", "", ""});
    } else {
      table.add({pass.name, fixed(report->milliseconds, 3) + " ms", std::to_string(report->nodes_after),
                 std::to_string(report->added), std::to_string(report->removed),
                 std::to_string(report->changed)});
    }
  }
  return table.text();
}

std::string regions_text(const Plan& plan) {
  Table table({{"REGION", true}, {"FIRST CALL"}, {"LAST CALL"}, {"CALLS", true}});
  size_t number = 0;
  for (const graph::Region& region : graph::regions(plan.graph())) {
    const auto name = [&plan](graph::NodeId node) {
      return escape_for_terminal(plan.calls()[static_cast<size_t>(node)].name);
    };
    table.add({std::to_string(number++), name(region.first_node), name(region.last_node - 1),
               std::to_string(region.last_node - region.first_node)});
  }
  return table.text();
}

Json call_json(const Plan& plan, size_t index) {
  const graph::PlannedCall& call = plan.calls()[index];
  Json outputs = Json::array();
  for (const ValueId id : plan.graph().nodes()[index].outputs) {
    outputs.push_back({{"type", graph::type_text(plan.graph().value(id).type, plan.graph().symbols())},
                       {"offset", plan.offset(id)},
                       {"bytes", most_bytes(plan, id)}});
  }
  return {{"segment", plan.segments()[static_cast<size_t>(call.segment)].name},
          {"node", call.name},
          {"op", call.op},
          {"kernel", call.bound->kernel()},
          {"outputs", std::move(outputs)},
          {"packed_bytes", call.bound->packed_bytes()}};
}

Json pass_json(const Plan& plan, const graph::Pass& pass) {
  const graph::PassReport* report = report_of(plan, pass.name);
  if (report == nullptr) return {{"name", pass.name}, {"off", true}};
  return {{"name", pass.name},
          {"off", false},
          {"ms", report->milliseconds},
          {"nodes_before", report->nodes_before},
          {"nodes_after", report->nodes_after},
          {"added", report->added},
          {"removed", report->removed},
          {"changed", report->changed}};
}

}  // namespace

Result<std::unique_ptr<Plan>> plan_of(const models::ModelSource& source, graph::PlanOptions options) {
  if (std::ranges::find(options.passes_off, "all") != options.passes_off.end()) {
    options.passes_off.clear();
    for (const graph::Pass& pass : graph::all_passes()) options.passes_off.emplace_back(pass.name);
  }
  BRISK_ASSIGN(const models::Architecture* architecture, models::find_architecture(source));
  BRISK_ASSIGN(const models::LlmConfig config, architecture->read_config(source));
  BRISK_ASSIGN(Graph graph, architecture->build(config, source));
  return Plan::create(std::move(graph), options);
}

std::string plan_text(const Plan& plan) {
  Facts facts;
  facts.add("Step", std::to_string(plan.most_tokens()) + " tokens, " + std::to_string(plan.most_outputs()) +
                        " of them with logits");
  facts.add("Calls", std::to_string(plan.calls().size()));
  facts.add("Activations", human_bytes(static_cast<uint64_t>(plan.arena_bytes())) + " in one arena");
  facts.add("Scratch", human_bytes(static_cast<uint64_t>(plan.scratch_bytes())) + " for each thread");
  facts.add("Packed weights", human_bytes(static_cast<uint64_t>(plan.packed_bytes())));
  return calls_text(plan) + "\n" + passes_text(plan) + "\n" + regions_text(plan) + "\n" + facts.text();
}

Json plan_json(const Plan& plan) {
  Json calls = Json::array();
  for (size_t i = 0; i < plan.calls().size(); ++i) calls.push_back(call_json(plan, i));
  Json passes = Json::array();
  for (const graph::Pass& pass : graph::all_passes()) passes.push_back(pass_json(plan, pass));
  Json regions = Json::array();
  for (const graph::Region& region : graph::regions(plan.graph())) {
    regions.push_back({{"first_call", region.first_node}, {"calls", region.last_node - region.first_node}});
  }
  return {{"most_tokens", plan.most_tokens()},   {"most_outputs", plan.most_outputs()},
          {"arena_bytes", plan.arena_bytes()},   {"scratch_bytes", plan.scratch_bytes()},
          {"packed_bytes", plan.packed_bytes()}, {"calls", std::move(calls)},
          {"passes", std::move(passes)},         {"regions", std::move(regions)}};
}

Json graph_json(const Graph& graph) {
  return {
      {"nodes", graph.nodes().size()}, {"segments", graph.segments().size()}, {"text", graph::dump(graph)}};
}

}  // namespace brisk::cli
