#include "evaluate/multiple_choice.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "evaluate/encode.hpp"

namespace brisk::evaluate {

namespace {

double log_sum_exp(std::span<const double> values) {
  const double greatest = *std::ranges::max_element(values);
  double sum = 0;
  for (const double value : values) sum += std::exp(value - greatest);
  return greatest + std::log(sum);
}

/// FNV-1a over the numbers: tells tasks apart, nothing more.
class TaskHash {
 public:
  void add(uint64_t number) { value_ = (value_ ^ number) * 0x100000001B3U; }
  void add(std::span<const int32_t> tokens) {
    add(tokens.size());
    for (const int32_t token : tokens) add(static_cast<uint64_t>(token));
  }
  std::string text() const {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(value_ >> shift) & 15];
    return text;
  }

 private:
  uint64_t value_ = 0xCBF29CE484222325U;
};

std::string hash_of(const ChoiceTask& task) {
  TaskHash hash;
  for (size_t i = 0; i < task.size(); ++i) {
    hash.add(task.correct[i]);
    hash.add(task.items[i].prompt);
    for (const auto& answer : task.items[i].continuations) hash.add(answer);
  }
  return hash.text();
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
    BRISK_ASSIGN(runtime::ScoreItem encoded, encode(model, item, where));
    task.items.push_back(std::move(encoded));
    task.correct.push_back(item.correct.size());
  }
  task.hash = hash_of(task);
  return task;
}

double normalised(double sum, size_t tokens, Normalisation normalisation) {
  return normalisation == Normalisation::kToken ? sum / static_cast<double>(std::max<size_t>(tokens, 1)) : sum;
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
