#include "runtime/contrast.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.hpp"

namespace brisk::runtime {

namespace {

constexpr double kMostLambda = 1000;
constexpr float kLn2 = 0.693147182F;

// Four floats side by side: 128 bits are in every 64-bit CPU's baseline, so this needs no dispatch. The loops
// below run over whole vocabularies for every token; with calls of the library's exp they took a tenth of the
// time of a token of a small model (2026-11).
using Float4 = float __attribute__((vector_size(16)));
using Int4 = int32_t __attribute__((vector_size(16)));
constexpr size_t kWidth = 4;

Float4 load(const float* at) noexcept {
  Float4 out;
  std::memcpy(&out, at, sizeof(out));
  return out;
}
Float4 all(float value) noexcept { return Float4{value, value, value, value}; }

// exp and log without branches; relative error of both below 2e-7.

// e^x for x about 0 or less; what is below e^-87 becomes that (about 1e-38).
Float4 exp_negative(Float4 x) noexcept {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  constexpr float kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  x = x < -87.0F ? all(-87.0F) : x;
  const Float4 shifted = x * 1.44269504F + kRound;
  const Float4 n = shifted - kRound;
  const Float4 r = (x - n * kLn2High) - n * kLn2Low;  // |r| <= ln 2 / 2
  Float4 p = r * (1.0F / 5040) + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = (p * r) * r + r + 1.0F;
  const Int4 power = std::bit_cast<Int4>(shifted) - std::bit_cast<int32_t>(kRound);
  return p * std::bit_cast<Float4>((power + 127) << 23);
}

// log x for positive normal x.
Float4 log_positive(Float4 x) noexcept {
  constexpr int32_t kRootHalf = 0x3f3504f3;  // bits of sqrt(1/2), where the mantissa's range begins
  const Int4 above = std::bit_cast<Int4>(x) - kRootHalf;
  const Float4 power = __builtin_convertvector(above >> 23, Float4);
  const Float4 m = std::bit_cast<Float4>((above & 0x007fffff) + kRootHalf);
  const Float4 s = (m - 1.0F) / (m + 1.0F);
  const Float4 s2 = s * s;
  const Float4 series = 1.0F + s2 * (1.0F / 3 + s2 * (1.0F / 5 + s2 * (1.0F / 7 + s2 * (1.0F / 9))));
  return power * kLn2 + 2.0F * s * series;
}

// Sum of term(values of each row at i) over all i, in a fixed order: floats in vectors within a block,
// doubles over blocks.
template <typename Term, typename... Rows>
double sum_terms(size_t count, Term term, Rows... rows) noexcept {
  constexpr size_t kVectors = 4, kStep = kVectors * kWidth, kBlock = 4 * kStep;
  double total = 0;
  size_t i = 0;
  while (i + kStep <= count) {
    Float4 sums[kVectors] = {};
    const size_t end = std::min(count - count % kStep, i + kBlock);
    for (; i < end; i += kStep) {
      for (size_t v = 0; v < kVectors; ++v) sums[v] += term(load(rows + i + v * kWidth)...);
    }
    const Float4 sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    for (size_t lane = 0; lane < kWidth; ++lane) total += static_cast<double>(sum[lane]);
  }
  for (; i < count; ++i) total += static_cast<double>(term(all(rows[i])...)[0]);
  return total;
}

float greatest_of(std::span<const float> values) noexcept {
  Float4 most = all(values[0]), others = most;
  size_t i = 0;
  for (; i + 2 * kWidth <= values.size(); i += 2 * kWidth) {
    const Float4 a = load(&values[i]), b = load(&values[i + kWidth]);
    most = a > most ? a : most;
    others = b > others ? b : others;
  }
  most = others > most ? others : most;
  float greatest = std::max(std::max(most[0], most[1]), std::max(most[2], most[3]));
  for (; i < values.size(); ++i) greatest = std::max(greatest, values[i]);
  return greatest;
}

// The mean over both rows of what `term(log p, log q, p, q, m, log m)` sums.
template <typename Term>
double divergence(const LogitRow& a, const LogitRow& b, Term term) noexcept {
  BRISK_ASSERT(a.logits.size() == b.logits.size(), "rows of one vocabulary");
  const auto a_sum = static_cast<float>(a.log_sum), b_sum = static_cast<float>(b.log_sum);
  const auto of_both = [=](Float4 x, Float4 y) {
    const Float4 log_p = x - a_sum, log_q = y - b_sum;
    const Float4 p = exp_negative(log_p), q = exp_negative(log_q);
    const Float4 m = 0.5F * (p + q);
    return term(log_p, log_q, p, q, m, log_positive(m));
  };
  const double sum = sum_terms(a.logits.size(), of_both, a.logits.data(), b.logits.data());
  return std::max(0.0, 0.5 * sum);
}

// score = expert + weight (expert - amateur), or without the first term; less a constant for
// log-probabilities.
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
  const auto exponential = [=](Float4 z) { return exp_negative(z - greatest); };
  const double sum = sum_terms(logits.size(), exponential, logits.data());
  return {logits, greatest, static_cast<double>(greatest) + std::log(sum)};
}

void log_softmax(std::span<const float> logits, std::span<float> out) noexcept {
  const LogitRow row = measure(logits);
  for (size_t v = 0; v < logits.size(); ++v) out[v] = row.log_prob(v);
}

double entropy(const LogitRow& row) noexcept {
  const auto log_sum = static_cast<float>(row.log_sum);
  const auto surprise = [=](Float4 z) { return exp_negative(z - log_sum) * (log_sum - z); };
  return std::max(0.0, sum_terms(row.logits.size(), surprise, row.logits.data()));
}

double js_divergence(const LogitRow& p, const LogitRow& q) noexcept {
  return divergence(p, q, [](Float4 log_p, Float4 log_q, Float4 a, Float4 b, Float4, Float4 log_m) {
    return a * (log_p - log_m) + b * (log_q - log_m);
  });
}

double dola_divergence(const LogitRow& p, const LogitRow& q) noexcept {
  const double sum = divergence(p, q, [](Float4 log_p, Float4 log_q, Float4, Float4, Float4 m, Float4 log_m) {
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
    const auto block = logits.subspan(begin, std::min(logits.size() - begin, kBlock));
    if (greatest_of(block) < rough) continue;
    for (size_t i = 0; i < block.size(); ++i) {
      if (static_cast<double>(block[i]) >= least) out.push_back(static_cast<int32_t>(begin + i));
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
