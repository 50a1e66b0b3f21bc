#include "evaluate/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/philox.hpp"

namespace brisk::evaluate {

namespace {

/// The mean of as many values as there are, each drawn anew from all of them.
double resampled_mean(std::span<const double> values, uint64_t resample, uint64_t seed) {
  const uint64_t count = values.size();
  double sum = 0;
  std::array<uint32_t, 4> words{};
  for (uint64_t i = 0; i < count; ++i) {
    if (i % 4 == 0) {
      words = philox({.seed = seed,
                      .position = resample,
                      .sample = static_cast<uint32_t>(i / 4),
                      .purpose = RandomPurpose::kBootstrap});
    }
    sum += values[static_cast<size_t>((uint64_t{words[i % 4]} * count) >> 32)];
  }
  return sum / static_cast<double>(count);
}

}  // namespace

Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options) {
  std::vector<double> means(static_cast<size_t>(options.resamples));
  for (size_t i = 0; i < means.size(); ++i) means[i] = resampled_mean(values, i, options.seed);
  std::ranges::sort(means);
  const double tail = (1 - options.level) / 2 * static_cast<double>(means.size());
  const auto last = means.size() - 1;
  const auto low = std::min(static_cast<size_t>(std::floor(tail)), last);
  return {means[low], means[last - low]};
}

}  // namespace brisk::evaluate
