// What the micro benchmarks share: time of a thread, the best of several runs, memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <utility>

#include "base/memory.hpp"

namespace brisk::bench {

/// CPU time of the calling thread: free of what other programs take.
inline double thread_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Seconds of the fastest of `runs` runs.
inline double best_of(int runs, const std::function<void()>& body) {
  double best = 1e30;
  for (int i = 0; i < runs; ++i) {
    const double start = thread_seconds();
    body();
    best = std::min(best, thread_seconds() - start);
  }
  return best;
}

/// Memory, or the end of the program.
inline AlignedBuffer allocate(int64_t bytes) {
  Result<AlignedBuffer> buffer = AlignedBuffer::allocate(static_cast<size_t>(bytes), "benchmark");
  if (!buffer.ok()) {
    std::fprintf(stderr, "%s\n", buffer.status().message().c_str());
    std::exit(buffer.status().exit_code());
  }
  return std::move(buffer).value();
}

}  // namespace brisk::bench
