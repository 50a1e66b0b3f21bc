#include "cli/bench/limits.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <vector>

#include "base/memory.hpp"
#include "base/signals.hpp"
#include "cli/output.hpp"
#include "kernels/probe/probe.hpp"

namespace brisk::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTrials = 3;
constexpr double kTrialSeconds = 0.15;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Far more than the last-level cache, yet a small part of what is free.
size_t bytes_to_read() {
  constexpr size_t kMost = size_t{1} << 30, kLeast = size_t{1} << 26;
  return std::clamp(memory_offer().available / 4, kLeast, kMost) / 4096 * 4096;
}

Result<double> measure_read(ThreadPool& pool, const kernels::ProbeVariant& probe) {
  BRISK_ASSIGN(AlignedBuffer buffer, AlignedBuffer::allocate(bytes_to_read(), "read probe"));
  const int64_t share = static_cast<int64_t>(buffer.size()) / pool.lanes() / 4096 * 4096;
  std::atomic<uint64_t> sum{0};
  // Pages of zeros never written may be one and the same page: each lane writes its own first.
  pool.parallel([&](int lane) {
    constexpr int64_t kPiece = int64_t{16} << 20;
    for (int64_t at = 0; at < share && !interrupt_flag().load(); at += kPiece) {
      std::fill_n(buffer.data() + lane * share + at, std::min(kPiece, share - at),
                  static_cast<std::byte>(lane + 1));
    }
  });
  double best = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    int64_t passes = 0;
    const auto start = Clock::now();
    do {
      if (interrupt_flag().load()) return cancelled();
      pool.parallel([&](int lane) { sum += probe.read(buffer.data() + lane * share, share); });
      ++passes;
    } while (seconds_since(start) < kTrialSeconds);
    best = std::max(best, static_cast<double>(passes * share * pool.lanes()) / seconds_since(start) / 1e9);
  }
  return best;
}

/// Operations per second of all lanes together, in 10^9; none where the level has no such instruction.
Result<std::optional<double>> measure_peak(ThreadPool& pool, int64_t (*probe)(int64_t) noexcept) {
  if (probe == nullptr) return std::optional<double>();
  std::vector<int64_t> done(static_cast<size_t>(pool.lanes()));
  int64_t rounds = 1024;
  double best = 0;
  for (int trial = 0; trial < kTrials;) {
    if (interrupt_flag().load()) return cancelled();
    const auto start = Clock::now();
    pool.parallel([&](int lane) { done[static_cast<size_t>(lane)] = probe(rounds); });
    const double seconds = seconds_since(start);
    if (seconds < kTrialSeconds / 2) {
      rounds *= 2;
      continue;
    }
    const int64_t operations = std::accumulate(done.begin(), done.end(), int64_t{0});
    best = std::max(best, static_cast<double>(operations) / seconds / 1e9);
    ++trial;
  }
  return std::optional(best);
}

Json number_or_null(std::optional<double> value) { return value ? Json(*value) : Json(nullptr); }

std::string peak_text(std::optional<double> value) {
  return value ? fixed(*value, 1) + " G operations/s" : "no such instruction at this level";
}

}  // namespace

Result<Limits> measure_limits(ThreadPool& pool, Isa isa) {
  const kernels::ProbeVariant& probe = kernels::find_probe(isa);
  Limits limits{.lanes = pool.lanes(), .isa = probe.isa};
  BRISK_ASSIGN(limits.read_gb, measure_read(pool, probe));
  for (const auto& [kernel, result] :
       {std::pair{probe.f32, &limits.f32_g}, std::pair{probe.bf16, &limits.bf16_g},
        std::pair{probe.int8, &limits.int8_g}}) {
    BRISK_ASSIGN(*result, measure_peak(pool, kernel));
  }
  return limits;
}

Json limits_json(const Limits& limits) {
  return {{"n_threads", limits.lanes},
          {"isa", isa_name(limits.isa)},
          {"cpu_info", cpu_info().model},
          {"read_gb_per_s", limits.read_gb},
          {"f32_gops", number_or_null(limits.f32_g)},
          {"bf16_gops", number_or_null(limits.bf16_g)},
          {"int8_gops", number_or_null(limits.int8_g)}};
}

std::string limits_text(const Limits& limits) {
  Facts facts;
  facts.add("Threads", std::to_string(limits.lanes) + ", " + std::string(isa_name(limits.isa)));
  facts.add("Memory read", fixed(limits.read_gb, 1) + " GB/s");
  facts.add("f32 peak", peak_text(limits.f32_g));
  facts.add("bf16 peak", peak_text(limits.bf16_g));
  facts.add("int8 peak", peak_text(limits.int8_g));
  return facts.text();
}

}  // namespace brisk::cli
