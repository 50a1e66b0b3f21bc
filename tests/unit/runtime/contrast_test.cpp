// The arithmetic of contrasts: against plain doubles, the identities that hold exactly, and the tie rule.
#include "runtime/contrast.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace brisk::runtime {
namespace {

using Floats = std::vector<float>;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Floats random_logits(size_t count, float scale, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0.0F, scale);
  Floats out(count);
  for (float& value : out) value = normal(random);
  return out;
}

double exact_log_sum(const Floats& logits) {
  const double greatest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float z : logits) sum += std::exp(static_cast<double>(z) - greatest);
  return greatest + std::log(sum);
}

std::vector<double> exact_log_probs(const Floats& logits) {
  std::vector<double> out(logits.begin(), logits.end());
  const double log_sum = exact_log_sum(logits);
  for (double& value : out) value -= log_sum;
  return out;
}

Floats scores_of(const ContrastSettings& settings, const Floats& expert, const Floats& amateur) {
  Floats scores(expert.size());
  Contrast(settings).filtered(expert, amateur, scores);
  return scores;
}

size_t greedy(const Floats& scores) {
  return static_cast<size_t>(std::ranges::max_element(scores) - scores.begin());
}

// Lengths around the lanes and blocks of the loops, and a real vocabulary.
const size_t kLengths[] = {1, 2, 15, 16, 17, 63, 64, 65, 1000, 49152};

TEST(Contrast, SumsAreWhatDoublesGive) {
  double worst = 0;
  for (const size_t length : kLengths) {
    for (const float scale : {0.01F, 1.0F, 5.0F, 40.0F}) {
      Floats logits = random_logits(length, scale, length);
      for (float& z : logits) z += 300.0F;  // a common constant changes nothing
      worst = std::max(worst, std::abs(measure(logits).log_sum - exact_log_sum(logits)));
      EXPECT_EQ(measure(logits).greatest, *std::ranges::max_element(logits));
    }
  }
  EXPECT_LT(worst, 3e-7);
  RecordProperty("worst_log_sum_error", std::to_string(worst));
}

TEST(Contrast, HugeAndMissingLogitsStayFinite) {
  const Floats logits = {-3e38F, 3e38F, -kInfinity, 0.0F};
  EXPECT_EQ(measure(logits).log_sum, static_cast<double>(3e38F));
  EXPECT_EQ(measure(logits).log_prob(1), 0.0F);
  const Floats two = {-kInfinity, 1.0F, 1.0F};
  EXPECT_NEAR(measure(two).log_prob(1), std::log(0.5), 1e-7);
}

TEST(Contrast, LogSoftmaxIsTheRowsLogProbability) {
  Floats logits = random_logits(777, 3, 1);
  const LogitRow row = measure(logits);
  Floats out(logits.size());
  log_softmax(logits, out);
  for (size_t v = 0; v < out.size(); ++v) EXPECT_EQ(out[v], row.log_prob(v));
  const Floats want = out;
  log_softmax(logits, logits);  // in place
  EXPECT_EQ(logits, want);
}

TEST(Contrast, EntropyAndDivergences) {
  for (const size_t length : kLengths) {
    const Floats a = random_logits(length, 2, 5), b = random_logits(length, 3, 6);
    const auto p = exact_log_probs(a), q = exact_log_probs(b);
    double h = 0, js = 0, dola = 0;
    for (size_t v = 0; v < length; ++v) {
      const double m = (std::exp(p[v]) + std::exp(q[v])) / 2;
      h -= std::exp(p[v]) * p[v];
      js += (std::exp(p[v]) * (p[v] - std::log(m)) + std::exp(q[v]) * (q[v] - std::log(m))) / 2;
      dola += m * (2 * std::log(m) - p[v] - q[v]) / 2;
    }
    EXPECT_NEAR(entropy(measure(a)), h, 2e-6 * (1 + h)) << length;
    EXPECT_NEAR(js_divergence(measure(a), measure(b)), js, 3e-6) << length;
    EXPECT_NEAR(js_divergence(measure(b), measure(a)), js, 3e-6) << length;
    const double per_token = dola / static_cast<double>(length);
    EXPECT_NEAR(dola_divergence(measure(a), measure(b)), per_token,
                3e-6 * (1 + dola) / static_cast<double>(length));
    EXPECT_NEAR(js_divergence(measure(a), measure(a)), 0, 1e-6);
  }
  const Floats uniform(1000, 0.25F);
  EXPECT_NEAR(entropy(measure(uniform)), std::log(1000.0), 1e-6);
}

