#include "runtime/contrast.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/check.hpp"

namespace brisk::runtime {

namespace {

constexpr double kMostLambda = 1000;
constexpr float kLn2 = 0.693147182F;

// exp and log in plain arithmetic, without branches and calls, so that the compiler turns the loops below into
// vector code: they run over whole vocabularies for every token. Relative error of both below 2e-7.

// e^x for x <= 0; what is below e^-87 becomes that (about 1e-38).
inline float exp_negative(float x) noexcept {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  constexpr float kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  x = x < -87.0F ? -87.0F : x;
  const float shifted = x * 1.44269504F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;  // |r| <= ln 2 / 2
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = (p * r) * r + r + 1.0F;
  const int32_t power = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRound);
  return p * std::bit_cast<float>((power + 127) << 23);
}

// log x for positive normal x.
inline float log_positive(float x) noexcept {
  constexpr int32_t kRootHalf = 0x3f3504f3;  // bits of sqrt(1/2), where the mantissa's range begins
  const int32_t above = std::bit_cast<int32_t>(x) - kRootHalf;
  const int32_t power = above >> 23;
  const float m = std::bit_cast<float>((above & 0x007fffff) + kRootHalf);
  const float s = (m - 1.0F) / (m + 1.0F);
  const float s2 = s * s;
  const float series = 1.0F + s2 * (1.0F / 3 + s2 * (1.0F / 5 + s2 * (1.0F / 7 + s2 * (1.0F / 9))));
  return static_cast<float>(power) * kLn2 + 2.0F * s * series;
}

// Sum of term(i) in a fixed order: floats in 16 lanes within a block, so four to a lane, then doubles.
template <typename Term>
double sum_terms(size_t count, Term term) noexcept {
  constexpr size_t kLanes = 16, kBlock = 64;
  double total = 0;
  size_t i = 0;
  while (i + kLanes <= count) {
    float lanes[kLanes] = {};
    const size_t end = std::min(count - count % kLanes, i + kBlock);
    for (; i < end; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(i + lane);
    }
    for (const float lane : lanes) total += static_cast<double>(lane);
  }
  for (; i < count; ++i) total += static_cast<double>(term(i));
  return total;
}

float greatest_of(std::span<const float> values) noexcept {
  constexpr size_t kLanes = 16;
  float lanes[kLanes];
  std::fill_n(lanes, kLanes, values[0]);
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = values[i + lane] > lanes[lane] ? values[i + lane] : lanes[lane];
    }
  }
  for (; i < values.size(); ++i) lanes[0] = std::max(lanes[0], values[i]);
  return *std::max_element(lanes, lanes + kLanes);
}

// The mean over both rows of what `term(log p, log q, p, q, m, log m)` sums.
template <typename Term>
double divergence(const LogitRow& a, const LogitRow& b, Term term) noexcept {
  BRISK_ASSERT(a.logits.size() == b.logits.size(), "rows of one vocabulary");
  const float* x = a.logits.data();
  const float* y = b.logits.data();
  const auto x_sum = static_cast<float>(a.log_sum), y_sum = static_cast<float>(b.log_sum);
  const double sum = sum_terms(a.logits.size(), [=](size_t i) {
    const float log_p = x[i] - x_sum, log_q = y[i] - y_sum;
    // A log-probability may come out a rounding error above 0; exp_negative takes that too.
    const float p = exp_negative(log_p), q = exp_negative(log_q);
    const float m = 0.5F * (p + q);
    return term(log_p, log_q, p, q, m, log_positive(m));
  });
  return std::max(0.0, 0.5 * sum);
}

// score = expert + weight (expert - amateur), or without the first term; less a constant for log-probabilities.
struct Form {
  double own, weight, constant;

  Form(const ContrastSettings& settings, std::span<const float> expert, std::span<const float> amateur)
      : own(settings.mode == ContrastMode::kExtrapolate ? 1.0 : 0.0),
        weight(settings.mode == ContrastMode::kExtrapolate ? settings.lambda : 1.0),
        constant(settings.approximate ? 0.0 : raw(measure(expert).log_sum, measure(amateur).log_sum)) {}

  double raw(double expert, double amateur) const { return own * expert + weight * (expert - amateur); }
  float score(double value) const { return static_cast<float>(value - constant); }
};

void check_sizes(std::span<const float> expert, std::span<const float> amateur, std::span<const float> out) {
  BRISK_ASSERT(!expert.empty() && expert.size() == amateur.size() && expert.size() == out.size(),
               "rows of one vocabulary");
}

}  // namespace

