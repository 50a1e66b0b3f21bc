// The steps of sampling, one file each. They work on candidates: token ids with their logits, best first
// once sorted.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/philox.hpp"

namespace brisk::runtime::samplers {

struct Candidate {
  float logit;
  int32_t token;
};

/// A window on candidates kept by the caller; steps shorten it from the back.
struct Candidates {
  std::span<Candidate> list;
  bool sorted = false;  ///< by logit, equal ones by id

  void sort();
  void keep(size_t count) { list = list.first(count); }
};

/// Repetition, presence and frequency penalties on `logits` for the tokens of `window`. `counts` is
/// [vocabulary] of zeros and is left so.
void penalties(std::span<float> logits, std::span<const int32_t> window, float repeat, float presence,
               float frequency, std::vector<int32_t>& counts);
/// Keeps the k best.
void top_k(Candidates& candidates, int32_t k);
/// Keeps the fewest best whose probabilities reach p (Holtzman et al. 2020).
void top_p(Candidates& candidates, float p);
/// Keeps those with at least p times the probability of the best (Nguyen et al. 2024).
void min_p(Candidates& candidates, float p);
/// Divides the logits' distances from the best, which becomes 0; needs a candidate.
void temperature(Candidates& candidates, float t);
/// The token whose share of the probabilities, summed in list order, covers `uniform` in [0, 1).
int32_t draw(const Candidates& candidates, double uniform);

}  // namespace brisk::runtime::samplers
