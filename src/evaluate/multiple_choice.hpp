// Multiple choice as TruthfulQA counts it: a model has no say but the probabilities that it gives to answers.
//
//   MC1   whether the answer with the greatest log-probability is a correct one (level with an incorrect: no)
//   MC2   the correct answers' share of the probability of all answers
//   MC3   the share of correct answers that are above every incorrect one
//
// The log-probability of an answer is the sum over its tokens, or with Normalisation::kToken their mean.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "evaluate/items.hpp"
#include "runtime/score.hpp"

namespace brisk::evaluate {

enum class Normalisation : uint8_t { kNone, kToken };

/// Questions as tokens.
struct ChoiceTask {
  std::vector<runtime::ScoreItem> items;
  std::vector<size_t> correct;  ///< of each item: how many of its continuations, from the first, are correct
  std::string hash;             ///< of all tokens: the same task for the same model has the same
  size_t size() const { return items.size(); }
  int64_t tokens() const;  ///< of all answers
};

/// Reads the content of a file of questions and encodes it; `where` names the file in errors.
Result<ChoiceTask> read_choice_task(const runtime::Model& model, std::string_view content,
                                    const std::string& where);

/// The figures of one question; shares from 0 to 1.
struct ChoiceFigures {
  double mc1 = 0, mc2 = 0, mc3 = 0;
};
/// `logprobs` of the answers, the first `correct` of them being correct; both kinds at least once.
ChoiceFigures judge(std::span<const double> logprobs, size_t correct);
/// The log-probability of an answer of `tokens` tokens.
double normalised(double sum, size_t tokens, Normalisation normalisation);

/// Figures of all questions, and their means.
struct ChoiceReport {
  std::vector<ChoiceFigures> items;
  ChoiceFigures mean() const;
  std::vector<double> values(double ChoiceFigures::* figure) const;
};

/// Judges scores [items][answers] of a task; `unfiltered` reads those without the plausibility filter.
ChoiceReport judge_all(const ChoiceTask& task, std::span<const std::vector<runtime::ScoredText>> scores,
                       Normalisation normalisation, bool unfiltered = false);

}  // namespace brisk::evaluate
