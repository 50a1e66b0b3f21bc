#include "runtime/score.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>

#include "base/checked.hpp"
#include "kernels/attention/attention.hpp"
#include "runtime/contrast.hpp"
#include "runtime/score_rounds.hpp"

namespace brisk::runtime {

namespace {

/// Runs the rounds of one call through the decoder.
class Walk {
 public:
  Walk(Decoder& decoder, ScoreRounds& rounds, const Scorer::OnToken& visit,
       const std::function<void(double)>& progress, const std::atomic<bool>* cancel)
      : decoder_(decoder), rounds_(rounds), visit_(visit), progress_(progress), cancel_(cancel) {}
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;
  ~Walk() {
    free_sequences(rounds_.texts());
    forget_kept();
  }

  Status run() {
    while (rounds_.next(kept_ ? &*kept_ : nullptr)) {
      if (rounds_.holds_kept()) kept_.reset();  // it is in the round now
      forget_kept();
      for (int32_t wave = 0; has_wave(wave); ++wave) BRISK_TRY(run_wave(wave));
      keep_last();
    }
    if (rounds_.holds_kept()) kept_.reset();  // it went with the round
    return {};
  }

 private:
  /// The text and its row that a row of the decoder's run is.
  struct Place {
    size_t text, row;
  };

  bool has_wave(int32_t wave) {
    return std::ranges::any_of(rounds_.texts(), [wave](const ScoreText& text) { return text.wave == wave; });
  }

  Status run_wave(int32_t wave) {
    rows_.clear();
    places_.clear();
    std::vector<ScoreText>& texts = rounds_.texts();
    for (size_t i = 0; i < texts.size(); ++i) {
      ScoreText& text = texts[i];
      if (text.wave != wave || text.shared == text.rows()) continue;
      BRISK_TRY(begin(text));
      for (size_t row = text.shared; row < text.rows(); ++row) {
        rows_.push_back({text.tokens[row], text.sequence, text.scores_row(row)});
        places_.push_back({i, row});
      }
    }
    if (rows_.empty()) return {};
    return decoder_.run(
        rows_,
        [this](const Decoder::Scores& scores) -> Status {
          hand_out(places_[scores.row].text, places_[scores.row].row, scores);
          return {};
        },
        cancel_);
  }

  Status begin(ScoreText& text) {
    if (text.parent < 0) {
      BRISK_ASSIGN(text.sequence, decoder_.create_sequence());
      return {};
    }
    const ScoreText& parent = rounds_.texts()[static_cast<size_t>(text.parent)];
    BRISK_ASSIGN(text.sequence, decoder_.fork(parent.sequence));
    decoder_.truncate(text.sequence, static_cast<int64_t>(text.shared));
    return {};
  }

  /// To the text and to all that share this row with it.
  void hand_out(size_t index, size_t row, const Decoder::Scores& scores) {
    const ScoreText& text = rounds_.texts()[index];
    if (text.scores_row(row)) {
      visit_({text.item, text.continuation, row + 1 - text.first_scored, text.tokens[row + 1], &scores});
      ++visited_;
      if (progress_) {
        progress_(static_cast<double>(visited_) / static_cast<double>(rounds_.scored_tokens()));
      }
    }
    for (const size_t child : text.children) {
      if (row < rounds_.texts()[child].shared) hand_out(child, row, scores);
    }
  }

  /// Keeps the last text that has a sequence: what comes next may begin like it.
  void keep_last() {
    std::vector<ScoreText>& texts = rounds_.texts();
    size_t last = texts.size() - 1;
    while (texts[last].sequence < 0) last = static_cast<size_t>(texts[last].parent);
    kept_ = std::move(texts[last]);
    texts[last].sequence = -1;
    free_sequences(texts);
  }

  void free_sequences(std::vector<ScoreText>& texts) {
    for (ScoreText& text : texts) {
      if (text.sequence >= 0) decoder_.free_sequence(text.sequence);
      text.sequence = -1;
    }
  }

  void forget_kept() {
    if (kept_) decoder_.free_sequence(kept_->sequence);
    kept_.reset();
  }

