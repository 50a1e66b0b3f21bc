// The machine's limits, measured: read bandwidth and the peaks of f32, bf16 and int8 arithmetic. Each
// probe runs on the caller's thread for about the time that is asked for; `bench --limits` runs one per
// lane at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.hpp"

namespace brisk::kernels {

struct ProbeVariant {
  const char* name;
  Isa isa;
  /// Reads `bytes` at `data` (two sequential streams, no prefetch); returns a value that depends on them.
  uint64_t (*read)(const std::byte* data, int64_t bytes) noexcept;
  /// Each runs `rounds` of a loop held in registers and returns the operations done (a multiply-add is 2).
  /// Null where the ISA level has no such instruction.
  int64_t (*f32)(int64_t rounds) noexcept;
  int64_t (*bf16)(int64_t rounds) noexcept;
  int64_t (*int8)(int64_t rounds) noexcept;
};
const ProbeVariant& find_probe(Isa isa);

}  // namespace brisk::kernels
