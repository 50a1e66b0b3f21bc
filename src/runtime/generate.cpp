#include "runtime/generate.hpp"

#include <algorithm>
#include <chrono>

#include "runtime/kv_snapshot.hpp"

namespace brisk::runtime {

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Lets text through until a stop string appears; holds back what may become one.
class StopFilter {
 public:
  explicit StopFilter(std::span<const std::string> stops) : stops_(stops) {}

  // The text that is certain now. Sets stopped().
  std::string push(std::string_view piece) {
    held_ += piece;
    size_t first = std::string::npos;
    for (const std::string& stop : stops_) {
      if (!stop.empty()) first = std::min(first, held_.find(stop));
    }
    if (first != std::string::npos) {
      stopped_ = true;
      held_.resize(first);
      return std::exchange(held_, {});
    }
    const size_t certain = held_.size() - held_back();
    std::string out = held_.substr(0, certain);
    held_.erase(0, certain);
    return out;
  }
  std::string finish() { return std::exchange(held_, {}); }
  bool stopped() const { return stopped_; }

 private:
  // Length of the longest end of the text that begins a stop string.
  size_t held_back() const {
    size_t longest = 0;
    for (const std::string& stop : stops_) {
      for (size_t n = std::min(stop.size(), held_.size()); n > longest; --n) {
        if (std::string_view(held_).substr(held_.size() - n) == std::string_view(stop).substr(0, n))
          longest = n;
      }
    }
    return longest;
  }

  std::span<const std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace

std::string_view finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop: return "stop";
    case FinishReason::kLength: return "length";
    case FinishReason::kContextFull: return "context";
    case FinishReason::kCancelled: return "cancelled";
  }
  return "";
}

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<const Model> model, ThreadPool& pool,
                                                 Policies policies) {
  std::unique_ptr<Session> session(new Session());
  const int64_t context = model->context();
  session->tokens_.reserve(static_cast<size_t>(context));
  session->rows_.reserve(static_cast<size_t>(context));
  BRISK_ASSIGN(session->decoder_, Decoder::create(std::move(model), pool, context, std::move(policies)));
  BRISK_ASSIGN(session->sequence_, session->decoder_->create_sequence());
  return session;
}

void Session::clear() { truncate(0); }

// Cuts back to `length`, or to nothing when the past is no longer there (a window moved on).
void Session::truncate(size_t length) {
  if (decoder_->shortest(sequence_) > static_cast<int64_t>(length)) length = 0;
  decoder_->truncate(sequence_, static_cast<int64_t>(length));
  tokens_.resize(length);
}

// A prompt is only the same prompt when nothing was evicted from it.
Status Session::check_whole(SequenceId own, const std::string& path) const {
  for (const auto& [layer, segment] : model().stateful_layers()) {
    if (!decoder_->engine().kv().ragged(own, layer)) continue;
    return bad_input({path, "a sequence with all of its keys and values",
                      "one from which a policy evicted (layer " + std::to_string(layer) + ")",
                      "a prompt cache without --kv-policy"});
  }
  return {};
}

Status Session::save(const std::string& path) const {
  const SequenceId own = decoder_->store_sequence(sequence_);
  BRISK_TRY(check_whole(own, path));
  return save_snapshot(decoder_->engine().kv(), own, model().fingerprint(), tokens_, path);
}

Status Session::restore(const std::string& path) {
  clear();
  BRISK_ASSIGN(RestoredSequence restored,
               load_snapshot(decoder_->engine().kv(), model().fingerprint(), path));
  const Status whole = check_whole(restored.id, path);
  Result<int32_t> adopted = whole.ok() ? decoder_->adopt(restored.id) : whole;
  if (!adopted.ok()) {
    decoder_->engine().kv().free_sequence(restored.id);
    return adopted.status();
  }
  decoder_->free_sequence(sequence_);
  sequence_ = *adopted;
  tokens_ = std::move(restored.tokens);
  tokens_.reserve(static_cast<size_t>(model().context()));
  return {};
}

// Runs `tokens` and returns the scores of the last.
Result<std::span<const float>> Session::feed(std::span<const int32_t> tokens,
                                             const std::atomic<bool>* cancel) {
  rows_.clear();
  for (size_t i = 0; i < tokens.size(); ++i) rows_.push_back({tokens[i], sequence_, i + 1 == tokens.size()});
  const Status status = decoder_->run(rows_, {}, cancel);
  const auto stored = tokens.first(decoder_->finished());
  tokens_.insert(tokens_.end(), stored.begin(), stored.end());
  BRISK_TRY(status);
  return decoder_->last_scores();
}

Status Session::check_prompt(std::span<const int32_t> prompt) const {
  BRISK_TRY(model().check_file());  // a file rewritten in place would give other tokens
  if (prompt.empty()) {
    return bad_input({"prompt", "at least one token", "an empty prompt", "some text"});
  }
  if (static_cast<int64_t>(prompt.size()) > model().context()) {
    return bad_input({"prompt", "at most " + std::to_string(model().context()) + " tokens (the context)",
                      std::to_string(prompt.size()), "a shorter prompt or a larger context (-c)"});
  }
  return {};
}

