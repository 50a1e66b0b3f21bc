// Scores of given text: what is counted, what is refused, and that a second call begins anew.
#include "runtime/score.hpp"

#include <gtest/gtest.h>

#include "runtime/generate.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

class ScoreTest : public testing::Test {
 protected:
  std::shared_ptr<const Model> load(int64_t context = 256) {
    LoadOptions options;
    options.context = context;
    auto model = test::TinyLlama().load(options, *pool_);
    EXPECT_TRUE(model.ok()) << model.status().message();
    return *model;
  }
  std::unique_ptr<Scorer> make(std::shared_ptr<const Model> model, int64_t capacity = 0) {
    auto scorer = Scorer::create(std::move(model), *pool_, {}, capacity);
    EXPECT_TRUE(scorer.ok()) << scorer.status().message();
    return std::move(*scorer);
  }
  /// By the session's logits, one text at a time.
  std::vector<float> alone(const std::shared_ptr<const Model>& model, const ScoreItem& item, size_t c) {
    std::vector<int32_t> tokens = item.prompt;
    tokens.insert(tokens.end(), item.continuations[c].begin(), item.continuations[c].end());
    auto session = std::move(Session::create(model, *pool_)).value();
    const std::vector<float> logits = session->logits(tokens).value();
    const auto vocabulary = static_cast<size_t>(model->config().vocabulary);
    std::vector<float> logprobs;
    for (size_t i = std::max<size_t>(item.prompt.size(), 1); i < tokens.size(); ++i) {
      logprobs.push_back(score_logprob({logits.data() + (i - 1) * vocabulary, vocabulary}, tokens[i]));
    }
    return logprobs;
  }

  std::unique_ptr<ThreadPool> pool_ = test::make_pool(2);
};

TEST_F(ScoreTest, ScoresAreTheLogSoftmaxOfTheLogits) {
  const auto model = load();
  const std::vector<ScoreItem> items = {
      {{1, 2, 3, 4, 5, 6, 7}, {{8, 9, 10}, {8, 9, 11, 12}, {20}}},
      {{1, 2, 3, 4, 5, 6, 7}, {{8, 9, 10}}},
      {{1, 2, 3, 4, 5, 6, 7, 8, 9}, {{10, 30}}},
      {{}, {{40, 41, 42, 43, 44, 45, 46, 47}, {40, 41, 42, 43, 44, 45}}},
  };
  const auto scores = make(model)->score(items);
  ASSERT_TRUE(scores.ok()) << scores.status().message();
  ASSERT_EQ(scores->size(), items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    ASSERT_EQ((*scores)[i].size(), items[i].continuations.size());
    for (size_t c = 0; c < items[i].continuations.size(); ++c) {
      EXPECT_EQ((*scores)[i][c].logprobs, alone(model, items[i], c)) << i << " " << c;
      EXPECT_TRUE((*scores)[i][c].unfiltered.empty());
    }
  }
  double sum = 0;
  for (const float logprob : (*scores)[0][0].logprobs) sum += static_cast<double>(logprob);
  EXPECT_EQ((*scores)[0][0].sum(), sum);
}

TEST_F(ScoreTest, TheProbabilitiesOfAllTokensAddUpToOne) {
  const auto model = load();
  ScoreItem item{{65, 66, 67}, {}};
  for (int32_t token = 0; token < model->config().vocabulary; ++token) item.continuations.push_back({token});
  const auto scores = make(model)->score({&item, 1});
  ASSERT_TRUE(scores.ok()) << scores.status().message();
  double sum = 0;
  for (const ScoredText& text : (*scores)[0]) sum += std::exp(text.sum());
  EXPECT_NEAR(sum, 1, 1e-5);
}

TEST_F(ScoreTest, ATextOfTheWholeContextFits) {
  const auto model = load(64);
  const ScoreItem whole{std::vector<int32_t>(32, 7),
                        {std::vector<int32_t>(32, 9), std::vector<int32_t>(32, 8)}};
  const auto scores = make(model)->score({&whole, 1});
  ASSERT_TRUE(scores.ok()) << scores.status().message();
  EXPECT_EQ((*scores)[0][1].logprobs, alone(model, whole, 1));
}

TEST_F(ScoreTest, WhatDoesNotFitIsNamed) {
  auto scorer = make(load(64));
  const std::vector<ScoreItem> items = {{{1}, {{2}}},
                                        {std::vector<int32_t>(32, 7), {std::vector<int32_t>(33, 9)}}};
  const Status status = scorer->score(items).status();
  EXPECT_EQ(status.code(), StatusCode::kBadInput);
  EXPECT_NE(status.message().find("item 1"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("65"), std::string::npos) << status.message();
  EXPECT_TRUE(scorer->score(std::span(items).first(1)).ok());
}

TEST_F(ScoreTest, TokensThatTheModelLacksAreRefused) {
  auto scorer = make(load());
  for (const int32_t token : {-1, 1 << 20}) {
    for (const ScoreItem& item : {ScoreItem{{token}, {{1}}}, ScoreItem{{1}, {{token}}}}) {
      const Status status = scorer->score({&item, 1}).status();
      EXPECT_EQ(status.code(), StatusCode::kBadInput);
      EXPECT_NE(status.message().find(std::to_string(token)), std::string::npos) << status.message();
    }
  }
}

TEST_F(ScoreTest, NothingToScoreIsNoError) {
  const std::vector<ScoreItem> items = {{{1, 2}, {}}, {{}, {{5}}}, {{3}, {{}}}};
  const auto scores = make(load())->score(items);
  ASSERT_TRUE(scores.ok()) << scores.status().message();
  EXPECT_TRUE((*scores)[0].empty());
  EXPECT_TRUE((*scores)[1][0].logprobs.empty());
  EXPECT_TRUE((*scores)[2][0].logprobs.empty());
}

TEST_F(ScoreTest, ACancelledCallLeavesTheScorerUsable) {
  const auto model = load();
  auto scorer = make(model, 64);
  const ScoreItem item{{1, 2, 3}, {{4, 5}, {6}}};
  const std::vector<ScoreItem> many(50, item);
  std::atomic<bool> cancel{false};
  const auto progress = [&cancel](double share) { cancel = share > 0.3; };
  EXPECT_EQ(scorer->score(many, progress, &cancel).status().code(), StatusCode::kCancelled);
  const auto scores = scorer->score(many);
  ASSERT_TRUE(scores.ok()) << scores.status().message();
  EXPECT_EQ(scores->back()[0].logprobs, alone(model, item, 0));
}

TEST_F(ScoreTest, ProgressGrowsToOne) {
  double last = 0;
  const ScoreItem item{{1, 2, 3}, {{4, 5}, {6}}};
  const auto progress = [&last](double share) {
    EXPECT_GT(share, last);
    last = share;
  };
  ASSERT_TRUE(make(load())->score({&item, 1}, progress).ok());
  EXPECT_DOUBLE_EQ(last, 1);
}

TEST(ScoreLogprob, WhatIsFilteredOutGetsAFixedValue) {
  const float none = -std::numeric_limits<float>::infinity();
  const std::vector<float> scores = {none, 1.0F, none, 1.0F, none};
  EXPECT_EQ(score_logprob(scores, 0), kFilteredLogprob);
  EXPECT_NEAR(score_logprob(scores, 1), std::log(0.5), 1e-6);
}

}  // namespace
}  // namespace brisk::runtime
