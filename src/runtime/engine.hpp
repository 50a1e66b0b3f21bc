// Steps over batches of rows: the one way a language model is run. A sequence is a handle to stored keys
// and values; a batch holds rows of any number of sequences; a step computes them all.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/memory.hpp"
#include "base/status.hpp"
#include "base/thread_pool.hpp"
#include "graph/executor.hpp"
#include "runtime/kv_store.hpp"
#include "runtime/model.hpp"

namespace brisk::runtime {

/// One row of a batch: a token of a sequence. Rows of one sequence must be consecutive and in order,
/// beginning at the sequence's length; the step appends them.
struct Row {
  int32_t token;
  SequenceId sequence;
  bool logits;  ///< whether the caller wants this row's logits
};

class Engine {
 public:
  /// `capacity` is the number of tokens that all sequences together may hold (rounded up to slabs).
  static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const Model> model, ThreadPool& pool,
                                                int64_t capacity);

  const Model& model() const { return *model_; }
  KvStore& kv() { return *kv_; }

  /// Computes up to model().options().step_tokens rows and appends them to their sequences. The returned
  /// logits are [rows that asked, vocabulary], valid until the next step. On an error (context full,
  /// cancelled, not-a-number) the sequences are as before.
  Result<std::span<const float>> step(std::span<const Row> rows, const std::atomic<bool>* cancel = nullptr);

  /// Records the time of every op into `trace` from now on (null: stop).
  void set_trace(graph::Trace* trace) { trace_ = trace; }

 private:
  Engine() = default;
  Status check_rows(std::span<const Row> rows) const;
  Status describe_rows(std::span<const Row> rows);
  void give_back(std::span<const Row> rows);

  std::shared_ptr<const Model> model_;
  std::unique_ptr<KvStore> kv_;
  std::unique_ptr<graph::Executor> executor_;
  graph::Trace* trace_ = nullptr;
  // Row data of the step at hand, sized once for the largest step.
  std::vector<int32_t> tokens_, positions_, logit_rows_;
  std::vector<const int32_t*> tables_;
};

}  // namespace brisk::runtime
