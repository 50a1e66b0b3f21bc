// Results of the speed tests as Markdown, CSV, JSON or JSON lines (llama-bench's names), and the recorded ops
// as a Chrome trace.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "cli/bench/model_bench.hpp"

namespace brisk::cli {

/// What all rows of a report share.
struct BenchModel {
  std::string path;
  std::string type;  ///< "llama 134.5 M Q4_1"
  std::shared_ptr<const runtime::Model> model;
};
Result<BenchModel> describe_model(const std::string& path, std::shared_ptr<const runtime::Model> model);

/// `format` is md, csv, json or jsonl.
std::string bench_report(const BenchModel& model, std::span<const BenchResult> results,
                         std::string_view format);

/// {"traceEvents": [...]}: one event per op and one around each step; times in microseconds from the first.
Json chrome_trace(const graph::Trace& trace);
/// The share of the steps' time that lies in no op, 0 to 1.
double time_outside_ops(const graph::Trace& trace);

}  // namespace brisk::cli
