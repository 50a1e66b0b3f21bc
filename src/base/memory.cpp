// Large buffers, and how much memory there is.
#include "base/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "base/cgroup.hpp"
#include "base/checked.hpp"
#include "base/file.hpp"

namespace brisk {

namespace {

constexpr size_t kHugePage = size_t{2} << 20;

std::atomic<bool (*)()> g_allocation_gate{nullptr};

// Made at the start: when nothing at all can be allocated, not even a message can.
const Status kNothingLeft = environment_error({"memory", "enough for the work at hand", "none left",
                                               "a smaller model or context, or closing other programs"});

Status out_of_memory(const char* what, size_t bytes) {
  return environment_error({what, std::to_string(bytes) + " bytes of memory", "a refusal by the system",
                            "a smaller model, context or number type"});
}

// Anonymous memory that begins at a huge page: only aligned huge-page-sized parts can become huge pages.
std::byte* map_huge(size_t bytes) {
  const auto reserved = checked_add(bytes, kHugePage);
  if (!reserved) return nullptr;
  void* raw = mmap(nullptr, *reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  auto* begin = static_cast<std::byte*>(raw);
  const size_t skip = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
  if (skip > 0) munmap(begin, skip);
  munmap(begin + skip + bytes, kHugePage - skip);
  madvise(begin + skip, bytes, MADV_HUGEPAGE);  // advice: works as well, only slower, when refused
  return begin + skip;
}

std::byte* take_from_heap(size_t bytes) {
  void* data = std::aligned_alloc(kBufferAlignment, bytes);
  if (data != nullptr) std::memset(data, 0, bytes);
  return static_cast<std::byte*>(data);
}

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

std::optional<uint64_t> leading_number(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return std::nullopt;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data() + first, text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

// The number after `name` at the start of a line: "MemAvailable:   123 kB", "inactive_file 4096".
std::optional<uint64_t> labelled_number(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const size_t length = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, length);
    if (line.starts_with(name)) return leading_number(line.substr(name.size()));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return std::nullopt;
}

std::string system_file(const std::string& path) {
  constexpr uint64_t kMostBytes = 1U << 20;
  auto text = read_file(path, kMostBytes);
  return text.ok() ? std::move(text).value() : std::string();
}

// The two generations of control groups say the same in other words.
struct GroupFiles {
  const char* limit;
  const char* usage;
  const char* inactive_file;
  const char* active_file;
};
constexpr GroupFiles kGroupV1 = {"/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file ",
                                 "total_active_file "};
constexpr GroupFiles kGroupV2 = {"/memory.max", "/memory.current", "inactive_file ", "active_file "};

// Lowers `offer` to what one group allows. The page cache in a group's usage is given back under pressure,
// so it counts as available.
void apply_group(const CgroupFolder& folder, MemoryOffer& offer) {
  const GroupFiles& files = folder.version == 1 ? kGroupV1 : kGroupV2;
  const auto limit = leading_number(system_file(folder.path + files.limit));
  if (!limit) return;  // "max"
  const uint64_t usage = leading_number(system_file(folder.path + files.usage)).value_or(0);
  const std::string stat = system_file(folder.path + "/memory.stat");
  const uint64_t cache = labelled_number(stat, files.inactive_file).value_or(0) +
                         labelled_number(stat, files.active_file).value_or(0);
  const uint64_t held = usage - std::min(usage, cache);
  offer.total = std::min(offer.total, *limit);
  offer.available = std::min(offer.available, *limit - std::min(*limit, held));
}

}  // namespace

Result<AlignedBuffer> AlignedBuffer::allocate(size_t bytes, const char* what) {
  const auto gate = g_allocation_gate.load(std::memory_order_relaxed);
  if (gate != nullptr && !gate()) return out_of_memory(what, bytes);
  const auto padded = checked_add(bytes, kOverreadBytes);
  const auto total =
      padded ? checked_round_up(*padded, *padded >= kHugePage ? 4096 : kBufferAlignment) : std::nullopt;
  if (!total) return out_of_memory(what, bytes);
  AlignedBuffer buffer;
  const bool map = *total >= kHugePage;
  buffer.data_ = map ? map_huge(*total) : take_from_heap(*total);
  if (buffer.data_ == nullptr) return out_of_memory(what, bytes);
  buffer.size_ = bytes;
  buffer.mapped_ = map ? *total : 0;
  return buffer;
}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  if (this != &other) {
    release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    mapped_ = std::exchange(other.mapped_, 0);
  }
  return *this;
}

void AlignedBuffer::release() noexcept {
  if (mapped_ > 0) {
    munmap(data_, mapped_);
  } else {
    std::free(data_);
  }
  data_ = nullptr;
  size_ = mapped_ = 0;
}

void set_allocation_gate(bool (*gate)()) { g_allocation_gate.store(gate, std::memory_order_relaxed); }

Status detail::run_catching(const char* what, Status (*call)(void*), void* body) {
  try {
    return call(body);
  } catch (const std::bad_alloc&) {
    try {
      return environment_error({what, "enough memory", "a refused allocation",
                                "a smaller model or context, or closing other programs"});
    } catch (const std::bad_alloc&) {
      return kNothingLeft;
    }
  }
}

MemoryOffer memory_offer(const std::string& root) {
  const std::string text = system_file(root + "/proc/meminfo");
  const auto total = labelled_number(text, "MemTotal:");
  const auto available = labelled_number(text, "MemAvailable:");
  MemoryOffer offer{available ? *available * 1024 : kNoLimit, total ? *total * 1024 : kNoLimit};
  for (const CgroupFolder& folder : cgroup_folders(root, "memory")) apply_group(folder, offer);
  if (offer.available == kNoLimit) offer.available = 0;
  if (offer.total == kNoLimit) offer.total = 0;
  return offer;
}

}  // namespace brisk
