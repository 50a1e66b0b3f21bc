// Figures of multiple choice by hand, and intervals against what is known of them.
#include "evaluate/multiple_choice.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "evaluate/bootstrap.hpp"

namespace brisk::evaluate {
namespace {

std::vector<double> logs(std::initializer_list<double> probabilities) {
  std::vector<double> out;
  for (const double p : probabilities) out.push_back(std::log(p));
  return out;
}

TEST(MultipleChoice, FiguresByHand) {
  const ChoiceFigures figures = judge(logs({0.2, 0.05, 0.1, 0.05}), 2);
  EXPECT_EQ(figures.mc1, 1);
  EXPECT_NEAR(figures.mc2, 0.25 / 0.4, 1e-12);
  EXPECT_EQ(figures.mc3, 0.5);
  EXPECT_EQ(judge(logs({0.1, 0.2}), 1).mc1, 0);
}

TEST(MultipleChoice, LevelWithAnIncorrectAnswerIsNotAbove) {
  const ChoiceFigures figures = judge(logs({0.1, 0.1}), 1);
  EXPECT_EQ(figures.mc1, 0);
  EXPECT_EQ(figures.mc3, 0);
  EXPECT_DOUBLE_EQ(figures.mc2, 0.5);
}

TEST(MultipleChoice, FilteredAnswersStayFinite) {
  const std::vector<double> logprobs = {-30000, -2000, -2001};
  const ChoiceFigures figures = judge(logprobs, 1);
  EXPECT_EQ(figures.mc2, 0);
  EXPECT_NEAR(judge(logprobs, 2).mc2, 1 / (1 + std::exp(-1.0)), 1e-12);
}

TEST(MultipleChoice, NormalisationDividesByTokens) {
  EXPECT_EQ(normalised(-6, 3, Normalisation::kNone), -6);
  EXPECT_EQ(normalised(-6, 3, Normalisation::kToken), -2);
}

TEST(MultipleChoice, ReportsMeanOverItems) {
  ChoiceTask task;
  task.items = {{{1}, {{2}, {3, 4}}}, {{1}, {{2}, {3}}}};
  task.correct = {1, 1};
  std::vector<std::vector<runtime::ScoredText>> scores(2);
  scores[0] = {{{-1.5F}, {-9.0F}}, {{-1.0F, -1.0F}, {-1.0F, -1.0F}}};
  scores[1] = {{{-3.0F}, {-3.0F}}, {{-1.0F}, {-1.0F}}};
  EXPECT_EQ(task.tokens(), 5);
  EXPECT_EQ(judge_all(task, scores, Normalisation::kNone).mean().mc1, 0.5);
  EXPECT_EQ(judge_all(task, scores, Normalisation::kToken).mean().mc1, 0);
  EXPECT_EQ(judge_all(task, scores, Normalisation::kNone, true).mean().mc1, 0);
  EXPECT_EQ(judge_all(task, scores, Normalisation::kNone).values(&ChoiceFigures::mc1),
            (std::vector<double>{1, 0}));
}

TEST(Bootstrap, AgreesWithTheNormalApproximation) {
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(i % 10 < 3 ? 1 : 0);
  const Interval interval = bootstrap_mean(values);
  const double half = 1.96 * std::sqrt(0.3 * 0.7 / 1000);
  EXPECT_NEAR(interval.low, 0.3 - half, 0.003);
  EXPECT_NEAR(interval.high, 0.3 + half, 0.003);
}

TEST(Bootstrap, IsAFunctionOfTheSeed) {
  const std::vector<double> values = {0.1, 0.9, 0.4, 0.3, 0.7, 0.2, 0.5};
  const Interval a = bootstrap_mean(values, {.resamples = 25}), b = bootstrap_mean(values, {.resamples = 25});
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  const Interval other = bootstrap_mean(values, {.resamples = 25, .seed = 1});
  EXPECT_TRUE(other.low != a.low || other.high != a.high);
}

TEST(Bootstrap, OneValueHasNoSpread) {
  const double value = 0.25;
  const Interval interval = bootstrap_mean({&value, 1});
  EXPECT_EQ(interval.low, 0.25);
  EXPECT_EQ(interval.high, 0.25);
}

}  // namespace
}  // namespace brisk::evaluate
