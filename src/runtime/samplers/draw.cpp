#include <algorithm>
#include <cmath>

#include "runtime/samplers/samplers.hpp"

namespace brisk::runtime::samplers {

int32_t draw(const Candidates& candidates, double uniform) {
  float best = candidates.list[0].logit;
  for (const Candidate& c : candidates.list) best = std::max(best, c.logit);
  double total = 0;
  for (const Candidate& c : candidates.list) total += std::exp(static_cast<double>(c.logit - best));
  double left = uniform * total;
  for (const Candidate& c : candidates.list) {
    left -= std::exp(static_cast<double>(c.logit - best));
    if (left < 0) return c.token;
  }
  return candidates.list.back().token;
}

}  // namespace brisk::runtime::samplers
