#include "runtime/samplers/samplers.hpp"

namespace brisk::runtime::samplers {

void penalties(std::span<float> logits, std::span<const int32_t> window, float repeat, float presence,
               float frequency, std::vector<int32_t>& counts) {
  for (const int32_t token : window) ++counts[static_cast<size_t>(token)];
  for (const int32_t token : window) {
    int32_t& count = counts[static_cast<size_t>(token)];
    if (count == 0) continue;  // done at its first place in the window
    float& logit = logits[static_cast<size_t>(token)];
    logit = logit > 0 ? logit / repeat : logit * repeat;
    logit -= presence + static_cast<float>(count) * frequency;
    count = 0;
  }
}

}  // namespace brisk::runtime::samplers
