// From logits to a token: penalties, temperature, top-k, top-p, min-p, and the draw. The order is that of
// the list in samplers/: penalties, top-k, top-p, min-p, temperature, draw.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.hpp"
#include "runtime/samplers/samplers.hpp"

namespace brisk::runtime {

struct SamplingOptions {
  float temperature = 0.8F;        ///< 0: greedy
  int32_t top_k = 40;              ///< 0: off
  float top_p = 0.95F;             ///< 1: off
  float min_p = 0.05F;             ///< 0: off
  float repeat_penalty = 1.0F;     ///< divides positive and multiplies negative logits; 1: off
  float presence_penalty = 0.0F;   ///< subtracted once from every token seen
  float frequency_penalty = 0.0F;  ///< subtracted for each time a token was seen
  int32_t repeat_last_n = 64;      ///< tokens that the penalties look back; -1: all, 0: none
  uint64_t seed = 0;

  /// Ranges: temperature >= 0, 0 < top_p <= 1, 0 <= min_p <= 1, 0.01 <= repeat_penalty <= 100, the other
  /// penalties within 1000 of 0, all finite.
  Status check() const;
};

/// A token and its log-probability under the model (before penalties and truncation).
struct Sampled {
  int32_t token;
  float logprob;
};

/// Draws by Philox keyed by (seed, position): the same whatever the batch or thread count.
class Sampler {
 public:
  Sampler(const SamplingOptions& options, int64_t vocabulary);
  /// `logits` [vocabulary] is left alone; `history` are the sequence's tokens so far. All logits must be
  /// finite or -inf with at least one finite: else an error.
  Result<Sampled> sample(std::span<const float> logits, std::span<const int32_t> history, uint64_t position);

 private:
  SamplingOptions options_;
  // Kept between calls, so that a step allocates nothing; each [vocabulary].
  std::vector<float> work_;  // logits after penalties
  std::vector<samplers::Candidate> candidates_;
  std::vector<int32_t> counts_;  // times seen within the window
};

}  // namespace brisk::runtime
