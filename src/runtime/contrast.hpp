// The arithmetic of contrasting two predictions: an expert's and an amateur's logits for the same place in a
// text. Shared by the decoding methods, the search for layers to prune, and the flatness table.
//
// With z the logits of one row, log p(v) = z(v) - log sum exp z. A score is
//
//     ratio        log p_E(v) - log p_A(v)
//     extrapolate  log p_E(v) + lambda (log p_E(v) - log p_A(v))
//
// inside the plausibility set { v : p_E(v) >= alpha * max p_E } and -infinity outside. The set always holds
// the expert's best token, so some token may always come.
//
// Sums are taken in doubles of f32 exponentials (relative error of a log-sum-exp below 2e-7), and a score is
// computed in doubles and rounded once. So equal rows give ratio scores of exactly 0, and lambda = 0, or
// equal rows, give exactly log_prob() of the expert.
//
// The best token is chosen before rounding: the greatest score, among equal ones the expert's greatest logit,
// among those the lowest number. When rounding, or the tie itself, would let another token stand level with
// it and come before it, the best one's score is raised by one ulp. So greedy decoding never depends on
// constants that all tokens share, which is why the approximate form (raw logits, no log-sum-exp) chooses the
// same tokens.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.hpp"
#include "runtime/decoding/decoding.hpp"

namespace brisk::runtime {

/// A row of finite logits and what turns them into log-probabilities.
struct LogitRow {
  std::span<const float> logits;  ///< [vocabulary], at least one
  float greatest;
  double log_sum;  ///< log sum exp of the logits
  float log_prob(size_t token) const {
    return static_cast<float>(static_cast<double>(logits[token]) - log_sum);
  }
};
LogitRow measure(std::span<const float> logits) noexcept;

/// out[v] = log p(v); `out` may be the logits themselves.
void log_softmax(std::span<const float> logits, std::span<float> out) noexcept;
/// -sum p log p, in nats.
double entropy(const LogitRow& row) noexcept;
/// The Jensen-Shannon divergence (KL(p||m) + KL(q||m)) / 2 with m = (p + q) / 2, in nats.
double js_divergence(const LogitRow& p, const LogitRow& q) noexcept;
/// (KL(m||p) + KL(m||q)) / 2 per token of the vocabulary: what DoLa's published code and transformers rank
/// layers by in place of the Jensen-Shannon divergence.
double dola_divergence(const LogitRow& p, const LogitRow& q) noexcept;

struct ContrastSettings {
  ContrastMode mode = ContrastMode::kRatio;
  double alpha = 0.1;        ///< (0, 1]
  double lambda = 0.5;       ///< extrapolate only
  bool approximate = false;  ///< raw logits: scores are off by one constant for all tokens
};
/// Usage error unless 0 < alpha <= 1 and 0 <= lambda <= 1000. `where` names who asks.
Status check_contrast(const ContrastSettings& settings, const std::string& where);

/// Contrasts rows of one vocabulary. Keeps its work space, so that a token allocates nothing in the long run.
class Contrast {
 public:
  explicit Contrast(const ContrastSettings& settings) : settings_(settings) {}
  const ContrastSettings& settings() const { return settings_; }

  /// Scores [vocabulary], -infinity outside the plausibility set.
  void filtered(std::span<const float> expert, std::span<const float> amateur, std::span<float> scores);
  /// Scores of all tokens.
  void unfiltered(std::span<const float> expert, std::span<const float> amateur,
                  std::span<float> scores) const;

 private:
  ContrastSettings settings_;
  std::vector<int32_t> plausible_;
};

/// Tokens with p >= alpha * max p, ascending; never empty. `out` is cleared first.
void find_plausible(std::span<const float> logits, float greatest, double alpha, std::vector<int32_t>& out);

}  // namespace brisk::runtime
