// Counts allocations, and says which of them is to fail: counted_allocations.hpp asks it, tests set it.
#pragma once

#include <atomic>
#include <cstdint>

namespace brisk::test {

inline std::atomic<int64_t> allocation_count{0};
/// The allocation that fails, counted from 1 after reset; 0: none.
inline std::atomic<int64_t> failing_allocation{0};
/// Whether all allocations after the failing one fail too.
inline std::atomic<bool> fail_for_good{false};

/// Counts one allocation; false when it is to fail.
inline bool allocation_allowed() {
  const int64_t number = ++allocation_count;
  const int64_t failing = failing_allocation.load();
  return failing == 0 || !(number == failing || (fail_for_good.load() && number > failing));
}

inline void reset_allocations(int64_t failing = 0, bool for_good = false) {
  failing_allocation = failing;
  fail_for_good = for_good;
  allocation_count = 0;
}

}  // namespace brisk::test
