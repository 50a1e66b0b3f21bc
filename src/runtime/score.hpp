// Teacher-forced log-probabilities of given text, in batches; texts that begin alike share their computation.
// Perplexity, multiple choice, distillation and searches all read these.
//
// Texts run in rounds that fit the memory of one context. In a round, a text that begins like an earlier one
// goes on from that one's stored keys and values (a fork), and what its tokens are worth in the shared part
// is read where the earlier one is computed. The last text of a round is kept for the next. The row law makes
// the numbers those of each text alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "runtime/decoder.hpp"

namespace brisk::runtime {

/// A prompt and texts that may follow it, as tokens.
struct ScoreItem {
  std::vector<int32_t> prompt;
  std::vector<std::vector<int32_t>> continuations;
};

/// Natural logarithms of the probability of each token of one continuation.
struct ScoredText {
  std::vector<float> logprobs;
  /// Under a contrasting method: the same without the plausibility filter; else empty.
  std::vector<float> unfiltered;
  double sum() const;
  double unfiltered_sum() const;
};

/// Log-probability that a filtered method gives to a token that it would never take.
inline constexpr float kFilteredLogprob = -1000.0F;

/// The log-probability of one token under scores [vocabulary] as Decoding::combine makes them: log-softmax
/// over the tokens that may come, kFilteredLogprob for the others.
float score_logprob(std::span<const float> scores, int32_t token) noexcept;

/// One token of a continuation, and what the model says at the place before it.
struct GivenToken {
  size_t item, continuation;
  size_t index;  ///< into ScoredText::logprobs
  int32_t token;
  const Decoder::Scores* scores;  ///< valid during the call
};

enum class ScoreSharing : uint8_t;

class Scorer {
 public:
  /// `capacity` tokens are stored at once, at most: the longest text must fit; 0: the model's context.
  static Result<std::unique_ptr<Scorer>> create(std::shared_ptr<const Model> model, ThreadPool& pool,
                                                Policies policies = {}, int64_t capacity = 0);

  /// [items][continuations]. A prompt's first token has no probability: with an empty prompt the
  /// continuation's first token is only context, and its logprobs begin with the second. `progress` gets the
  /// share done. An item that exceeds the context is an error that names it.
  Result<std::vector<std::vector<ScoredText>>> score(std::span<const ScoreItem> items,
                                                     const std::function<void(double)>& progress = {},
                                                     const std::atomic<bool>* cancel = nullptr);

  /// What score() is made of: `visit` sees every token that score() gives a number, those of one continuation
  /// in order.
  using OnToken = std::function<void(const GivenToken&)>;
  Status visit(std::span<const ScoreItem> items, const OnToken& visit,
               const std::function<void(double)>& progress = {}, const std::atomic<bool>* cancel = nullptr);

  const Model& model() const { return decoder_->model(); }

 private:
  Scorer() = default;
  Status check(std::span<const ScoreItem> items) const;

  std::unique_ptr<Decoder> decoder_;
  std::shared_ptr<Decoding> decoding_;
  int64_t capacity_ = 0;  // tokens, whole slabs
  int64_t longest_ = 0;   // tokens of one text
  ScoreSharing sharing_ = {};
};

}  // namespace brisk::runtime
