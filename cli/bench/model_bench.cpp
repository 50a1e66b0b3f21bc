#include "cli/bench/model_bench.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <numeric>

#include "base/progress.hpp"
#include "base/signals.hpp"

namespace brisk::cli {
namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string iso_time() {
  const time_t seconds = time(nullptr);
  tm parts{};
  char text[40];
  gmtime_r(&seconds, &parts);
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

template <typename T>
double mean(const std::vector<T>& values) {
  return values.empty()
             ? 0
             : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Of a sample (n - 1), as llama-bench reports it.
template <typename T>
double deviation(const std::vector<T>& values) {
  if (values.size() < 2) return 0;
  const double middle = mean(values);
  double sum = 0;
  for (const T value : values)
    sum += (static_cast<double>(value) - middle) * (static_cast<double>(value) - middle);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

}  // namespace

std::string BenchTest::name() const {
  std::string text = prompt > 0 ? "pp" + std::to_string(prompt) : "tg" + std::to_string(gen);
  if (depth > 0) text += " @ d" + std::to_string(depth);
  if (method != "plain") text += " @ " + method;
  if (kv_policy != "full") text += " @ " + kv_policy;
  return text;
}

double BenchResult::avg_ns() const { return mean(samples_ns); }
double BenchResult::stddev_ns() const { return deviation(samples_ns); }
double BenchResult::avg_ts() const { return mean(samples_ts()); }
double BenchResult::stddev_ts() const { return deviation(samples_ts()); }

std::vector<double> BenchResult::samples_ts() const {
  std::vector<double> speeds;
  for (const int64_t ns : samples_ns)
    speeds.push_back(static_cast<double>(test.tokens()) * 1e9 / static_cast<double>(ns));
  return speeds;
}

Result<ModelBench> ModelBench::create(std::shared_ptr<const runtime::Model> model, ThreadPool& pool,
                                      int64_t capacity, runtime::Policies policies) {
  BRISK_ASSIGN(auto decoder, runtime::Decoder::create(std::move(model), pool, capacity, std::move(policies)));
  BRISK_ASSIGN(const int32_t sequence, decoder->create_sequence());
  return ModelBench(std::move(decoder), sequence);
}

int32_t ModelBench::next_token() {
  // Any token will do; a fixed sequence makes runs comparable.
  random_ = random_ * 1664525U + 1013904223U;
  return static_cast<int32_t>(static_cast<int64_t>(random_ >> 8) % decoder_->model().config().vocabulary);
}

Status ModelBench::feed_prompt(int64_t count) {
  const int64_t most = decoder_->model().options().step_tokens;
  for (int64_t done = 0; done < count;) {
    const int64_t rows = std::min(most, count - done);
    rows_.clear();
    for (int64_t i = 0; i < rows; ++i) rows_.push_back({next_token(), sequence_, done + i + 1 == count});
    BRISK_TRY(decoder_->run(rows_, {}, &interrupt_flag()));
    done += rows;
  }
  return {};
}

Status ModelBench::generate(int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const runtime::TokenRow row{next_token(), sequence_, true};
    BRISK_TRY(decoder_->run({&row, 1}, {}, &interrupt_flag()));
  }
  return {};
}

Status ModelBench::run_once(const BenchTest& test) {
  return test.prompt > 0 ? feed_prompt(test.prompt) : generate(test.gen);
}

Status ModelBench::go_to_depth(int64_t depth) {
  const int64_t length = decoder_->length(sequence_);
  if (length >= depth && decoder_->shortest(sequence_) <= depth) {
    decoder_->truncate(sequence_, depth);
    return {};
  }
  if (length <= depth) return feed_prompt(depth - length);
  decoder_->truncate(sequence_, 0);  // a policy evicted: begin again
  return depth > 0 ? feed_prompt(depth) : Status();
}

Result<BenchResult> ModelBench::run(const BenchTest& test, int64_t repetitions) {
  BenchResult result{.test = test, .time = iso_time(), .samples_ns = {}};
  ProgressBar bar(test.name());
  bar.update(0);
  BRISK_TRY(go_to_depth(test.depth));
  BRISK_TRY(run_once(test.prompt > 0 ? test : BenchTest{.gen = 1}));
  for (int64_t i = 0; i < repetitions; ++i) {
    BRISK_TRY(go_to_depth(test.depth));
    bar.update(static_cast<double>(i + 1) / static_cast<double>(repetitions + 1));
    const int64_t start = now_ns();
    BRISK_TRY(run_once(test));
    result.samples_ns.push_back(now_ns() - start);
  }
  return result;
}

Status ModelBench::record(const BenchTest& test, graph::Trace& trace) {
  BRISK_TRY(go_to_depth(test.depth));
  const int64_t most = decoder_->model().options().step_tokens;
  const int64_t steps = test.prompt > 0 ? (test.prompt + most - 1) / most : test.gen;
  trace.events.reserve(trace.events.size() +
                       static_cast<size_t>(steps) * decoder_->model().plan().calls().size());
  trace.steps.reserve(trace.steps.size() + static_cast<size_t>(steps));
  decoder_->engine().set_trace(&trace);
  const Status status = run_once(test);
  decoder_->engine().set_trace(nullptr);
  return status;
}

}  // namespace brisk::cli
