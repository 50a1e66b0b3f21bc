#include "evaluate/multiple_choice.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "evaluate/encode.hpp"
#include "runtime/checksum.hpp"

namespace brisk::evaluate {

namespace {

double log_sum_exp(std::span<const double> values) {
  const double greatest = *std::ranges::max_element(values);
  double sum = 0;
  for (const double value : values) sum += std::exp(value - greatest);
  return greatest + std::log(sum);
}

void add_tokens(runtime::Checksum& checksum, std::span<const int32_t> tokens) {
  checksum.add_number(static_cast<uint64_t>(tokens.size()));
  checksum.add(std::as_bytes(tokens));
}

Result<std::string> hash_of(const ChoiceTask& task) {
  BRISK_ASSIGN(runtime::Checksum checksum, runtime::Checksum::create());
  for (size_t i = 0; i < task.size(); ++i) {
    checksum.add_number(static_cast<uint64_t>(task.correct[i]));
    add_tokens(checksum, task.items[i].prompt);
    for (const auto& answer : task.items[i].continuations) add_tokens(checksum, answer);
  }
  return checksum.digits();
}

}  // namespace

int64_t ChoiceTask::tokens() const {
  size_t tokens = 0;
  for (const runtime::ScoreItem& item : items) {
    for (const auto& answer : item.continuations) tokens += answer.size();
  }
  return static_cast<int64_t>(tokens);
}

Result<ChoiceTask> read_choice_task(const runtime::Model& model, std::string_view content,
                                    const std::string& where) {
  BRISK_ASSIGN(const std::vector<ChoiceItem> read, read_choice_items(content, where));
  ChoiceTask task;
  for (const ChoiceItem& item : read) {
    BRISK_ASSIGN(runtime::ScoreItem encoded, encode(model, item, place_of(where, item.line)));
    task.items.push_back(std::move(encoded));
    task.correct.push_back(item.correct.size());
  }
  BRISK_ASSIGN(task.hash, hash_of(task));
  return task;
}

double normalised(double sum, size_t tokens, Normalisation normalisation) {
  return normalisation == Normalisation::kToken ? sum / static_cast<double>(std::max<size_t>(tokens, 1))
                                                : sum;
}

ChoiceFigures judge(std::span<const double> logprobs, size_t correct) {
  BRISK_ASSERT(correct > 0 && correct < logprobs.size(), "a question has correct and incorrect answers");
  const auto right = logprobs.first(correct), wrong = logprobs.subspan(correct);
  const double best_wrong = *std::ranges::max_element(wrong);
  const auto above = std::ranges::count_if(right, [=](double value) { return value > best_wrong; });
  return {.mc1 = above > 0 ? 1.0 : 0.0,
          .mc2 = std::exp(log_sum_exp(right) - log_sum_exp(logprobs)),
          .mc3 = static_cast<double>(above) / static_cast<double>(correct)};
}

ChoiceFigures ChoiceReport::mean() const {
  ChoiceFigures sum;
  for (const ChoiceFigures& item : items) {
    sum.mc1 += item.mc1;
    sum.mc2 += item.mc2;
    sum.mc3 += item.mc3;
  }
  const auto count = static_cast<double>(std::max<size_t>(items.size(), 1));
  return {sum.mc1 / count, sum.mc2 / count, sum.mc3 / count};
}

std::vector<double> ChoiceReport::values(double ChoiceFigures::* figure) const {
  std::vector<double> values;
  for (const ChoiceFigures& item : items) values.push_back(item.*figure);
  return values;
}

ChoiceReport judge_all(const ChoiceTask& task, std::span<const std::vector<runtime::ScoredText>> scores,
                       Normalisation normalisation, bool unfiltered) {
  ChoiceReport report;
  std::vector<double> logprobs;
  for (size_t i = 0; i < task.size(); ++i) {
    logprobs.clear();
    for (const runtime::ScoredText& text : scores[i]) {
      const double sum = unfiltered ? text.unfiltered_sum() : text.sum();
      logprobs.push_back(normalised(sum, text.logprobs.size(), normalisation));
    }
    report.items.push_back(judge(logprobs, task.correct[i]));
  }
  return report;
}

}  // namespace brisk::evaluate
