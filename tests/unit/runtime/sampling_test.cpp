// Sampling: every step against values worked out by hand, and the draw against the published numbers of
// Philox.
#include "runtime/sampling.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "base/philox.hpp"

namespace brisk::runtime {
namespace {

using samplers::Candidate;
using samplers::Candidates;

TEST(Philox, KnownAnswers) {
  // Known-answer vectors of the authors' library (philox4x32, 10 rounds).
  const auto zeros = philox({0, 0, 0, RandomPurpose{0}});
  EXPECT_EQ(zeros, (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const auto ones = philox({~uint64_t{0}, ~uint64_t{0}, ~uint32_t{0}, RandomPurpose{~uint32_t{0}}});
  EXPECT_EQ(ones, (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

std::vector<Candidate> list_of(std::initializer_list<float> logits) {
  std::vector<Candidate> list;
  for (const float logit : logits) list.push_back({logit, static_cast<int32_t>(list.size())});
  return list;
}

std::vector<int32_t> tokens_of(const Candidates& candidates) {
  std::vector<int32_t> tokens;
  for (const Candidate& c : candidates.list) tokens.push_back(c.token);
  return tokens;
}

TEST(Samplers, TopKKeepsTheBestAndBreaksTiesByToken) {
  auto list = list_of({1, 5, 5, 2});
  Candidates candidates{list};
  samplers::top_k(candidates, 2);
  EXPECT_EQ(tokens_of(candidates), (std::vector<int32_t>{1, 2}));
}

TEST(Samplers, TopPKeepsTheFewestThatReachP) {
  auto list = list_of({std::log(0.5F), std::log(0.3F), std::log(0.2F)});
  Candidates candidates{list};
  samplers::top_p(candidates, 0.6F);
  EXPECT_EQ(tokens_of(candidates), (std::vector<int32_t>{0, 1}));
}

TEST(Samplers, MinPIsRelativeToTheBest) {
  auto list = list_of({std::log(0.6F), std::log(0.25F), std::log(0.15F)});
  Candidates candidates{list};
  samplers::min_p(candidates, 0.4F);
  EXPECT_EQ(tokens_of(candidates), (std::vector<int32_t>{0, 1}));
}

TEST(Samplers, PenaltiesCountEachTokenOnce) {
  std::vector<float> logits = {2, -2, 1, 1};
  std::vector<int32_t> counts(4, 0);
  const std::vector<int32_t> window = {0, 1, 0};
  samplers::penalties(logits, window, 2.0F, 0.5F, 0.25F, counts);
  EXPECT_FLOAT_EQ(logits[0], 2.0F / 2 - 0.5F - 2 * 0.25F);
  EXPECT_FLOAT_EQ(logits[1], -2.0F * 2 - 0.5F - 0.25F);
  EXPECT_FLOAT_EQ(logits[2], 1);
  EXPECT_EQ(counts, (std::vector<int32_t>(4, 0)));
}

TEST(Sampler, GreedyTakesTheFirstBest) {
  SamplingOptions options;
  options.temperature = 0;
  Sampler sampler(options, 4);
  const std::vector<float> logits = {0, 3, 3, 1};
  const auto drawn = sampler.sample(logits, {}, 0);
  ASSERT_TRUE(drawn.ok());
  EXPECT_EQ(drawn->token, 1);
  EXPECT_NEAR(drawn->logprob, 3 - std::log(std::exp(0.0) + 2 * std::exp(3.0) + std::exp(1.0)), 1e-6);
}

TEST(Sampler, FollowsTheDistribution) {
  SamplingOptions options;
  options.temperature = 1;
  options.top_k = 0;
  options.top_p = 1;
  options.min_p = 0;
  options.seed = 42;
  Sampler sampler(options, 3);
  const std::vector<float> logits = {std::log(0.5F), std::log(0.3F), std::log(0.2F)};
  std::map<int32_t, int> seen;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) ++seen[sampler.sample(logits, {}, static_cast<uint64_t>(i))->token];
  // Five standard deviations of a binomial count.
  for (const auto& [token, p] : std::map<int32_t, double>{{0, 0.5}, {1, 0.3}, {2, 0.2}}) {
    EXPECT_NEAR(seen[token], kDraws * p, 5 * std::sqrt(kDraws * p * (1 - p)));
  }
}

TEST(Sampler, TheSameSeedAndPositionDrawTheSame) {
  SamplingOptions options;
  options.seed = 7;
  std::vector<float> logits(100);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = std::sin(static_cast<float>(i));
  Sampler first(options, 100);
  Sampler second(options, 100);
  bool differs = false;
  for (uint64_t position = 0; position < 50; ++position) {
    const int32_t token = first.sample(logits, {}, position)->token;
    EXPECT_EQ(token, second.sample(logits, {}, position)->token);
    differs = differs || token != first.sample(logits, {}, position + 1)->token;
  }
  EXPECT_TRUE(differs);
}

TEST(Sampler, ATinyTemperatureIsGreedy) {
  SamplingOptions options;
  const std::vector<float> logits = {20, 25, 24.9F, -3};
  for (const float tiny : {1e-3F, 1e-37F, 1e-39F, 1e-45F}) {
    options.temperature = tiny;
    Sampler sampler(options, 4);
    for (uint64_t position = 0; position < 20; ++position) {
      EXPECT_EQ(sampler.sample(logits, {}, position)->token, 1) << tiny;
    }
  }
}

TEST(Sampler, RefusesWhatIsNoDistribution) {
  Sampler sampler({}, 2);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& logits :
       {std::vector{nan, 1.0F}, {1.0F, nan}, {infinity, 0.0F}, {-infinity, -infinity}}) {
    EXPECT_EQ(sampler.sample(logits, {}, 0).status().code(), StatusCode::kInternal);
  }
}

TEST(SamplingOptions, RangesAreChecked) {
  auto broken = [](auto change) {
    SamplingOptions options;
    change(options);
    return options.check().code();
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(SamplingOptions{}.check().ok());
  EXPECT_EQ(broken([](auto& o) { o.temperature = -1; }), StatusCode::kUsage);
  EXPECT_EQ(broken([&](auto& o) { o.temperature = nan; }), StatusCode::kUsage);
  EXPECT_EQ(broken([](auto& o) { o.top_k = -1; }), StatusCode::kUsage);
  EXPECT_EQ(broken([](auto& o) { o.top_p = 0; }), StatusCode::kUsage);
  EXPECT_EQ(broken([](auto& o) { o.top_p = 1.5F; }), StatusCode::kUsage);
  EXPECT_EQ(broken([](auto& o) { o.min_p = -0.1F; }), StatusCode::kUsage);
  EXPECT_EQ(broken([](auto& o) { o.repeat_penalty = 0; }), StatusCode::kUsage);
  EXPECT_EQ(broken([&](auto& o) { o.presence_penalty = nan; }), StatusCode::kUsage);
  EXPECT_EQ(broken([](auto& o) { o.repeat_last_n = -2; }), StatusCode::kUsage);
}

}  // namespace
}  // namespace brisk::runtime
