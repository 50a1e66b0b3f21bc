// Counts the allocations of a test program, and makes the n-th one fail. Include in one source file only: it
// replaces operator new.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "base/memory.hpp"

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

// NOLINTBEGIN: the signatures are the standard's
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // GCC looks through the operators it is given here
void* operator new(std::size_t bytes) {
  if (!brisk::test::allocation_allowed()) throw std::bad_alloc();
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return brisk::test::allocation_allowed() ? std::malloc(bytes == 0 ? 1 : bytes) : nullptr;
}
void* operator new[](std::size_t bytes, const std::nothrow_t& tag) noexcept {
  return operator new(bytes, tag);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
#pragma GCC diagnostic pop
// NOLINTEND
