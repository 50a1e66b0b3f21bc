// How many lanes the thread pool gets by default, and why.
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/cgroup.hpp"
#include "base/thread_pool.hpp"

namespace brisk {
namespace {

// The mask may be longer than cpu_set_t on large machines: the kernel answers EINVAL until it fits.
int affinity_cpus() {
  for (int cpus = CPU_SETSIZE; cpus <= 1 << 16; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(cpus));
    if (set == nullptr) break;
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(cpus));
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (known) return std::max(count, 1);
  }
  return 1;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace

LaneChoice choose_lanes(int cpus, std::optional<double> quota, const char* omp_num_threads) {
  LaneChoice choice{std::clamp(cpus, 1, kMaxLanes),
                    std::to_string(cpus) + (cpus == 1 ? " CPU" : " CPUs") + " in the affinity mask"};
  if (quota) {
    // Rounded down: a lane more than the quota pays for would be stopped in the middle of every period,
    // and all other lanes would wait for it.
    choice.lanes = static_cast<int>(std::clamp(std::floor(*quota), 1.0, static_cast<double>(choice.lanes)));
    choice.reason += "; cgroup quota " + number(*quota) + " CPUs";
  }
  if (omp_num_threads != nullptr && *omp_num_threads != '\0') {
    int wish = 0;  // a list ("4,2") gives one number per nesting level; the first is ours
    const auto [end, error] =
        std::from_chars(omp_num_threads, omp_num_threads + std::strlen(omp_num_threads), wish);
    const bool valid = error == std::errc() && wish >= 1 && (*end == '\0' || *end == ',');
    if (valid) choice.lanes = std::min(choice.lanes, wish);
    choice.reason += valid ? "; OMP_NUM_THREADS=" + std::to_string(wish) : "; OMP_NUM_THREADS not understood";
  }
  return choice;
}

LaneChoice default_lanes() {
  return choose_lanes(affinity_cpus(), cgroup_cpu_quota(), std::getenv("OMP_NUM_THREADS"));
}

}  // namespace brisk
