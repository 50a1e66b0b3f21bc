// The machine's limits on all lanes at once: how fast it reads memory and computes. What the figures of
// models are held against.
#pragma once

#include <optional>

#include "base/cpu.hpp"
#include "base/json.hpp"
#include "base/status.hpp"
#include "base/thread_pool.hpp"

namespace brisk::cli {

struct Limits {
  int lanes = 0;
  Isa isa = Isa::kRef;
  double read_gb = 0;  ///< 10^9 bytes per second
  /// 10^9 operations per second, a multiply-add being two; none where the level has no such instruction.
  std::optional<double> f32_g = {}, bf16_g = {}, int8_g = {};
};

/// Takes about two seconds. Ctrl-C between probes ends it.
Result<Limits> measure_limits(ThreadPool& pool, Isa isa);
Json limits_json(const Limits& limits);
std::string limits_text(const Limits& limits);

}  // namespace brisk::cli
