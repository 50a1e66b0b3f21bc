#include "text/token_index.hpp"

#include <algorithm>
#include <bit>
#include <chrono>

#include "text/text_hash.hpp"

namespace brisk::text {

namespace {

uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace

TokenIndex::TokenIndex(std::span<const std::string_view> tokens)
    : tokens_(tokens), slots_(std::bit_ceil(std::max<size_t>(16, 2 * tokens.size()))) {
  const auto address = reinterpret_cast<uintptr_t>(slots_.data());
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  key_ = detail::mix(address ^ detail::kMixA, static_cast<uint64_t>(now) ^ detail::kMixB);
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
  const uint64_t hash = text_hash(text, key_);
  Slot& slot = slots_[slot_of(text, hash)];
  if (slot.id < 0) slot = {tag_of(hash), id};
  return slot.id;
}

int32_t TokenIndex::find(std::string_view text) const {
  if (slots_.empty()) return -1;
  return slots_[slot_of(text, text_hash(text, key_))].id;
}

}  // namespace brisk::text
