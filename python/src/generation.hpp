// What the model's answers look like in Python: Generation (a whole one) and Stream (as it comes).
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nanobind/nanobind.h>

#include "runtime/generate.hpp"

namespace brisk::python {

void bind_generation(nanobind::module_& module);

/// An iterator over the pieces of an answer, which a thread of its own computes.
class Stream {
 public:
  using OnText = std::function<bool(std::string_view)>;
  /// Generates: hands each piece of text to the first argument until that returns false, and looks at the
  /// cancel flag.
  using Work = std::function<Result<runtime::Generation>(const OnText&, const std::atomic<bool>*)>;

  explicit Stream(Work work);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// The next piece; raises StopIteration at the end, or the error that ended the answer. Needs the GIL.
  nanobind::str next();
  /// Waits for the end, whatever of the text was read, and returns the whole answer. Needs the GIL.
  runtime::Generation result();
  /// Ends the answer after the op at hand.
  void cancel() { cancel_ = true; }

 private:
  void run(const Work& work);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string pending_;  // text that was not read yet
  std::optional<Result<runtime::Generation>> finished_;
  std::atomic<bool> cancel_{false};
  std::thread thread_;
};

}  // namespace brisk::python
