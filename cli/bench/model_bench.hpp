// Speed tests of a language model, named and measured as llama-bench does: pp512 is a prompt of 512 tokens,
// tg128 is 128 tokens one after the other, "@ d1024" means behind 1024 tokens already stored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "graph/executor.hpp"
#include "runtime/decoder.hpp"

namespace brisk::cli {

struct BenchTest {
  int64_t prompt = 0;  ///< tokens of a prompt test; 0 for a generation test
  int64_t gen = 0;
  int64_t depth = 0;
  int threads = 1;
  std::string method = "plain", kv_policy = "full";  ///< decoding and what is kept, by name
  std::string name() const;
  int64_t tokens() const { return prompt + gen; }
};

struct BenchResult {
  BenchTest test;
  std::string time;  ///< ISO, when it began
  std::vector<int64_t> samples_ns;

  double avg_ns() const;
  double stddev_ns() const;
  std::vector<double> samples_ts() const;  ///< tokens per second
  double avg_ts() const;
  double stddev_ts() const;
};

/// Runs tests on one decoder, whose sequence it owns.
class ModelBench {
 public:
  static Result<ModelBench> create(std::shared_ptr<const runtime::Model> model, ThreadPool& pool,
                                   int64_t capacity, runtime::Policies policies = {});

  /// One run that is not counted, then `repetitions` that are.
  Result<BenchResult> run(const BenchTest& test, int64_t repetitions);
  /// One more run whose every op is recorded.
  Status record(const BenchTest& test, graph::Trace& trace);

 private:
  ModelBench(std::unique_ptr<runtime::Decoder> decoder, int32_t sequence)
      : decoder_(std::move(decoder)), sequence_(sequence) {}
  Status feed_prompt(int64_t count);
  Status generate(int64_t count);
  Status run_once(const BenchTest& test);
  Status go_to_depth(int64_t depth);
  int32_t next_token();

  std::unique_ptr<runtime::Decoder> decoder_;
  int32_t sequence_;
  uint32_t random_ = 1;
  std::vector<runtime::TokenRow> rows_;
};

}  // namespace brisk::cli
