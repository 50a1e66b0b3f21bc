// brisk bench: how fast a model runs here, and how fast this machine could be.
#include <algorithm>

#include "base/file.hpp"
#include "base/signals.hpp"
#include "cli/bench/limits.hpp"
#include "cli/bench/model_bench.hpp"
#include "cli/bench/report.hpp"
#include "cli/chat/settings.hpp"
#include "cli/decoding_options.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"
#include "cli/verb.hpp"

namespace brisk::cli {
namespace {

std::vector<int64_t> thread_counts(const Arguments& arguments) {
  if (arguments.given("threads")) return arguments.integers("threads");
  return {default_lanes().lanes};
}

/// Every combination, prompt tests before generation tests; lengths of 0 mean none.
std::vector<BenchTest> tests_of(const Arguments& arguments, int threads) {
  std::vector<BenchTest> tests;
  const auto add = [&](BenchTest test) {
    test.method = arguments.text("decode");
    test.kv_policy = arguments.text("kv-policy");
    tests.push_back(std::move(test));
  };
  for (const int64_t depth : arguments.integers("depth")) {
    for (const int64_t prompt : arguments.integers("prompt-length")) {
      if (prompt > 0) add({.prompt = prompt, .gen = 0, .depth = depth, .threads = threads});
    }
    for (const int64_t gen : arguments.integers("gen-length")) {
      if (gen > 0) add({.prompt = 0, .gen = gen, .depth = depth, .threads = threads});
    }
  }
  return tests;
}

int64_t longest(const std::vector<BenchTest>& tests) {
  int64_t most = 1;
  for (const BenchTest& test : tests) most = std::max(most, test.depth + test.tokens());
  return most;
}

Status measure_machine(const Arguments& arguments, bool json) {
  BRISK_ASSIGN(const Isa isa, active_isa());
  BRISK_ASSIGN(const auto pool, ThreadPool::create(static_cast<int>(thread_counts(arguments).front())));
  BRISK_ASSIGN(const Limits limits, measure_limits(*pool, isa));
  return json ? print_json(limits_json(limits)) : print(limits_text(limits));
}

Status write_trace(AtomicFile& file, const graph::Trace& trace) {
  BRISK_TRY(file.write(to_json_text(chrome_trace(trace)) + "\n"));
  BRISK_TRY(file.commit());
  print_error("trace: " + grouped(trace.events.size()) + " ops in " + grouped(trace.steps.size()) +
              " steps, " + fixed(time_outside_ops(trace) * 100, 2) + " % of their time outside ops\n");
  return {};
}

/// Runs the tests at one number of threads. What is done when an error comes is in `results` all the same.
Status run_tests(const std::shared_ptr<const runtime::Model>& model, runtime::Policies policies,
                 const std::vector<BenchTest>& tests, int64_t repetitions, graph::Trace* trace,
                 std::vector<BenchResult>& results) {
  BRISK_ASSIGN(const auto pool, ThreadPool::create(tests.front().threads));
  BRISK_ASSIGN(ModelBench bench, ModelBench::create(model, *pool, longest(tests), std::move(policies)));
  for (const BenchTest& test : tests) {
    BRISK_ASSIGN(BenchResult result, bench.run(test, repetitions));
    results.push_back(std::move(result));
    if (trace != nullptr) BRISK_TRY(bench.record(test, *trace));
  }
  return {};
}

Status measure_model(const Arguments& arguments, std::string_view format) {
  BRISK_ASSIGN(const std::string word, model_argument(arguments));
  BRISK_ASSIGN(const std::string path, find_model(word));
  const std::vector<int64_t> threads = thread_counts(arguments);
  std::vector<BenchTest> tests = tests_of(arguments, static_cast<int>(threads.front()));
  if (tests.empty()) return usage_error({"brisk bench", "a test", "lengths of 0 only", "-p 512 -n 128"});
  BRISK_TRY(check_decoding(arguments));
  std::optional<AtomicFile> trace_file;
  if (arguments.given("trace")) {
    BRISK_ASSIGN(trace_file, AtomicFile::create(arguments.text("trace"), arguments.flag("force")));
  }
  BRISK_ASSIGN(const std::optional<DType> kv_type, cache_type(arguments));
  const LoadRequest request = {.model = path,
                               .threads = threads.front(),
                               .context = longest(tests),
                               .step_tokens = arguments.integer("batch-size"),
                               .exact = arguments.flag("exact"),
                               .kv_type = kv_type};
  BRISK_ASSIGN(const LoadedModel loaded, load_model(request));
  BRISK_ASSIGN(const BenchModel described, describe_model(path, loaded.model));
  std::vector<BenchResult> results;
  graph::Trace trace;
  Status status;
  for (const int64_t count : threads) {
    tests = tests_of(arguments, static_cast<int>(count));
    BRISK_ASSIGN(runtime::Policies policies, make_policies(arguments, loaded, request));
    status = run_tests(loaded.model, std::move(policies), tests, arguments.integer("repetitions"),
                       trace_file ? &trace : nullptr, results);
    if (!status.ok()) break;
  }
  if (!results.empty()) BRISK_TRY(print(bench_report(described, results, format)));
  BRISK_TRY(status);
  return trace_file ? write_trace(*trace_file, trace) : Status();
}

Status run(const Arguments& arguments) {
  std::string format = arguments.text("output");
  const bool json = arguments.flag("json") || format.starts_with("json");
  if (arguments.flag("json") && !arguments.given("output")) format = "json";
  if (arguments.flag("limits") && (arguments.given("decode") || arguments.given("kv-policy"))) {
    return usage_error({"--limits", "no method: it measures the machine", "--decode or --kv-policy"});
  }
  return arguments.flag("limits") ? measure_machine(arguments, json) : measure_model(arguments, format);
}

std::vector<Option> options() {
  std::vector<Option> all = {
      kModelOption,
      kHubOption,
      kOfflineOption,
      {.name = "prompt-length",
       .aliases = "-p --n-prompt",
       .kind = Kind::kIntegers,
       .placeholder = "LIST",
       .fallback = "512",
       .help = "tokens of the prompt tests; 0: none",
       .least = 0,
       .most = 1 << 24},
      {.name = "gen-length",
       .aliases = "-n --n-gen",
       .kind = Kind::kIntegers,
       .placeholder = "LIST",
       .fallback = "128",
       .help = "tokens of the generation tests; 0: none",
       .least = 0,
       .most = 1 << 24},
      {.name = "depth",
       .aliases = "-d --n-depth",
       .kind = Kind::kIntegers,
       .placeholder = "LIST",
       .fallback = "0",
       .help = "tokens that are stored before a test begins",
       .least = 0,
       .most = 1 << 24},
      {.name = "repetitions",
       .aliases = "-r",
       .kind = Kind::kInteger,
       .placeholder = "N",
       .fallback = "5",
       .help = "times that each test is measured, after one run that is not",
       .least = 1,
       .most = 1000},
      {.name = "threads",
       .aliases = "-t",
       .kind = Kind::kIntegers,
       .placeholder = "LIST",
       .help = "threads (else what 'brisk doctor' shows)",
       .least = 1,
       .most = kMaxLanes},
      {.name = "batch-size",
       .aliases = "-b",
       .kind = Kind::kInteger,
       .placeholder = "N",
       .fallback = "512",
       .help = "tokens of a prompt that are computed at once",
       .least = 1,
       .most = 65536},
      {.name = "exact", .help = "compute with f32 activations and keys and values"},
      {.name = "output",
       .aliases = "-o",
       .kind = Kind::kChoice,
       .fallback = "md",
       .help = "form of the report",
       .choices = "md csv json jsonl"},
      {.name = "trace",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "also write a Chrome trace of one more run of each test: op, kernel, bytes, operations"},
      {.name = "force", .help = "replace FILE when it exists"},
      {.name = "limits", .help = "measure the machine instead: read bandwidth and f32, bf16, int8 peaks"},
      {.name = "json", .help = "the same as --output json (errors too)"},
  };
  for (const Option& option : cache_type_options()) all.push_back(option);
  for (const Option& option : decoding_options()) all.push_back(option);
  return all;
}

}  // namespace

Verb verb_bench() {
  return {
      .name = "bench",
      .group = VerbGroup::kJudge,
      .summary = "measure how fast a model runs here",
      .details =
          "Tests are named as llama-bench names them: pp512 is a prompt of 512 tokens, tg128 is 128 tokens "
          "one "
          "after the other. Lists such as -p 128,512 make one test of each.",
      .positionals = {{.name = "MODEL",
                       .help = "a model file, a name from 'brisk list', or built-in (the default)"}},
      .options = options(),
      .examples = {"brisk bench", "brisk bench -m model.gguf -p 128,512 -n 32 -t 2 -o json",
                   "brisk bench --limits"},
      .run = run,
  };
}

}  // namespace brisk::cli
