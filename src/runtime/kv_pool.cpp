#include "runtime/kv_pool.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/checked.hpp"

namespace brisk::runtime {

namespace {

constexpr uint64_t kStateAlignment = 64;

uint64_t state_stride(const KvGroup& group) {
  return static_cast<uint64_t>(round_up(group.state_bytes, kStateAlignment));
}

int64_t entry_count(const KvGroup& group, int64_t tokens) {
  if (group.kind == KvKind::kRecurrent) return group.states;
  return tokens / kernels::kPageTokens +
         (tokens % kernels::kPageTokens > 0 ? 1 : 0);  // any number, unlike div_up
}

uint64_t layer_bytes(const KvGroup& group) {
  return group.kind == KvKind::kRecurrent ? state_stride(group)
                                          : static_cast<uint64_t>(group.geometry.slab_bytes());
}

}  // namespace

std::optional<uint64_t> KvPool::bytes_needed(const KvGroup& group, int64_t tokens) {
  const auto slabs =
      checked_mul<uint64_t>(group.layers.size(), static_cast<uint64_t>(entry_count(group, tokens)));
  return slabs ? checked_mul<uint64_t>(*slabs, layer_bytes(group)) : std::nullopt;
}

Result<std::unique_ptr<KvPool>> KvPool::create(KvGroup group, int64_t tokens) {
  std::unique_ptr<KvPool> pool(new KvPool());
  const bool recurrent = group.kind == KvKind::kRecurrent;
  const auto layers = static_cast<int64_t>(group.layers.size());
  const int64_t entries = entry_count(group, tokens);
  pool->entry_pages_ = recurrent ? 1 : layers * group.geometry.kv_heads;
  const auto pages = checked_mul(entries, pool->entry_pages_);
  const auto bytes = bytes_needed(group, tokens);
  if (!pages || !bytes || *pages > std::numeric_limits<int32_t>::max()) {
    return usage_error({"keys and values, group " + group.name, "fewer than 2^31 pages",
                        std::to_string(entries) + " times " + std::to_string(pool->entry_pages_),
                        "a smaller context (-c)"});
  }
  pool->state_stride_ = recurrent ? state_stride(group) : 0;
  pool->entry_bytes_ = static_cast<uint64_t>(layers) * layer_bytes(group);
  pool->page_bytes_ = recurrent ? pool->entry_bytes_ : static_cast<uint64_t>(group.geometry.page_bytes());
  BRISK_ASSIGN(pool->buffer_, AlignedBuffer::allocate(*bytes, "keys and values"));

  const auto count = static_cast<size_t>(entries);
  pool->free_.reserve(count);
  for (int64_t entry = entries - 1; entry >= 0; --entry) pool->free_.push_back(static_cast<int32_t>(entry));
  pool->holders_.resize(count);
  if (group.kind == KvKind::kFull) {
    pool->page_holders_.resize(static_cast<size_t>(*pages));
    pool->used_pages_.resize(count);
    pool->loose_.reserve(count);
    pool->loose_at_.assign(count, kNowhere);
  }
  pool->group_ = std::move(group);
  return pool;
}

std::byte* KvPool::state(int32_t entry, int64_t slot) {
  return base() + static_cast<uint64_t>(entry) * entry_bytes_ + static_cast<uint64_t>(slot) * state_stride_;
}

uint64_t KvPool::bytes_in_use() const {
  const auto used = static_cast<uint64_t>(holders_.size() - free_.size()) * entry_bytes_;
  return used - static_cast<uint64_t>(loose_pages_) * page_bytes_;
}

std::span<int32_t> KvPool::holders_of_pages(size_t entry) {
  const auto count = static_cast<size_t>(entry_pages_);
  return std::span(page_holders_).subspan(entry * count, count);
}

std::span<const int32_t> KvPool::holders_of_pages(size_t entry) const {
  const auto count = static_cast<size_t>(entry_pages_);
  return std::span(page_holders_).subspan(entry * count, count);
}

int32_t KvPool::take_entry() {
  BRISK_ASSERT(!free_.empty(), "there is a free entry");
  const int32_t entry = free_.back();
  free_.pop_back();
  holders_[static_cast<size_t>(entry)] = 1;
  return static_cast<int32_t>(entry * entry_pages_);
}

void KvPool::hold_entry(int32_t entry) {
  const size_t at = entry_of(entry);
  if (holders_[at] != kCarved) {
    ++holders_[at];
    return;
  }
  for (int32_t& holders : holders_of_pages(at)) ++holders;
}

void KvPool::release_entry(int32_t entry) {
  const size_t at = entry_of(entry);
  if (holders_[at] == kCarved) {
    for (int64_t i = 0; i < entry_pages_; ++i) release_page(entry + static_cast<int32_t>(i));
    return;
  }
  BRISK_DCHECK(holders_[at] > 0, "an entry that is released is held");
  if (--holders_[at] > 0) return;
  std::memset(base() + at * entry_bytes_, 0, entry_bytes_);
  free_entry(at);
}

bool KvPool::entry_shared(int32_t entry) const {
  const size_t at = entry_of(entry);
  if (holders_[at] != kCarved) return holders_[at] > 1;
  return std::ranges::any_of(holders_of_pages(at), [](int32_t holders) { return holders > 1; });
}

void KvPool::copy_entry(int32_t from, int32_t to) {
  std::memcpy(base() + entry_of(to) * entry_bytes_, base() + entry_of(from) * entry_bytes_, entry_bytes_);
}

void KvPool::carve(int32_t entry) {
  const size_t at = entry_of(entry);
  if (holders_[at] == kCarved) return;
  std::ranges::fill(holders_of_pages(at), holders_[at]);
  used_pages_[at] = static_cast<int32_t>(entry_pages_);
  holders_[at] = kCarved;
}

size_t KvPool::carve_free_entry() {
  BRISK_ASSERT(!free_.empty(), "there is a free page");
  const auto entry = static_cast<size_t>(free_.back());
  free_.pop_back();
  holders_[entry] = kCarved;
  used_pages_[entry] = 0;
  loose_pages_ += entry_pages_;
  list_loose(entry);
  return entry;
}

int32_t KvPool::take_page() {
  const size_t entry = loose_.empty() ? carve_free_entry() : static_cast<size_t>(loose_.back());
  const std::span<int32_t> holders = holders_of_pages(entry);
  const auto found = std::ranges::find(holders, 0);
  BRISK_DCHECK(found != holders.end(), "a loose entry has a free page");
  *found = 1;
  --loose_pages_;
  if (++used_pages_[entry] == entry_pages_) unlist_loose(entry);
  return static_cast<int32_t>(static_cast<int64_t>(entry) * entry_pages_ + (found - holders.begin()));
}

void KvPool::release_page(int32_t page) {
  BRISK_DCHECK(page_holders_[static_cast<size_t>(page)] > 0, "a page that is released is held");
  if (--page_holders_[static_cast<size_t>(page)] > 0) return;
  std::memset(base() + static_cast<uint64_t>(page) * page_bytes_, 0, page_bytes_);
  const size_t entry = entry_of(page);
  if (used_pages_[entry] == entry_pages_) list_loose(entry);
  ++loose_pages_;
  if (--used_pages_[entry] > 0) return;
  unlist_loose(entry);
  loose_pages_ -= entry_pages_;
  holders_[entry] = 0;
  free_entry(entry);
}

bool KvPool::page_shared(int32_t page) const {
  const int32_t whole = holders_[entry_of(page)];
  return (whole == kCarved ? page_holders_[static_cast<size_t>(page)] : whole) > 1;
}

void KvPool::copy_page(int32_t from, int32_t to) {
  std::memcpy(base() + static_cast<uint64_t>(to) * page_bytes_,
              base() + static_cast<uint64_t>(from) * page_bytes_, page_bytes_);
}

void KvPool::list_loose(size_t entry) {
  loose_at_[entry] = static_cast<int32_t>(loose_.size());
  loose_.push_back(static_cast<int32_t>(entry));
}

void KvPool::unlist_loose(size_t entry) {
  const int32_t last = loose_.back();
  const int32_t at = loose_at_[entry];
  loose_[static_cast<size_t>(at)] = last;
  loose_at_[static_cast<size_t>(last)] = at;
  loose_at_[entry] = kNowhere;
  loose_.pop_back();
}

}  // namespace brisk::runtime
