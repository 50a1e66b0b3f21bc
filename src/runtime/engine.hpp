// Steps over batches of rows: the one way a language model is run. A sequence is a handle to stored state; a
// batch holds rows of any number of sequences; a step computes them all. What techniques may do with single
// rows (pass layers by, split off, leave early, look elsewhere) is part of the row: see Row.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/memory.hpp"
#include "base/status.hpp"
#include "base/thread_pool.hpp"
#include "graph/executor.hpp"
#include "runtime/kv_store.hpp"
#include "runtime/model.hpp"

namespace brisk::runtime {

/// One row of a batch, usually a token of a sequence. Rows of one sequence stand side by side and in order,
/// beginning at the sequence's length; the step appends them.
struct Row {
  int32_t token = 0;
  SequenceId sequence = kNoSequence;  ///< none: a row that passes by every layer which keeps state
  bool logits = false;                ///< whether the caller wants this row's logits
  /// False: the row is computed and seen by those behind it, and forgotten after the step. Rows behind it in
  /// its sequence must be forgotten too.
  bool store = true;

  /// [width] that enters the first layer in place of the token's embedding.
  /// (A tap on the embedding is shown the token's.)
  const float* embedding = nullptr;
  /// Rotary position, one number per component of the model; negative: the place in the sequence.
  std::array<int32_t, 3> position = {-1, -1, -1};

  // What it sees of its sequence: positions [first, last), and of those only the set bits of the mask. Once
  // entries of a layer were evicted, all that is left: a choice is refused there.
  int32_t first = 0;
  int32_t last = -1;               ///< -1: up to itself. Beyond itself: the rows of the same step behind it
  const uint64_t* mask = nullptr;  ///< bit j: position j

  // Its way through the segments (graph::RowPath).
  int32_t source = -1;            ///< an earlier row that it is a copy of when it enters `from`
  int32_t from = 0;               ///< first segment; 0 or, with a source, any
  int32_t until = kLastSegment;   ///< dropped when it comes to this segment
  const uint8_t* skip = nullptr;  ///< [segments] nonzero: passes by; null: none
  /// Masks from given segments on. Whoever drops a stored row on the way gives them to the rows of its
  /// sequence in this step, and evicts the dropped row's entries from the layers that it did not reach
  /// afterwards.
  std::span<const graph::SeenFrom> seen = {};

  // For models that have them; refused for those that do not.
  int32_t adapter = -1;    ///< index of the adapter of this row
  uint64_t noise_key = 0;  ///< key of the router's noise

  static constexpr SequenceId kNoSequence = -1;
  static constexpr int32_t kLastSegment = std::numeric_limits<int32_t>::max();
};

class Engine {
 public:
  /// `capacity` is the number of tokens that all sequences together may hold (rounded up to slabs).
  static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const Model> model, ThreadPool& pool,
                                                int64_t capacity);

  const Model& model() const { return *model_; }
  KvStore& kv() { return *kv_; }

  /// Computes up to model().options().step_tokens rows and appends them to their sequences. The returned
  /// logits are [rows that asked, vocabulary] in the order of the rows, valid until the next step. What the
  /// model cannot do (a layer, an adapter, a path it lacks) is refused before anything is computed; on an
  /// error (context full, cancelled, not-a-number) the sequences are as before.
  Result<std::span<const float>> step(std::span<const Row> rows, const std::atomic<bool>* cancel = nullptr);

  /// Named points that are read or replaced in every step from now on (none: stop). An unknown name is a
  /// usage error.
  Status set_taps(std::vector<graph::Tap> taps) { return executor_->set_taps(std::move(taps)); }
  /// What some rows of the next steps look at (null: stop); see ops::AttentionProbe. Every step writes anew;
  /// key scores are by entry, as KvStore::evict numbers them. Rows of such steps all run every layer.
  void set_probe(const ops::AttentionProbe* probe) { probe_ = probe; }
  /// Records the time of every op into `trace` from now on (null: stop).
  void set_trace(graph::Trace* trace) { trace_ = trace; }

 private:
  Engine() = default;
  Status check_rows(std::span<const Row> rows) const;
  Status check_row(std::span<const Row> rows, size_t index) const;
  Status check_layers(const Row& row, const graph::RowPath& path, const std::string& where) const;
  Status check_probe(std::span<const Row> rows) const;
  Status describe_rows(std::span<const Row> rows);
  void describe_row(const Row& row, int64_t place);
  void give_back(std::span<const Row> rows);
  Status check_numbers(std::span<const float> logits, const graph::StepInput& input);

  std::shared_ptr<const Model> model_;
  std::unique_ptr<KvStore> kv_;
  std::unique_ptr<graph::Executor> executor_;
  graph::Trace* trace_ = nullptr;
  const ops::AttentionProbe* probe_ = nullptr;
  // Row data of the step at hand, sized once for the largest step.
  std::vector<int32_t> tokens_, positions_, logit_rows_;
  std::vector<ops::KvRow> places_;
  std::vector<graph::RowPath> paths_;
  std::vector<const float*> embeddings_;
};

}  // namespace brisk::runtime