TEST(Contrast, RatioAndExtrapolate) {
  const Floats expert = random_logits(5000, 3, 7), amateur = random_logits(5000, 2, 8);
  const auto e = exact_log_probs(expert), a = exact_log_probs(amateur);
  const double most = *std::ranges::max_element(e);
  const Floats ratio = scores_of({ContrastMode::kRatio, 0.1}, expert, amateur);
  const Floats extra = scores_of({ContrastMode::kExtrapolate, 0.1, 0.7}, expert, amateur);
  size_t inside = 0;
  for (size_t v = 0; v < e.size(); ++v) {
    if (e[v] < most + std::log(0.1)) {
      EXPECT_EQ(ratio[v], -kInfinity);
      EXPECT_EQ(extra[v], -kInfinity);
      continue;
    }
    ++inside;
    EXPECT_NEAR(ratio[v], e[v] - a[v], 1e-6);
    EXPECT_NEAR(extra[v], 1.7 * e[v] - 0.7 * a[v], 2e-6);
  }
  EXPECT_GT(inside, 3U);
}

TEST(Contrast, WithoutTheFilterAllTokensHaveScores) {
  const Floats expert = random_logits(500, 3, 9), amateur = random_logits(500, 2, 10);
  const auto e = exact_log_probs(expert), a = exact_log_probs(amateur);
  Floats scores(expert.size());
  Contrast({}).unfiltered(expert, amateur, scores);
  for (size_t v = 0; v < e.size(); ++v) EXPECT_NEAR(scores[v], e[v] - a[v], 2e-6);
}

TEST(Contrast, EqualRowsExtrapolateToTheExpertExactly) {
  const Floats expert = random_logits(3000, 2, 11);
  const LogitRow row = measure(expert);
  for (const double lambda : {0.0, 0.3, 0.5, 7.0}) {
    const Floats scores = scores_of({ContrastMode::kExtrapolate, 0.05, lambda}, expert, expert);
    for (size_t v = 0; v < scores.size(); ++v) {
      if (scores[v] == -kInfinity) continue;
      EXPECT_EQ(scores[v], row.log_prob(v)) << lambda;
    }
    EXPECT_EQ(greedy(scores), greedy(expert));
  }
}

TEST(Contrast, LambdaZeroIsPlainWhateverTheAmateur) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Floats expert = random_logits(1000, 2, 100 + seed), amateur = random_logits(1000, 9, 200 + seed);
    const LogitRow row = measure(expert);
    const Floats scores = scores_of({ContrastMode::kExtrapolate, 0.1, 0.0}, expert, amateur);
    for (size_t v = 0; v < scores.size(); ++v) {
      if (scores[v] == -kInfinity) continue;
      EXPECT_EQ(scores[v], row.log_prob(v));
    }
    EXPECT_EQ(greedy(scores), greedy(expert)) << "seed " << seed;
  }
}

TEST(Contrast, EqualRowsHaveRatioZeroAndTheExpertsBestComesFirst) {
  const Floats expert = random_logits(3000, 1, 12);
  const Floats scores = scores_of({ContrastMode::kRatio, 0.1}, expert, expert);
  const size_t best = greedy(expert);
  size_t inside = 0;
  for (size_t v = 0; v < scores.size(); ++v) {
    if (scores[v] == -kInfinity || v == best) continue;
    ++inside;
    EXPECT_EQ(scores[v], 0.0F);
  }
  EXPECT_GT(inside, 100U);
  EXPECT_EQ(scores[best], std::nextafter(0.0F, 1.0F));
  EXPECT_EQ(greedy(scores), best);
}