LogitRow measure(std::span<const float> logits) noexcept {
  const float greatest = greatest_of(logits);
  const float* z = logits.data();
  const double sum = sum_terms(logits.size(), [=](size_t i) { return exp_negative(z[i] - greatest); });
  return {logits, greatest, static_cast<double>(greatest) + std::log(sum)};
}

void log_softmax(std::span<const float> logits, std::span<float> out) noexcept {
  const LogitRow row = measure(logits);
  for (size_t v = 0; v < logits.size(); ++v) out[v] = row.log_prob(v);
}

double entropy(const LogitRow& row) noexcept {
  const float* z = row.logits.data();
  const auto log_sum = static_cast<float>(row.log_sum);
  return std::max(0.0, sum_terms(row.logits.size(), [=](size_t i) {
                    const float log_p = z[i] - log_sum;
                    return -exp_negative(log_p) * log_p;
                  }));
}

double js_divergence(const LogitRow& p, const LogitRow& q) noexcept {
  return divergence(p, q, [](float log_p, float log_q, float a, float b, float, float log_m) {
    return a * (log_p - log_m) + b * (log_q - log_m);
  });
}

double dola_divergence(const LogitRow& p, const LogitRow& q) noexcept {
  const double sum = divergence(p, q, [](float log_p, float log_q, float, float, float m, float log_m) {
    return m * ((log_m - log_p) + (log_m - log_q));
  });
  return sum / static_cast<double>(p.logits.size());
}

Status check_contrast(const ContrastSettings& settings, const std::string& where) {
  if (!(settings.alpha > 0 && settings.alpha <= 1)) {
    return usage_error({where + ", alpha", "above 0, up to 1", std::to_string(settings.alpha), "0.1"});
  }
  if (!(settings.lambda >= 0 && settings.lambda <= kMostLambda)) {
    return usage_error({where + ", lambda", "0 to 1000", std::to_string(settings.lambda), "0.5"});
  }
  return {};
}

void find_plausible(std::span<const float> logits, float greatest, double alpha, std::vector<int32_t>& out) {
  const double least = static_cast<double>(greatest) + std::log(alpha);
  // A float at or below the bound sorts nearly all tokens out in vector code.
  const float rough = std::nextafter(static_cast<float>(least), -std::numeric_limits<float>::infinity());
  constexpr size_t kBlock = 64;
  out.clear();
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const size_t end = std::min(logits.size(), begin + kBlock);
    int32_t any = 0;
    for (size_t v = begin; v < end; ++v) any |= logits[v] >= rough ? 1 : 0;
    if (any == 0) continue;
    for (size_t v = begin; v < end; ++v) {
      // The same form as above, so that alpha = 1 keeps the greatest itself.
      if (static_cast<double>(logits[v]) >= least) out.push_back(static_cast<int32_t>(v));
    }
  }
}

void Contrast::filtered(std::span<const float> expert, std::span<const float> amateur,
                        std::span<float> scores) {
  check_sizes(expert, amateur, scores);
  const Form form(settings_, expert, amateur);
  find_plausible(expert, greatest_of(expert), settings_.alpha, plausible_);
  std::ranges::fill(scores, -std::numeric_limits<float>::infinity());
  const auto raw = [&](size_t v) {
    return form.raw(static_cast<double>(expert[v]), static_cast<double>(amateur[v]));
  };
  auto best = static_cast<size_t>(plausible_[0]);
  double best_raw = raw(best);
  for (const int32_t token : plausible_) {
    const auto v = static_cast<size_t>(token);
    const double value = raw(v);
    scores[v] = form.score(value);
    if (value > best_raw || (value == best_raw && expert[v] > expert[best])) {
      best = v;
      best_raw = value;
    }
  }
  // Greedy decoding takes the first of the greatest scores.
  for (const int32_t token : plausible_) {
    if (static_cast<size_t>(token) >= best) break;
    if (scores[static_cast<size_t>(token)] < scores[best]) continue;
    scores[best] = std::nextafter(scores[best], std::numeric_limits<float>::infinity());
    break;
  }
}

void Contrast::unfiltered(std::span<const float> expert, std::span<const float> amateur,
                          std::span<float> scores) const {
  check_sizes(expert, amateur, scores);
  const Form form(settings_, expert, amateur);
  for (size_t v = 0; v < scores.size(); ++v) {
    scores[v] = form.score(form.raw(static_cast<double>(expert[v]), static_cast<double>(amateur[v])));
  }
}

}  // namespace brisk::runtime
