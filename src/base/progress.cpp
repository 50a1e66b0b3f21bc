#include "base/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace brisk {
namespace {

constexpr int kBarCells = 24;
/// Back to the first column, rest of the line wiped.
constexpr const char* kWipe = "\r\x1b[K";

void write_quietly(int descriptor, const std::string& text) {
  // A bar that cannot be drawn is no error of the work it tells about.
  [[maybe_unused]] const ssize_t written = write(descriptor, text.data(), text.size());
}

}  // namespace

ProgressBar::ProgressBar(std::string label, ProgressOptions options)
    : label_(std::move(label)), options_(options),
      drawing_(options.enabled && (!options.needs_terminal || isatty(options.descriptor) == 1)),
      next_(Clock::now() + options.delay) {}

std::string ProgressBar::line(double share, const std::string& note) const {
  const int filled = static_cast<int>(share * kBarCells);
  std::string text = kWipe + label_ + " ";
  for (int i = 0; i < kBarCells; ++i) text += i < filled ? "━" : "╌";
  text += " " + std::to_string(static_cast<int>(std::floor(share * 100))) + " %";
  if (!note.empty()) text += "  " + note;
  return text;
}

void ProgressBar::update(double share, const std::string& note) {
  if (!drawing_) return;
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + options_.interval;
  shown_ = true;
  write_quietly(options_.descriptor, line(std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0.0, note));
}

void ProgressBar::finish() {
  const std::lock_guard lock(mutex_);
  if (shown_) write_quietly(options_.descriptor, kWipe);
  shown_ = false;
}

}  // namespace brisk