TEST(Contrast, TiesGoToTheExpertsBestOfThem) {
  const Floats expert = {1.0F, 1.5F, 1.25F, 2.0F}, amateur = {0.0F, 0.5F, 0.25F, 3.0F};
  EXPECT_EQ(greedy(scores_of({ContrastMode::kRatio, 0.1}, expert, amateur)), 1U);
  // The tie stands behind the best: nothing is raised.
  const Floats late_expert = {1.5F, 1.0F}, late_amateur = {0.5F, 0.0F};
  const Floats late = scores_of({ContrastMode::kRatio, 0.1}, late_expert, late_amateur);
  EXPECT_EQ(late[0], late[1]);
  // Two tokens that even the expert cannot tell apart: the first of them, as in plain decoding.
  const Floats twins = {0.0F, 2.0F, 2.0F};
  EXPECT_EQ(greedy(scores_of({ContrastMode::kRatio, 0.1}, twins, twins)), 1U);
}

TEST(Contrast, AlphaOneIsGreedy) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Floats expert = random_logits(400, 1, seed), amateur = random_logits(400, 4, 50 + seed);
    const Floats scores = scores_of({ContrastMode::kRatio, 1.0}, expert, amateur);
    EXPECT_EQ(greedy(scores), greedy(expert));
    EXPECT_EQ(std::ranges::count(scores, -kInfinity), 399);
  }
}

// The constants that it leaves out must not turn a choice, not even among scores that rounding makes equal.
TEST(Contrast, TheApproximateFormChoosesTheSameTokens) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (uint64_t i = 0; i < 200; ++i) {
    Floats expert = random_logits(300, 0.5F, seed + i), amateur = random_logits(300, 0.5F, seed + 1000 + i);
    if (i % 2 == 0) {
      // Near ties: the amateur is the expert less a coarse step.
      for (size_t v = 0; v < expert.size(); ++v)
        amateur[v] = expert[v] - static_cast<float>(v % 3) * 1e-7F + 50.0F;
    }
    for (const ContrastMode mode : {ContrastMode::kRatio, ContrastMode::kExtrapolate}) {
      EXPECT_EQ(greedy(scores_of({mode, 0.1, 0.5, true}, expert, amateur)),
                greedy(scores_of({mode, 0.1, 0.5, false}, expert, amateur)));
    }
  }
}

TEST(Contrast, ThePlausibilitySetIsTheDefinition) {
  std::vector<int32_t> found;
  for (const size_t length : kLengths) {
    const Floats logits = random_logits(length, 2, 20 + length);
    const float greatest = *std::ranges::max_element(logits);
    for (const double alpha : {1e-300, 1e-3, 0.1, 0.5, 1.0}) {
      find_plausible(logits, greatest, alpha, found);
      std::vector<int32_t> want;
      for (size_t v = 0; v < length; ++v) {
        if (static_cast<double>(logits[v]) >= static_cast<double>(greatest) + std::log(alpha)) {
          want.push_back(static_cast<int32_t>(v));
        }
      }
      EXPECT_EQ(found, want) << length << " " << alpha;
      EXPECT_FALSE(found.empty());
    }
  }
}

TEST(Contrast, RefusesSettingsOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(check_contrast({}, "x").ok());
  EXPECT_TRUE(check_contrast({ContrastMode::kRatio, 1.0, 0.0}, "x").ok());
  for (const double alpha : {0.0, -0.1, 1.0001, nan}) {
    EXPECT_EQ(check_contrast({ContrastMode::kRatio, alpha}, "x").code(), StatusCode::kUsage) << alpha;
  }
  for (const double lambda : {-0.1, 1e9, nan}) {
    EXPECT_EQ(check_contrast({ContrastMode::kRatio, 0.1, lambda}, "x").code(), StatusCode::kUsage) << lambda;
  }
}

}  // namespace
}  // namespace brisk::runtime
