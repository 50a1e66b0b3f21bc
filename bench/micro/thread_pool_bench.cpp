// Cost of one parallel call with nothing to do (a barrier), for 1, 2, 4, ... lanes up to the default, as the
// best and the median of many short runs: other work on the machine shows as a distance between the two.
//
// Usage: bench_thread_pool
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "base/thread_pool.hpp"

namespace {

constexpr int kRuns = 200, kCalls = 200;

void measure(int lanes) {
  auto pool = brisk::ThreadPool::create(lanes);
  if (!pool.ok()) {
    std::fprintf(stderr, "%s\n", pool.status().message().c_str());
    return;
  }
  std::vector<double> nanoseconds;
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    for (int call = 0; call < kCalls; ++call) (*pool)->parallel([](int) {});
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    nanoseconds.push_back(taken.count() / kCalls);
  }
  std::sort(nanoseconds.begin(), nanoseconds.end());
  std::printf("%4d lanes: best %.0f ns, median %.0f ns\n", lanes, nanoseconds.front(),
              nanoseconds[kRuns / 2]);
}

}  // namespace

int main() {
  const brisk::LaneChoice choice = brisk::default_lanes();
  std::printf("%s\n", choice.reason.c_str());
  for (int lanes = 1; lanes < choice.lanes; lanes *= 2) measure(lanes);
  measure(choice.lanes);
  return 0;
}
