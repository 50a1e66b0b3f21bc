#include "runtime/samplers/samplers.hpp"

namespace brisk::runtime::samplers {

void temperature(Candidates& candidates, float t) {
  for (Candidate& c : candidates.list) c.logit /= t;
}

}  // namespace brisk::runtime::samplers