  Decoder& decoder_;
  ScoreRounds& rounds_;
  const Scorer::OnToken& visit_;
  const std::function<void(double)>& progress_;
  const std::atomic<bool>* cancel_;
  std::optional<ScoreText> kept_;
  int64_t visited_ = 0;
  std::vector<TokenRow> rows_;
  std::vector<Place> places_;  // of each of rows_
};

ScoreSharing sharing_of(const Model& model, const Policies& policies) {
  const std::vector<KvGroup> groups = model.kv_groups();
  const bool whole =
      std::ranges::all_of(groups, [](const KvGroup& group) { return group.kind == KvKind::kFull; });
  if (policies.kv != nullptr || !whole) return ScoreSharing::kNothing;
  if (policies.decoding == nullptr) return ScoreSharing::kAll;
  const bool split_at_prompt = std::ranges::any_of(policies.decoding->streams(), &Stream::shares_prompt);
  return split_at_prompt ? ScoreSharing::kPrompts : ScoreSharing::kAll;
}

double sum_of(std::span<const float> values) { return std::accumulate(values.begin(), values.end(), 0.0); }

}  // namespace

double ScoredText::sum() const { return sum_of(logprobs); }
double ScoredText::unfiltered_sum() const { return sum_of(unfiltered); }

float score_logprob(std::span<const float> scores, int32_t token) noexcept {
  const LogitRow row = measure(scores);
  const float logprob = row.log_prob(static_cast<size_t>(token));
  return std::isfinite(logprob) ? logprob : kFilteredLogprob;
}

Result<std::unique_ptr<Scorer>> Scorer::create(std::shared_ptr<const Model> model, ThreadPool& pool,
                                               Policies policies, int64_t capacity) {
  std::unique_ptr<Scorer> scorer(new Scorer());
  scorer->decoding_ = policies.decoding;
  scorer->longest_ = model->context();
  if (policies.decoding != nullptr && policies.decoding->second_model() != nullptr) {
    scorer->longest_ = std::min(scorer->longest_, policies.decoding->second_model()->context());
  }
  scorer->capacity_ = round_up(capacity > 0 ? capacity : model->context(), kernels::kPageTokens);
  BRISK_ASSIGN(scorer->decoder_, Decoder::create(std::move(model), pool, scorer->capacity_, policies));
  scorer->sharing_ = sharing_of(scorer->model(), policies);
  scorer->longest_ = std::min(scorer->longest_, scorer->capacity_);
  return scorer;
}

Status Scorer::check(std::span<const ScoreItem> items) const {
  const int64_t vocabulary = model().config().vocabulary;
  const auto bad_token = [vocabulary](int32_t token) { return token < 0 || token >= vocabulary; };
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string where = "item " + std::to_string(i);
    const auto check_tokens = [&](std::span<const int32_t> tokens) -> Status {
      const auto bad = std::ranges::find_if(tokens, bad_token);
      if (bad == tokens.end()) return {};
      return bad_input({where, "token ids from 0 to " + std::to_string(vocabulary - 1), std::to_string(*bad),
                        "ids of this model's tokenizer ('brisk tokenize')"});
    };
    BRISK_TRY(check_tokens(items[i].prompt));
    for (const std::vector<int32_t>& continuation : items[i].continuations) {
      BRISK_TRY(check_tokens(continuation));
      const auto size = static_cast<int64_t>(items[i].prompt.size() + continuation.size());
      if (size > longest_) {
        return bad_input({where, "prompt and continuation of at most " + std::to_string(longest_) + " tokens",
                          std::to_string(size), "a shorter text or a larger context (--ctx-size)"});
      }
    }
  }
  return {};
}

Status Scorer::visit(std::span<const ScoreItem> items, const OnToken& visit,
                     const std::function<void(double)>& progress, const std::atomic<bool>* cancel) {
  BRISK_TRY(model().check_file());  // a file rewritten in place would give other numbers
  BRISK_TRY(check(items));
  ScoreRounds rounds(items, capacity_, sharing_);
  BRISK_TRY(Walk(*decoder_, rounds, visit, progress, cancel).run());
  return model().check_file();
}

Result<std::vector<std::vector<ScoredText>>> Scorer::score(std::span<const ScoreItem> items,
                                                           const std::function<void(double)>& progress,
                                                           const std::atomic<bool>* cancel) {
  std::vector<std::vector<ScoredText>> results;
  for (const ScoreItem& item : items) results.emplace_back(item.continuations.size());
  std::vector<float> unfiltered(decoding_ ? static_cast<size_t>(model().config().vocabulary) : 0);
  const auto note = [&](const GivenToken& given) {
    ScoredText& text = results[given.item][given.continuation];
    text.logprobs.push_back(score_logprob(given.scores->scores, given.token));
    if (!decoding_) return;
    decoding_->combine_unfiltered(given.scores->logits, unfiltered);
    text.unfiltered.push_back(score_logprob(unfiltered, given.token));
  };
  BRISK_TRY(visit(items, note, progress, cancel));
  return results;
}

}  // namespace brisk::runtime
