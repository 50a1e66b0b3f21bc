// What `brisk show` says of a model's graph and plan: the graph as text, and tables of calls, passes and
// regions.
#pragma once

#include <memory>
#include <string>

#include "base/json.hpp"
#include "base/status.hpp"
#include "graph/plan.hpp"
#include "models/source.hpp"

namespace brisk::cli {

/// The plan of a model file, no weight packed. `options.passes_off` may hold "all".
Result<std::unique_ptr<graph::Plan>> plan_of(const models::ModelSource& source, graph::PlanOptions options);

std::string plan_text(const graph::Plan& plan);
Json plan_json(const graph::Plan& plan);
/// The graph's text, and how much there is of it.
Json graph_json(const graph::Graph& graph);

}  // namespace brisk::cli
