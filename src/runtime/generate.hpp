// One sequence used by one caller: prompt in, tokens out. What `run`, chat and the Python module use.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/decoder.hpp"
#include "runtime/sampling.hpp"

namespace brisk::runtime {

struct GenerateOptions {
  int64_t max_tokens = -1;  ///< -1: until the model ends or the context is full
  SamplingOptions sampling;
  std::vector<std::string> stop;  ///< strings that end the answer; not part of the text
  bool ignore_eos = false;
};

enum class FinishReason { kStop, kLength, kContextFull, kCancelled };
std::string_view finish_reason_name(FinishReason reason);  ///< "stop", "length", "context", "cancelled"

/// llama-server's names, so that users' scripts read them.
struct Timings {
  int64_t cache_n = 0;   ///< prompt tokens that were still stored
  int64_t prompt_n = 0;  ///< prompt tokens computed
  double prompt_ms = 0;
  int64_t predicted_n = 0;
  double predicted_ms = 0;
};

struct Generation {
  std::string text;
  std::vector<int32_t> tokens;
  int64_t prompt_tokens = 0;
  FinishReason finish_reason = FinishReason::kStop;
  Timings timings;
};

class Session {
 public:
  /// Room for one sequence of the model's context.
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<const Model> model, ThreadPool& pool,
                                                 Policies policies = {});

  const Model& model() const { return decoder_->model(); }
  Engine& engine() { return decoder_->engine(); }
  /// The tokens whose keys and values are stored.
  std::span<const int32_t> tokens() const { return tokens_; }
  void clear();

  /// Keeps what is stored in a file (kv_snapshot.hpp), and takes it up again, in this process or another: a
  /// prompt that begins with the same tokens is not computed again. Another model's file, or one that was cut
  /// or altered, is an error; the session is then empty.
  Status save(const std::string& path) const;
  Status restore(const std::string& path);

  /// Makes the sequence exactly `prompt` (what is stored of a common prefix is kept), then generates.
  /// `on_text` gets each piece of well-formed text as soon as it is certain; false stops (kCancelled).
  /// A prompt that does not fit the context is a bad-input error with both numbers. A generation that is
  /// cancelled returns what it had, with kCancelled.
  Result<Generation> generate(std::span<const int32_t> prompt, const GenerateOptions& options,
                              const std::function<bool(std::string_view)>& on_text = {},
                              const std::atomic<bool>* cancel = nullptr);

  /// Logits of every position of `tokens` [tokens, vocabulary], teacher-forced, from an empty sequence.
  Result<std::vector<float>> logits(std::span<const int32_t> tokens,
                                    const std::atomic<bool>* cancel = nullptr);

 private:
  Session() = default;
  void truncate(size_t length);
  Status check_whole(SequenceId own, const std::string& path) const;
  Status check_prompt(std::span<const int32_t> prompt) const;
  Result<std::span<const float>> feed(std::span<const int32_t> tokens, const std::atomic<bool>* cancel);
  Status continue_text(std::span<const float> logits, const GenerateOptions& options,
                       const std::function<bool(std::string_view)>& on_text, const std::atomic<bool>* cancel,
                       Generation& out);

  std::unique_ptr<Decoder> decoder_;
  int32_t sequence_ = 0;
  std::vector<int32_t> tokens_;
  std::vector<TokenRow> rows_;  // of the run at hand
};

}  // namespace brisk::runtime
