// Measures of a prediction against values worked out by hand, and the table of a tiny model.
#include "evaluate/flatness.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "support/tiny_llama.hpp"

namespace brisk::evaluate {
namespace {

TEST(Flatness, TopTokensAreTheGreatest) {
  const std::vector<float> logits = {1, 5, 3, 5, -2, 4};
  EXPECT_EQ(top_tokens(logits, 3), (std::vector<int32_t>{1, 3, 5}));
  EXPECT_EQ(top_tokens(logits, 9), (std::vector<int32_t>{1, 3, 5, 2, 0, 4}));
}

TEST(Flatness, RankCorrelation) {
  const std::vector<float> a = {1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(rank_correlation(a, std::vector<float>{10, 20, 30, 99}), 1);
  EXPECT_DOUBLE_EQ(rank_correlation(a, std::vector<float>{4, 3, 2, 1}), -1);
  EXPECT_DOUBLE_EQ(rank_correlation(a, std::vector<float>{7, 7, 7, 7}), 0);
  // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
  EXPECT_NEAR(rank_correlation(a, std::vector<float>{1, 2, 2, 3}), 4.5 / std::sqrt(5 * 4.5), 1e-12);
}

TEST(Flatness, AFlatRowAndTheExpertItself) {
  std::vector<float> expert(64), flat(64, 2.0F);
  for (size_t v = 0; v < expert.size(); ++v) expert[v] = static_cast<float>(v) / 8;
  const FlatnessProbe probe(expert);
  const runtime::FlatnessRow same = probe.compare(expert);
  EXPECT_DOUBLE_EQ(same.top10_overlap, 1);
  EXPECT_DOUBLE_EQ(same.spearman50, 1);
  EXPECT_NEAR(same.jsd, 0, 1e-6);
  EXPECT_NEAR(same.max_minus_mean, 63.0 / 16, 1e-6);
  EXPECT_NEAR(same.spread, std::sqrt((64.0 * 64 - 1) / 12) / 8, 1e-6);
  const runtime::FlatnessRow even = probe.compare(flat);
  EXPECT_NEAR(even.entropy, std::log(64.0), 1e-5);
  EXPECT_EQ(even.spread, 0);
  EXPECT_EQ(even.max_minus_mean, 0);
  EXPECT_EQ(even.spearman50, 0);
  EXPECT_EQ(even.top10_overlap, 0);  // of equal logits the first ten; the expert's best are the last
  EXPECT_GT(even.jsd, 0.1);
}

TEST(Flatness, TheTableHasEveryExitAndThePrunedModel) {
  const auto pool = test::make_pool(1);
  test::TinyLlama tiny;
  tiny.layers = 5;
  runtime::LoadOptions options;
  options.context = 64;
  const auto model = tiny.load(options, *pool).value();
  ChoiceTask task;
  task.items = {{{1, 2, 3}, {{4, 5}, {6}}}, {{7, 8}, {{9}, {10}}}};
  task.correct = {1, 1};
  const auto table = flatness_table(model, *pool, task, {2}, {}, nullptr);
  ASSERT_TRUE(table.ok()) << table.status().message();
  ASSERT_EQ(table->size(), 6U);
  EXPECT_EQ(table->front().amateur, "exit 0");
  EXPECT_EQ((*table)[4].amateur, "exit 4");
  EXPECT_EQ(table->back().amateur, "pruned");
  for (const runtime::FlatnessRow& row : *table) {
    EXPECT_GT(row.entropy, 0);
    EXPECT_GT(row.jsd, 0);
    EXPECT_GT(row.spread, 0);
  }
  EXPECT_EQ(flatness_table(model, *pool, task, {}, {}, nullptr)->size(), 5U);
}

}  // namespace
}  // namespace brisk::evaluate
