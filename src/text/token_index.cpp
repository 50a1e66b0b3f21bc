#include "text/token_index.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>

namespace brisk::text {

namespace {

// Odd, with no pattern: the fractional parts of the golden ratio and of the square root of 3.
constexpr uint64_t kMixA = 0x9E3779B97F4A7C15;
constexpr uint64_t kMixB = 0xBB67AE8584CAA73B;

// Both halves of the 128-bit product: depends on every bit of either factor.
uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t load(const char* bytes, size_t n) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, n);
  return value;
}

uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace

TokenIndex::TokenIndex(std::span<const std::string_view> tokens)
    : tokens_(tokens), slots_(std::bit_ceil(std::max<size_t>(16, 2 * tokens.size()))) {
  const auto address = reinterpret_cast<uintptr_t>(slots_.data());
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  key_ = mix(address ^ kMixA, static_cast<uint64_t>(now) ^ kMixB);
}

uint64_t TokenIndex::hash(std::string_view text) const {
  uint64_t state = mix(key_ ^ kMixA, text.size() ^ kMixB);
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) state = mix(state ^ load(text.data() + at, 8), key_ ^ kMixB);
  if (at < text.size()) state = mix(state ^ load(text.data() + at, text.size() - at), key_ ^ kMixB);
  return mix(state ^ kMixA, kMixB);
}

size_t TokenIndex::slot_of(std::string_view text, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t at = static_cast<size_t>(hash) & mask;
  for (;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.id < 0) return at;
    if (slot.tag == tag_of(hash) && tokens_[static_cast<size_t>(slot.id)] == text) return at;
  }
}

int32_t TokenIndex::insert(int32_t id) {
  const std::string_view text = tokens_[static_cast<size_t>(id)];
  const uint64_t h = hash(text);
  Slot& slot = slots_[slot_of(text, h)];
  if (slot.id < 0) slot = {tag_of(h), id};
  return slot.id;
}

int32_t TokenIndex::find(std::string_view text) const {
  if (slots_.empty()) return -1;
  return slots_[slot_of(text, hash(text))].id;
}

}  // namespace brisk::text
