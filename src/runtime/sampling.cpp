#include "runtime/sampling.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/samplers/samplers.hpp"

namespace brisk::runtime {

namespace {

Status out_of_range(const char* option, const char* expected, double got) {
  return usage_error({option, expected, std::to_string(got)});
}

// log(sum(exp(logits))), in double.
double log_sum_exp(std::span<const float> logits, float best) {
  double total = 0;
  for (const float logit : logits) total += std::exp(logit - best);
  return static_cast<double>(best) + std::log(total);
}

}  // namespace

Status SamplingOptions::check() const {
  if (!(temperature >= 0) || !std::isfinite(temperature)) {
    return out_of_range("temperature", "a finite number >= 0", temperature);
  }
  if (top_k < 0) return out_of_range("top_k", "0 (off) or more", top_k);
  if (!(top_p > 0 && top_p <= 1)) return out_of_range("top_p", "above 0, up to 1", top_p);
  if (!(min_p >= 0 && min_p <= 1)) return out_of_range("min_p", "0 to 1", min_p);
  if (!(repeat_penalty >= 0.01F && repeat_penalty <= 100)) {
    return out_of_range("repeat_penalty", "0.01 to 100", repeat_penalty);
  }
  if (!(std::abs(presence_penalty) <= 1000))
    return out_of_range("presence_penalty", "-1000 to 1000", presence_penalty);
  if (!(std::abs(frequency_penalty) <= 1000)) {
    return out_of_range("frequency_penalty", "-1000 to 1000", frequency_penalty);
  }
  if (repeat_last_n < -1) return out_of_range("repeat_last_n", "-1 (all), 0 (none) or more", repeat_last_n);
  return {};
}

Sampler::Sampler(const SamplingOptions& options, int64_t vocabulary)
    : options_(options), work_(static_cast<size_t>(vocabulary)), candidates_(static_cast<size_t>(vocabulary)),
      counts_(static_cast<size_t>(vocabulary), 0) {}

Result<Sampled> Sampler::sample(std::span<const float> logits, std::span<const int32_t> history,
                                uint64_t position) {
  BRISK_ASSERT(logits.size() == work_.size(), "logits of the whole vocabulary");
  const auto best = std::ranges::max_element(logits);
  if (!std::isfinite(*best)) {
    return internal_error(
        {"sampling", "finite logits", std::isnan(*best) ? "not-a-number" : "no finite one"});
  }
  const double normaliser = log_sum_exp(logits, *best);
  if (std::isnan(normaliser)) return internal_error({"sampling", "finite logits", "not-a-number"});
  auto result = [&](int32_t token) {
    return Sampled{token, static_cast<float>(logits[static_cast<size_t>(token)] - normaliser)};
  };

  std::ranges::copy(logits, work_.begin());
  const size_t last_n =
      options_.repeat_last_n < 0 ? history.size() : static_cast<size_t>(options_.repeat_last_n);
  if (options_.repeat_penalty != 1.0F || options_.presence_penalty != 0 || options_.frequency_penalty != 0) {
    samplers::penalties(work_, history.last(std::min(last_n, history.size())), options_.repeat_penalty,
                        options_.presence_penalty, options_.frequency_penalty, counts_);
  }
  if (options_.temperature == 0) {
    return result(static_cast<int32_t>(std::ranges::max_element(work_) - work_.begin()));
  }
  for (size_t i = 0; i < work_.size(); ++i) candidates_[i] = {work_[i], static_cast<int32_t>(i)};
  samplers::Candidates candidates{candidates_};
  samplers::top_k(candidates, options_.top_k);
  samplers::top_p(candidates, options_.top_p);
  samplers::min_p(candidates, options_.min_p);
  samplers::temperature(candidates, options_.temperature);
  return result(samplers::draw(candidates, philox_uniform({options_.seed, position})));
}

}  // namespace brisk::runtime
