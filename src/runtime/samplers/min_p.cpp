#include <cmath>

#include "runtime/samplers/samplers.hpp"

namespace brisk::runtime::samplers {

void min_p(Candidates& candidates, float p) {
  if (p <= 0.0F || candidates.list.empty()) return;
  candidates.sort();
  const float least = candidates.list[0].logit + std::log(p);
  size_t count = 1;
  while (count < candidates.list.size() && candidates.list[count].logit >= least) ++count;
  candidates.keep(count);
}

}  // namespace brisk::runtime::samplers
