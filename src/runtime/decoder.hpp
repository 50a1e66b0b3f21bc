// Sequences of tokens run under a decoding method and a policy for keys and values. Turns each token into the
// rows of a step (the model's own and one per stream), shares steps between sequences, and hands out scores.
// Generation, scoring and benchmarks all go through here.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "runtime/decoding/decoding.hpp"
#include "runtime/engine.hpp"
#include "runtime/policies/kv_policy.hpp"

namespace brisk::runtime {

/// What runs beside the plain model; both may be null. They belong to one decoder.
struct Policies {
  std::shared_ptr<Decoding> decoding;
  std::shared_ptr<KvPolicy> kv;
};

/// A token to run. Tokens of one sequence stand side by side and in order.
struct TokenRow {
  int32_t token;
  int32_t sequence;  ///< of this decoder
  bool wanted;       ///< whether its scores are handed out
  /// In place of the token's own, as in Row; refused beside a second model.
  const float* embedding = nullptr;
  std::array<int32_t, 3> position = {-1, -1, -1};
};

class Decoder {
 public:
  /// `capacity` tokens in all sequences together. Policies that exclude each other are a usage error that
  /// names both.
  static Result<std::unique_ptr<Decoder>> create(std::shared_ptr<const Model> model, ThreadPool& pool,
                                                 int64_t capacity, Policies policies = {});

  const Model& model() const { return engine_->model(); }
  Engine& engine() { return *engine_; }
  /// The decoding method; null for plain decoding.
  const Decoding* decoding() const { return policies_.decoding.get(); }

  Result<int32_t> create_sequence();
  /// A sequence that holds what `id` holds, in shared memory.
  Result<int32_t> fork(int32_t id);
  /// Takes over a sequence of the engine's store (a restored snapshot). Refused under methods that would have
  /// to see its tokens too (streams of every token, a second model).
  Result<int32_t> adopt(SequenceId own);
  void free_sequence(int32_t id);
  int64_t length(int32_t id) const;
  /// Ends the streams that share the prompt: they begin again at the next wanted token, and share all before.
  void end_shared_streams(int32_t id);
  /// The sequence's own place in the engine's store.
  SequenceId store_sequence(int32_t id) const { return sequence(id).own; }
  /// The shortest length that truncate() takes, beside 0 (KvStore::shortest). A sequence that lost entries to
  /// a policy is not cut back at all: what was evicted would leave a hole.
  int64_t shortest(int32_t id) const;
  void truncate(int32_t id, int64_t length);

  /// What is handed out for a wanted token; valid during the call.
  struct Scores {
    size_t row;                            ///< index of the token in `rows`
    std::span<const float> scores;         ///< [vocabulary], by Decoding::combine; logits without a method
    std::span<const float* const> logits;  ///< rows of [vocabulary] that they were made of
  };
  using OnScores = std::function<Status(const Scores&)>;

  /// Runs any number of tokens in as many steps as they take. On an error the sequences keep the tokens of
  /// the steps that were finished, those of `finished()`.
  Status run(std::span<const TokenRow> rows, const OnScores& on_scores,
             const std::atomic<bool>* cancel = nullptr);
  /// Tokens of the last run() that are stored.
  size_t finished() const { return finished_; }
  /// Scores of the last wanted token of the last run(), valid until the next.
  std::span<const float> last_scores() const { return last_scores_; }

 private:
  struct Sequence {
    bool used = false;
    SequenceId own = -1;
    std::vector<SequenceId> streams;  ///< of each stream; -1 for early exits, and until a shared prompt ends
    int64_t prompt = 0;               ///< length at which the streams that share the prompt began
    int32_t second = -1;              ///< in the second model's decoder
  };
  Decoder() = default;
  Status add_streams(int64_t capacity);
  Status add_stream_groups(const Stream& stream, int64_t capacity);
  Result<int32_t> keep(Sequence sequence, Status status);
  Status fill(Sequence& sequence, const Sequence* source);
  void drop(Sequence& sequence);
  size_t step_size(std::span<const TokenRow> rows) const;
  bool begins_streams(const TokenRow& row) const;
  Status begin_streams(std::span<const TokenRow> rows);
  void lay_out(std::span<const TokenRow> rows);
  Status run_second(std::span<const TokenRow> rows, const std::atomic<bool>* cancel);
  void take_back_second(std::span<const TokenRow> rows);
  Status step(std::span<const TokenRow> rows, size_t first, const OnScores& on_scores,
              const std::atomic<bool>* cancel);
  Status hand_out(size_t first, std::span<const float> logits, const OnScores& on_scores);
  Status run_kv_policy(std::span<const TokenRow> rows);
  Sequence& sequence(int32_t id) { return sequences_[static_cast<size_t>(id)]; }
  const Sequence& sequence(int32_t id) const { return sequences_[static_cast<size_t>(id)]; }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Decoder> second_;
  Policies policies_;
  std::vector<Stream> streams_;                      // skips of early exits filled in
  std::vector<std::vector<GroupId>> stream_groups_;  // of each stream; empty for early exits
  std::vector<Sequence> sequences_;
  size_t finished_ = 0;
  std::span<const float> last_scores_;
  // Of the step at hand.
  std::vector<Row> rows_;
  std::vector<TokenRow> second_rows_;
  std::vector<size_t> wanted_;  // indices of the wanted tokens
  std::vector<float> scores_;   // combined, or kept from a policy's own steps
  std::vector<float> second_logits_;
  std::vector<const float*> sources_;
};

}  // namespace brisk::runtime
