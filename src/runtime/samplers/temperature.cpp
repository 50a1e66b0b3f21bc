#include <algorithm>

#include "runtime/samplers/samplers.hpp"

namespace brisk::runtime::samplers {

void temperature(Candidates& candidates, float t) {
  // Relative to the best, which stays 0: a tiny temperature sends the others to -infinity, never to NaN.
  float best = candidates.list[0].logit;
  for (const Candidate& c : candidates.list) best = std::max(best, c.logit);
  for (Candidate& c : candidates.list) c.logit = (c.logit - best) / t;
}

}  // namespace brisk::runtime::samplers
