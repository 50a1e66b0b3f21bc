#include <cmath>

#include "runtime/samplers/samplers.hpp"

namespace brisk::runtime::samplers {

void top_p(Candidates& candidates, float p) {
  if (p >= 1.0F || candidates.list.empty()) return;
  candidates.sort();
  const float best = candidates.list[0].logit;
  double total = 0;
  for (const Candidate& c : candidates.list) total += std::exp(static_cast<double>(c.logit - best));
  double sum = 0;
  size_t count = 0;
  while (count < candidates.list.size() && (count == 0 || sum < static_cast<double>(p) * total)) {
    sum += std::exp(static_cast<double>(candidates.list[count].logit - best));
    ++count;
  }
  candidates.keep(count);
}

}  // namespace brisk::runtime::samplers
