// How sure a mean over items is: intervals from resampling the items (bootstrap, percentiles).
#pragma once

#include <cstdint>
#include <span>

namespace brisk::evaluate {

struct Interval {
  double low = 0, high = 0;
};

struct BootstrapOptions {
  double level = 0.95;  ///< share of resampled means inside the interval
  int64_t resamples = 10'000;
  uint64_t seed = 0;  ///< the same seed gives the same interval
};

/// The interval of the mean of `values` (at least one).
Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options = {});

}  // namespace brisk::evaluate
