#include "cli/bench/report.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/cpu.hpp"
#include "base/utf8.hpp"
#include "cli/output.hpp"
#include "models/source.hpp"
#include "quant/weight_form.hpp"

namespace brisk::cli {
namespace {

/// The weight type that most bytes of the model are in.
std::string_view main_type(const models::ModelSource& source) {
  std::map<std::string_view, int64_t> bytes;
  for (const Weight& tensor : source.tensors()) bytes[quant::type_name(tensor)] += tensor.bytes();
  const auto most = std::max_element(bytes.begin(), bytes.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == bytes.end() ? "?" : most->first;
}

/// Calls of each kernel in one step.
Json kernel_counts(const graph::Plan& plan) {
  std::map<std::string, int64_t> counts;
  for (const graph::PlannedCall& call : plan.calls()) ++counts[call.bound->kernel()];
  Json out = Json::object();
  for (const auto& [name, count] : counts) out[name] = count;
  return out;
}

Json result_json(const BenchModel& bench, const BenchResult& result) {
  const runtime::ModelInfo& info = bench.model->info();
  const runtime::LoadOptions& options = bench.model->options();
  return {{"build_version", BRISK_VERSION},
          {"cpu_info", cpu_info().model},
          {"backends", "CPU"},
          {"isa", isa_name(options.isa)},
          {"exact", options.exact},
          {"model_filename", bench.path},
          {"model_type", bench.type},
          {"model_size", info.file_bytes},
          {"model_n_params", info.parameters},
          {"n_batch", options.step_tokens},
          {"n_threads", result.test.threads},
          {"n_prompt", result.test.prompt},
          {"n_gen", result.test.gen},
          {"n_depth", result.test.depth},
          {"type_kv", std::string(dtype_name(bench.model->kv_type()))},
          {"decode", result.test.method},
          {"kv_policy", result.test.kv_policy},
          {"test", result.test.name()},
          {"test_time", result.time},
          {"avg_ns", std::llround(result.avg_ns())},
          {"stddev_ns", std::llround(result.stddev_ns())},
          {"avg_ts", result.avg_ts()},
          {"stddev_ts", result.stddev_ts()},
          {"samples_ns", result.samples_ns},
          {"samples_ts", result.samples_ts()},
          {"kernels", kernel_counts(bench.model->plan())}};
}

std::string markdown(const BenchModel& bench, std::span<const BenchResult> results) {
  const runtime::ModelInfo& info = bench.model->info();
  Table table({{"model"},
               {"size", true},
               {"params", true},
               {"backend"},
               {"threads", true},
               {"test", true},
               {"t/s", true}});
  for (const BenchResult& result : results) {
    table.add({escape_for_terminal(bench.type), human_bytes(info.file_bytes),
               human_count(static_cast<uint64_t>(info.parameters)),
               "CPU " + std::string(isa_name(bench.model->options().isa)),
               std::to_string(result.test.threads), result.test.name(),
               fixed(result.avg_ts(), 2) + " ± " + fixed(result.stddev_ts(), 2)});
  }
  return table.markdown();
}

/// A cell in quotes, as llama-bench writes it; lists and objects as their JSON.
std::string csv_cell(const Json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : to_json_text(value);
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string csv(const BenchModel& bench, std::span<const BenchResult> results) {
  std::string out;
  for (const BenchResult& result : results) {
    const Json row = result_json(bench, result);
    std::string heading, line;
    for (const auto& [key, value] : row.items()) {
      heading += (heading.empty() ? "" : ",") + key;
      line += (line.empty() ? "" : ",") + csv_cell(value);
    }
    if (out.empty()) out = heading + "\n";
    out += line + "\n";
  }
  return out;
}

double microseconds(int64_t ns) { return static_cast<double>(ns) / 1000; }

}  // namespace

Result<BenchModel> describe_model(const std::string& path, std::shared_ptr<const runtime::Model> model) {
  BRISK_ASSIGN(const auto source, models::ModelSource::open(path));
  const runtime::ModelInfo& info = model->info();
  std::string type = info.architecture + " " + human_count(static_cast<uint64_t>(info.parameters)) + " " +
                     std::string(main_type(*source));
  return BenchModel{path, std::move(type), std::move(model)};
}

std::string bench_report(const BenchModel& model, std::span<const BenchResult> results,
                         std::string_view format) {
  if (format == "md") return markdown(model, results);
  if (format == "csv") return csv(model, results);
  if (format == "json") {
    Json list = Json::array();
    for (const BenchResult& result : results) list.push_back(result_json(model, result));
    return to_json_text(list, 2) + "\n";
  }
  std::string lines;
  for (const BenchResult& result : results) lines += to_json_text(result_json(model, result)) + "\n";
  return lines;
}

Json chrome_trace(const graph::Trace& trace) {
  Json events = Json::array();
  const int64_t origin = trace.steps.empty() ? 0 : trace.steps.front().first;
  for (size_t i = 0; i < trace.steps.size(); ++i) {
    const auto& [start, end] = trace.steps[i];
    events.push_back({{"name", "step " + std::to_string(i)},
                      {"cat", "step"},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", microseconds(start - origin)},
                      {"dur", microseconds(end - start)}});
  }
  for (const graph::TraceEvent& event : trace.events) {
    events.push_back({{"name", event.call->name},
                      {"cat", event.call->op},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", microseconds(event.start_ns - origin)},
                      {"dur", microseconds(event.end_ns - event.start_ns)},
                      {"args",
                       {{"op", event.call->op},
                        {"kernel", event.call->bound->kernel()},
                        {"bytes", event.cost.bytes},
                        {"operations", event.cost.operations}}}});
  }
  return {{"traceEvents", std::move(events)},
          {"displayTimeUnit", "ms"},
          {"otherData", {{"outside_ops", time_outside_ops(trace)}}}};
}

double time_outside_ops(const graph::Trace& trace) {
  int64_t steps = 0, ops = 0;
  for (const auto& [start, end] : trace.steps) steps += end - start;
  for (const graph::TraceEvent& event : trace.events) ops += event.end_ns - event.start_ns;
  return steps == 0 ? 0 : 1 - static_cast<double>(ops) / static_cast<double>(steps);
}

}  // namespace brisk::cli
