// Counts the allocations of a test program, and makes the n-th one fail (allocation_counter.hpp). Include in
// one source file of a program only: it replaces operator new.
#pragma once

#include <cstdlib>
#include <new>

#include "base/memory.hpp"
#include "support/allocation_counter.hpp"

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
