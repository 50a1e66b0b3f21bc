#include <algorithm>

#include "runtime/samplers/samplers.hpp"

namespace brisk::runtime::samplers {

namespace {

bool better(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

}  // namespace

void Candidates::sort() {
  if (!sorted) std::sort(list.begin(), list.end(), better);
  sorted = true;
}

void top_k(Candidates& candidates, int32_t k) {
  const auto count = static_cast<size_t>(k);
  if (k <= 0 || count >= candidates.list.size()) return;
  if (!candidates.sorted) {
    std::partial_sort(candidates.list.begin(), candidates.list.begin() + k, candidates.list.end(), better);
    candidates.sorted = true;
  }
  candidates.keep(count);
}

}  // namespace brisk::runtime::samplers