Result<Generation> Session::generate(std::span<const int32_t> prompt, const GenerateOptions& options,
                                     const std::function<bool(std::string_view)>& on_text,
                                     const std::atomic<bool>* cancel) {
  BRISK_TRY(options.sampling.check());
  const Decoding* decoding = decoder_->decoding();
  if (decoding != nullptr && decoding->greedy_only() && options.sampling.temperature > 0) {
    return usage_error({"decoding " + std::string(decoding->name()),
                        "temperature 0: only the order of these scores means something",
                        std::to_string(options.sampling.temperature), "temperature 0 (--temp 0)"});
  }
  BRISK_TRY(check_prompt(prompt));
  Generation out;
  out.prompt_tokens = static_cast<int64_t>(prompt.size());

  // Keep the stored tokens that the prompt begins with, but for the last: its logits are wanted.
  const auto [stored, wanted] = std::ranges::mismatch(tokens_, prompt.first(prompt.size() - 1));
  truncate(static_cast<size_t>(stored - tokens_.begin()));
  decoder_->end_shared_streams(sequence_);  // the new prompt is shared as a whole, whatever was stored
  out.timings.cache_n = static_cast<int64_t>(tokens_.size());
  out.timings.prompt_n = out.prompt_tokens - out.timings.cache_n;
  auto start = Clock::now();
  Result<std::span<const float>> logits = feed(prompt.subspan(tokens_.size()), cancel);
  out.timings.prompt_ms = milliseconds_since(start);
  if (!logits.ok()) {
    if (logits.status().code() != StatusCode::kCancelled) return logits.status();
    out.finish_reason = FinishReason::kCancelled;
    return out;
  }
  start = Clock::now();
  BRISK_TRY(continue_text(*logits, options, on_text, cancel, out));
  BRISK_TRY(model().check_file());
  out.timings.predicted_ms = milliseconds_since(start);
  out.timings.predicted_n = static_cast<int64_t>(out.tokens.size());
  return out;
}

Status Session::continue_text(std::span<const float> logits, const GenerateOptions& options,
                              const std::function<bool(std::string_view)>& on_text,
                              const std::atomic<bool>* cancel, Generation& out) {
  const text::Tokenizer& tokenizer = model().tokenizer();
  Sampler sampler(options.sampling, model().config().vocabulary);
  // Behind text a space is a space; behind a special token it may be the one that encoding puts in front.
  const bool behind_text =
      !tokens_.empty() && tokenizer.token_type(tokens_.back()) != text::TokenType::kControl;
  text::StreamDecoder decoder(tokenizer, false, behind_text);
  StopFilter filter(options.stop);
  bool left = false;  // the caller wants no more
  auto emit = [&](std::string_view piece) {
    out.text += piece;
    if (!piece.empty() && on_text && !on_text(piece)) left = true;
  };
  for (;;) {
    if (options.max_tokens >= 0 && static_cast<int64_t>(out.tokens.size()) >= options.max_tokens) {
      out.finish_reason = FinishReason::kLength;
      break;
    }
    BRISK_ASSIGN(const Sampled next, sampler.sample(logits, tokens_, tokens_.size()));
    if (!options.ignore_eos && next.token < tokenizer.size() && tokenizer.ends_generation(next.token)) {
      out.finish_reason = FinishReason::kStop;
      break;
    }
    out.tokens.push_back(next.token);
    // Rows of the table beyond the vocabulary are padding: they have no text.
    if (next.token < tokenizer.size()) {
      BRISK_ASSIGN(const std::string piece, decoder.push(next.token));
      emit(filter.push(piece));
    }
    if (filter.stopped()) {
      out.finish_reason = FinishReason::kStop;
      return {};
    }
    if (static_cast<int64_t>(tokens_.size()) >= model().context()) {
      out.finish_reason = FinishReason::kContextFull;
      break;
    }
    Result<std::span<const float>> stepped = cancelled();
    if (!left) stepped = feed({&next.token, 1}, cancel);
    if (!stepped.ok()) {
      if (stepped.status().code() != StatusCode::kCancelled) return stepped.status();
      out.finish_reason = FinishReason::kCancelled;
      break;
    }
    logits = *stepped;
  }
  emit(filter.push(decoder.finish()));
  emit(filter.finish());
  return {};
}

Result<std::vector<float>> Session::logits(std::span<const int32_t> tokens, const std::atomic<bool>* cancel) {
  BRISK_TRY(check_prompt(tokens));
  clear();
  std::vector<float> all;
  all.reserve(tokens.size() * static_cast<size_t>(model().config().vocabulary));
  rows_.clear();
  for (const int32_t token : tokens) rows_.push_back({token, sequence_, true});
  const Status status = decoder_->run(
      rows_,
      [&](const Decoder::Scores& scores) -> Status {
        all.insert(all.end(), scores.scores.begin(), scores.scores.end());
        return {};
      },
      cancel);
  tokens_.assign(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(decoder_->finished()));
  BRISK_TRY(status);
  return all;
}

}  // namespace brisk::runtime
