// The process-wide pool of threads ("lanes"). One forward pass calls parallel() some hundred times per
// token, so a call allocates nothing, and waiting spins for about 50 to 100 microseconds before it sleeps
// on a futex: spinning alone wastes whole time slices when another process holds a core.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "base/status.hpp"

namespace brisk {

/// How many lanes to use by default, and why: the CPUs of the affinity mask, capped by the control
/// group's CPU quota (v1 and v2, all ancestors), and by OMP_NUM_THREADS when set.
struct LaneChoice {
  int lanes = 1;
  std::string reason;  ///< e.g. "2 CPUs in the affinity mask; cgroup quota 1.5 CPUs"
};
LaneChoice default_lanes();
/// The rule behind it: `cpus` of the affinity mask, capped by `quota` (CPUs, rounded down, at least 1) and by
/// `omp_num_threads` (the variable's text, may be null; text that is not a number is named and ignored).
LaneChoice choose_lanes(int cpus, std::optional<double> quota, const char* omp_num_threads);

/// Most lanes that a pool may have.
inline constexpr int kMaxLanes = 1024;

class ThreadPool {
 public:
  /// Starts `lanes - 1` threads (the caller of parallel() is lane 0); 1 <= lanes <= kMaxLanes.
  static Result<std::unique_ptr<ThreadPool>> create(int lanes);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int lanes() const;

  /// Runs fn(lane) once on each lane and returns when all are done. fn must not throw. Callers from
  /// several threads queue; a call from inside a lane runs all lanes' work on that lane.
  template <typename Fn>
  void parallel(Fn&& fn) {
    run([](void* ctx, int lane) { (*static_cast<std::remove_reference_t<Fn>*>(ctx))(lane); }, &fn);
  }

  /// Splits [0, count) into one contiguous range per lane, each a multiple of `step` long (the last may
  /// be shorter), and runs fn(begin, end) on those that are not empty. Which lane does what never
  /// changes a result (the row law), only who does it.
  template <typename Fn>
  void parallel_ranges(int64_t count, int64_t step, Fn&& fn) {
    const int64_t units = (count + step - 1) / step;
    if (units <= 1 || lanes() == 1) {
      if (count > 0) fn(int64_t{0}, count);
      return;
    }
    parallel([&](int lane) {
      const int64_t n = lanes();
      const int64_t begin = units * lane / n * step;
      const int64_t end_units = units * (lane + 1) / n * step;
      const int64_t end = end_units < count ? end_units : count;
      if (begin < end) fn(begin, end);
    });
  }

 private:
  using Job = void (*)(void* ctx, int lane);
  ThreadPool() = default;
  void run(Job job, void* ctx);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace brisk
