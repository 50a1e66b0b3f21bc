// Large buffers: 64-byte aligned, zeroed, padded, on huge pages when they are worth it, and returned as a
// Result, so that running out of memory is an error like any other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "base/status.hpp"

namespace brisk {

/// Kernels may read (never write) up to this many bytes past the end of an AlignedBuffer.
inline constexpr size_t kOverreadBytes = 64;
inline constexpr size_t kBufferAlignment = 64;

/// Owns zeroed memory. From 2 MiB up it is an anonymous mapping advised to use huge pages (decode is
/// bound by read bandwidth, and 4 KiB pages cost 10 to 45 % of it); below, the heap.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)),
        mapped_(std::exchange(other.mapped_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
  ~AlignedBuffer() { release(); }

  /// `what` names the buffer in the error ("KV cache", ...).
  static Result<AlignedBuffer> allocate(size_t bytes, const char* what);

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }

 private:
  void release() noexcept;

  std::byte* data_ = nullptr;
  size_t size_ = 0;
  size_t mapped_ = 0;  // bytes of the mapping; 0 when the memory is from the heap
};

/// Tests make allocations of AlignedBuffer fail: called before each, false means "fail this one".
/// Null (the default) lets all pass.
void set_allocation_gate(bool (*gate)());

namespace detail {
Status run_catching(const char* what, Status (*call)(void* body), void* body);
}

/// Runs `body` (returning Status) and turns std::bad_alloc into an out-of-memory error about `what`.
/// The one place where the standard library's exception becomes a status. Allocates nothing itself.
template <typename Body>
Status catch_out_of_memory(const char* what, Body&& body) {
  using Target = std::remove_reference_t<Body>;
  return detail::run_catching(
      what, [](void* target) -> Status { return (*static_cast<Target*>(target))(); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

/// Bytes that the machine or the control group still offers, and the total: what `plan` and the check
/// before a load compare with: the least over /proc/meminfo and the memory limits of the control group
/// and all its ancestors (v1 and v2), page cache counted as available. Zero when unknown.
struct MemoryOffer {
  uint64_t available = 0;
  uint64_t total = 0;
};
/// `root` stands before /proc and /sys; tests set it.
MemoryOffer memory_offer(const std::string& root = {});

}  // namespace brisk
