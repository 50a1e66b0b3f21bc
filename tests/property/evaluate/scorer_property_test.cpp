// Scores in batches are the scores of each text alone, bit for bit, whatever begins alike, however little
// memory there is, and whatever decoding method runs.
#include <gtest/gtest.h>

#include <random>

#include "runtime/contrast.hpp"
#include "runtime/generate.hpp"
#include "runtime/score.hpp"
#include "runtime/streams.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

constexpr uint64_t kSeed = 20261122;

/// Contrast with a stream, without a file.
class TestContrast final : public Decoding {
 public:
  TestContrast(Stream stream, bool shares_prompt) : streams_{std::move(stream)}, contrast_({}) {
    streams_[0].shares_prompt = shares_prompt;
  }
  std::string_view name() const override { return "test"; }
  std::span<const Stream> streams() const override { return streams_; }
  void combine(std::span<const float* const> logits, std::span<float> scores) override {
    contrast_.filtered({logits[0], scores.size()}, {logits[1], scores.size()}, scores);
  }
  void combine_unfiltered(std::span<const float* const> logits, std::span<float> scores) override {
    contrast_.unfiltered({logits[0], scores.size()}, {logits[1], scores.size()}, scores);
  }

 private:
  std::vector<Stream> streams_;
  Contrast contrast_;
};

class ScorerProperty : public testing::Test {
 protected:
  ScorerProperty() {
    test::TinyLlama tiny;
    tiny.layers = 3;
    tiny.ffn = 256;
    LoadOptions options;
    options.context = 96;
    options.step_tokens = 24;
    options.step_outputs = 8;
    model_ = tiny.load(options, *pool_).value();
    session_ = Session::create(model_, *pool_).value();
  }

  std::vector<int32_t> random_tokens(size_t least, size_t most) {
    std::vector<int32_t> tokens(std::uniform_int_distribution<size_t>(least, most)(random_));
    for (int32_t& token : tokens) token = std::uniform_int_distribution<int32_t>(0, 3)(random_);
    return tokens;
  }

  /// Items of which many begin like one before them.
  std::vector<ScoreItem> random_items() {
    std::vector<ScoreItem> items(std::uniform_int_distribution<size_t>(1, 8)(random_));
    for (size_t i = 0; i < items.size(); ++i) {
      items[i].prompt = random_tokens(0, 40);
      if (i > 0 && random_() % 3 != 0) {
        const std::vector<int32_t>& before = items[random_() % i].prompt;
        const size_t common = before.empty() ? 0 : random_() % (before.size() + 1);
        items[i].prompt.insert(items[i].prompt.begin(), before.begin(),
                               before.begin() + std::ptrdiff_t(common));
        items[i].prompt.resize(std::min<size_t>(items[i].prompt.size(), 60));
      }
      const size_t count = std::uniform_int_distribution<size_t>(0, 5)(random_);
      for (size_t c = 0; c < count; ++c) items[i].continuations.push_back(random_tokens(0, 24));
    }
    return items;
  }

  std::unique_ptr<Scorer> make(const Policies& policies, int64_t capacity = 0) {
    auto scorer = Scorer::create(model_, *pool_, policies, capacity);
    EXPECT_TRUE(scorer.ok()) << scorer.status().message();
    return std::move(*scorer);
  }
  /// From a little more than the longest text to several of them.
  int64_t random_capacity() { return 96 + 32 * static_cast<int64_t>(random_() % 8); }

  /// Batched against one continuation at a time.
  void compare(const Policies& policies) {
    const std::vector<ScoreItem> items = random_items();
    const auto together = make(policies, random_capacity())->score(items);
    ASSERT_TRUE(together.ok()) << together.status().message();
    const auto alone = make(policies);
    for (size_t i = 0; i < items.size(); ++i) {
      for (size_t c = 0; c < items[i].continuations.size(); ++c) {
        const ScoreItem item{items[i].prompt, {items[i].continuations[c]}};
        const auto expected = alone->score({&item, 1});
        ASSERT_TRUE(expected.ok()) << expected.status().message();
        EXPECT_EQ((*together)[i][c].logprobs, (*expected)[0][0].logprobs);
        EXPECT_EQ((*together)[i][c].unfiltered, (*expected)[0][0].unfiltered);
      }
    }
  }

  /// By the session's logits, one text at a time.
  std::vector<float> by_logits(const ScoreItem& item, size_t continuation) {
    std::vector<int32_t> tokens = item.prompt;
    const std::vector<int32_t>& rest = item.continuations[continuation];
    tokens.insert(tokens.end(), rest.begin(), rest.end());
    const size_t first = std::max<size_t>(item.prompt.size(), 1);
    if (tokens.size() <= first) return {};
    const auto vocabulary = static_cast<size_t>(model_->config().vocabulary);
    const std::vector<float> logits = session_->logits(tokens).value();
    std::vector<float> logprobs;
    for (size_t t = first; t < tokens.size(); ++t) {
      logprobs.push_back(score_logprob({logits.data() + (t - 1) * vocabulary, vocabulary}, tokens[t]));
    }
    return logprobs;
  }

  std::mt19937_64 random_{kSeed};
  std::unique_ptr<ThreadPool> pool_ = test::make_pool(1);
  std::shared_ptr<Model> model_;
  std::unique_ptr<Session> session_;
};

TEST_F(ScorerProperty, PlainScoresEqualTheLogitsOfTheSession) {
  for (int round = 0; round < 8; ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", round " + std::to_string(round));
    const std::vector<ScoreItem> items = random_items();
    const auto scores = make({}, random_capacity())->score(items);
    ASSERT_TRUE(scores.ok()) << scores.status().message();
    for (size_t i = 0; i < items.size(); ++i) {
      for (size_t c = 0; c < items[i].continuations.size(); ++c) {
        EXPECT_EQ((*scores)[i][c].logprobs, by_logits(items[i], c)) << "item " << i << ", continuation " << c;
      }
    }
  }
}

TEST_F(ScorerProperty, ContrastedScoresAreThoseOfEachTextAlone) {
  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", round " + std::to_string(round));
    const std::vector<int64_t> pruned = {1};
    for (const bool shares_prompt : {false, true}) {
      compare(
          {std::make_shared<TestContrast>(pruned_stream(*model_, pruned).value(), shares_prompt), nullptr});
    }
  }
}

TEST_F(ScorerProperty, EarlyExitsToo) {
  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", round " + std::to_string(round));
    compare({std::make_shared<TestContrast>(early_exit_stream(*model_, 1).value(), false), nullptr});
  }
}

}  // namespace
}  // namespace brisk::runtime
