// Long work off the Python thread, so that other Python threads run and Ctrl-C is noticed.
//
// One rule keeps this free of deadlocks: nobody takes or holds a mutex while holding the GIL.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <nanobind/nanobind.h>

namespace brisk::python {

/// How long a waiting Python thread leaves signals unhandled.
inline constexpr std::chrono::milliseconds kSignalPeriod{50};

/// Calls wait() without the GIL until it returns true; it should give up with false after kSignalPeriod.
/// In between, Python handles signals: false when a handler raised (KeyboardInterrupt), which is then set.
template <typename Wait>
bool wait_with_signals(Wait&& wait) {
  while (true) {
    {
      const nanobind::gil_scoped_release released;
      if (wait()) return true;
    }
    if (PyErr_CheckSignals() != 0) return false;
  }
}

/// Runs work(cancel) on a thread of its own and returns its result. Ctrl-C sets `cancel`, waits for the work
/// to stop, and raises KeyboardInterrupt.
template <typename Work>
auto interruptible(Work&& work) {
  std::atomic<bool> cancel{false};
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<decltype(work(&cancel))> result;

  std::thread thread([&] {
    auto value = work(&cancel);
    const std::lock_guard guard(mutex);
    result.emplace(std::move(value));
    changed.notify_all();
  });
  const bool done = wait_with_signals([&] {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kSignalPeriod, [&] { return result.has_value(); });
  });
  if (!done) cancel = true;
  {
    const nanobind::gil_scoped_release released;
    thread.join();
  }
  if (!done) throw nanobind::python_error();
  return std::move(*result);
}

}  // namespace brisk::python
