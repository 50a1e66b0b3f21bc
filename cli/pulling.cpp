// Progress of a pull.
#include "cli/pulling.hpp"

#include <chrono>

#include "base/progress.hpp"
#include "base/signals.hpp"
#include "base/utf8.hpp"
#include "cli/output.hpp"

namespace brisk::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLineInterval = std::chrono::seconds(10);

/// "12.3 MiB of 93.5 MiB, 5.2 MiB/s, 15 s left".
std::string progress_text(const hub::PullProgress& progress, double seconds) {
  std::string text = human_bytes(progress.done) + " of " + human_bytes(progress.total);
  const double rate = seconds > 0 ? static_cast<double>(progress.fetched) / seconds : 0;
  if (rate < 1) return text;
  const double left = static_cast<double>(progress.total - progress.done) / rate;
  constexpr double kMinute = 60;
  const std::string time = left < 2 * kMinute ? fixed(left, 0) + " s" : fixed(left / kMinute, 0) + " min";
  return text + ", " + human_bytes(static_cast<uint64_t>(rate)) + "/s, " + time + " left";
}

}  // namespace

Result<hub::PullReport> pull_showing(const hub::Settings& settings, const hub::RepoName& name,
                                     const PullShow& show) {
  const Clock::time_point start = Clock::now();
  Clock::time_point next_line = start + kLineInterval;
  ProgressBar bar("Pulling", {.enabled = !show.quiet});
  hub::PullOptions options;
  options.jobs = show.jobs;
  options.stopped = [] { return interrupt_flag().load(); };
  options.progress = [&](const hub::PullProgress& progress) {
    const Clock::time_point now = Clock::now();
    const std::string text = progress_text(progress, std::chrono::duration<double>(now - start).count());
    const double total = static_cast<double>(std::max<uint64_t>(progress.total, 1));
    bar.update(static_cast<double>(progress.done) / total, text);
    if (show.quiet || error_is_terminal() || now < next_line) return;
    next_line = now + kLineInterval;
    print_error("pulling " + escape_for_terminal(name.text()) + ": " + text + "\n");
  };
  Result<hub::PullReport> report = hub::pull(settings, name, options);
  bar.finish();
  if (!report.ok() && report.status().code() == StatusCode::kCancelled && !show.quiet) {
    print_error("note: stopped; what came is kept, and 'brisk pull " + escape_for_terminal(name.text()) +
                "' goes on from there\n");
  }
  return report;
}

}  // namespace brisk::cli
