// A progress bar on the terminal for work that takes long enough to make somebody wonder, and nothing at
// all otherwise: not before a delay has passed, and never into a pipe or a file.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace brisk {

struct ProgressOptions {
  int descriptor = 2;                       ///< where the bar is drawn
  bool enabled = true;                      ///< false: draws nothing, whatever the descriptor
  bool needs_terminal = true;               ///< tests draw into a pipe
  std::chrono::milliseconds delay{300};     ///< before the first drawing
  std::chrono::milliseconds interval{100};  ///< between drawings
};

/// One line, drawn over itself and wiped by finish() or the destructor. Safe to update from any thread.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label, ProgressOptions options = {});
  ~ProgressBar() { finish(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `share` of the work that is done, 0 to 1 (values outside are clamped); `note` stands behind the bar.
  void update(double share, const std::string& note = {});
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(double share, const std::string& note) const;

  const std::string label_;
  const ProgressOptions options_;
  const bool drawing_;
  std::mutex mutex_;
  Clock::time_point next_;
  bool shown_ = false;
};

}  // namespace brisk
