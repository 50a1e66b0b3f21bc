// Memory that ends at a page that may not be touched: one byte too far is a crash, not a lucky read.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "base/check.hpp"

namespace brisk::test {

/// `count` elements of T whose last byte lies `slack` bytes before an unmapped page; zeroed. Slack moves the
/// start as well, so that odd values test misaligned pointers.
template <typename T>
class GuardedBuffer {
 public:
  explicit GuardedBuffer(size_t count, size_t slack = 0) : count_(count) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = count * sizeof(T) + slack;
    const size_t usable = (bytes + page - 1) / page * page;
    mapped_ = usable + page;
    void* base = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    BRISK_ASSERT(base != MAP_FAILED, "the test's memory can be mapped");
    base_ = static_cast<std::byte*>(base);
    BRISK_ASSERT(mprotect(base_ + usable, page, PROT_NONE) == 0, "a page can be protected");
    data_ = reinterpret_cast<T*>(base_ + usable - bytes);
  }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;
  ~GuardedBuffer() { munmap(base_, mapped_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return count_; }
  T* begin() { return data_; }
  T* end() { return data_ + count_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  std::byte* base_ = nullptr;
  size_t mapped_ = 0;
  T* data_ = nullptr;
  size_t count_ = 0;
};

}  // namespace brisk::test
