#include "runtime/kv_share.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace brisk::runtime {

using kernels::kPageTokens;

namespace {

// Whether the next token falls into an entry that is stored in part: only there can a write meet others.
bool begins_inside(const KvGroup& group, int64_t length) {
  return group.kind == KvKind::kRecurrent ? length > 0 : length % kPageTokens != 0;
}

}  // namespace

KvShare::KvShare(KvPool& pool, int64_t longest_sequence) : pool_(&pool), longest_(longest_sequence) {
  table_.reserve(static_cast<size_t>(entries_for(longest_sequence)));
}

KvShare::KvShare(const KvShare& other) : KvShare(*other.pool_, other.longest_) {
  table_.insert(table_.end(), other.table_.begin(), other.table_.end());
  dropped_ = other.dropped_;
  if (other.ragged_ != nullptr) ragged_ = std::make_unique<KvRagged>(*other.ragged_);
}

void KvShare::hold(int64_t length) {
  if (ragged_ != nullptr) return ragged_->hold(length);
  // Room reserved beyond the length is not shared: it is about to be written.
  table_.resize(std::min(table_.size(), static_cast<size_t>(entries_for(length))));
  for (size_t i = static_cast<size_t>(dropped_); i < table_.size(); ++i) pool_->hold_entry(table_[i]);
}

void KvShare::release() {
  if (ragged_ != nullptr) return ragged_->release();
  for (size_t i = static_cast<size_t>(dropped_); i < table_.size(); ++i) pool_->release_entry(table_[i]);
  table_.clear();
  dropped_ = 0;
}

int64_t KvShare::entries_for(int64_t length) const {
  return recurrent() ? std::min<int64_t>(length, 1) : div_up(length, kPageTokens);
}

int64_t KvShare::shortest(int64_t length) const {
  if (recurrent()) return length;
  return dropped_ == 0 ? 0 : dropped_ * kPageTokens + pool_->group().window - 1;
}

int64_t KvShare::missing_entries(int64_t length, int64_t count) const {
  int64_t missing = std::max<int64_t>(0, entries_for(length + count) - static_cast<int64_t>(table_.size()));
  if (begins_inside(pool_->group(), length)) {
    const auto last = static_cast<size_t>(entries_for(length) - 1);
    missing += pool_->entry_shared(table_[last]) ? 1 : 0;
  }
  const auto stored = static_cast<int64_t>(table_.size());
  for (int64_t i = dropped_; i < std::min(pool_->group().pages_behind(length), stored); ++i)
    missing -= pool_->entry_shared(table_[static_cast<size_t>(i)]) ? 0 : 1;
  return missing;
}

bool KvShare::fits(int64_t length, int64_t count) const {
  if (ragged_ != nullptr) return ragged_->missing_pages(length, count) <= pool_->free_pages();
  return missing_entries(length, count) <= pool_->free_entries();
}

Status KvShare::no_room(int64_t count) const {
  const KvGroup& group = pool_->group();
  if (recurrent()) {
    return environment_error({"state, group " + group.name, "room for one more state",
                              "all " + std::to_string(group.states) + " in use", "fewer sequences"});
  }
  return environment_error({"keys and values", "room for " + std::to_string(count) + " more tokens",
                            std::to_string(pool_->free_entries() * kPageTokens) + " free",
                            "fewer or shorter sequences"});
}

void KvShare::reserve(int64_t length, int64_t count) {
  if (ragged_ != nullptr) return ragged_->reserve(length, count);
  drop_behind(length);
  if (begins_inside(pool_->group(), length)) own_entry(static_cast<size_t>(entries_for(length) - 1));
  while (static_cast<int64_t>(table_.size()) < entries_for(length + count))
    table_.push_back(pool_->take_entry());
  park_dropped();
}

void KvShare::own_entry(size_t at) {
  if (!pool_->entry_shared(table_[at])) return;
  const int32_t own = pool_->take_entry();
  pool_->copy_entry(table_[at], own);
  pool_->release_entry(table_[at]);
  table_[at] = own;
}

void KvShare::drop_behind(int64_t length) {
  const int64_t behind = std::min(pool_->group().pages_behind(length), static_cast<int64_t>(table_.size()));
  for (; dropped_ < behind; ++dropped_) pool_->release_entry(table_[static_cast<size_t>(dropped_)]);
}

// Kernels may begin to read at a block's start, before the window: there the first entry still held is shown
// again, so that they meet numbers of this sequence only.
void KvShare::park_dropped() {
  const auto dropped = static_cast<size_t>(dropped_);
  if (dropped == 0 || dropped == table_.size() || table_[0] == table_[dropped]) return;
  std::fill_n(table_.begin(), dropped, table_[dropped]);
}

void KvShare::truncate(int64_t length) {
  if (ragged_ != nullptr) return ragged_->truncate(length);
  if (length == 0)
    return release();  // whatever was given back behind a window: nothing is looked at any more
  while (static_cast<int64_t>(table_.size()) > std::max(entries_for(length), dropped_)) {
    pool_->release_entry(table_.back());
    table_.pop_back();
  }
}

Status KvShare::fill(int64_t length, std::span<const std::vector<std::vector<int32_t>>> kept) {
  const bool ragged = std::ranges::any_of(kept, [](const auto& layer) { return !layer.empty(); });
  if (ragged) {
    auto made = std::make_unique<KvRagged>(*pool_, longest_);
    if (KvRagged::pages_for(*pool_, length, kept) > pool_->free_pages()) return no_room(length);
    made->fill(length, kept);
    ragged_ = std::move(made);
    return {};
  }
  const int64_t behind = pool_->group().pages_behind(length);
  if (entries_for(length) - behind > pool_->free_entries()) return no_room(length);
  dropped_ = behind;
  table_.resize(static_cast<size_t>(behind));
  while (static_cast<int64_t>(table_.size()) < entries_for(length)) table_.push_back(pool_->take_entry());
  park_dropped();
  return {};
}

bool KvShare::reserved_beyond(int64_t length) const {
  return ragged_ != nullptr ? ragged_->reserved_beyond(length)
                            : static_cast<int64_t>(table_.size()) > entries_for(length);
}

Status KvShare::check_keep(int64_t slot, int64_t length, std::span<const std::vector<int32_t>> keep) const {
  const KvGroup& group = pool_->group();
  const std::string where = "evict, layer " + std::to_string(group.layers[static_cast<size_t>(slot)]);
  if (group.kind != KvKind::kFull)
    return usage_error({where, "a layer that keeps every token", "one of group " + group.name});
  if (static_cast<int64_t>(keep.size()) != pool_->heads()) {
    return usage_error({where, "a list for each of " + std::to_string(pool_->heads()) + " heads",
                        std::to_string(keep.size()) + " lists"});
  }
  if (reserved_beyond(length))
    return usage_error({where, "nothing reserved beyond the length", "reserved room", "truncate(), first"});
  for (size_t head = 0; head < keep.size(); ++head) {
    int64_t last = -1;
    const int64_t count = entries(slot, static_cast<int64_t>(head), length);
    for (const int32_t entry : keep[head]) {
      if (entry <= last || entry >= count) {
        return usage_error({where + ", head " + std::to_string(head),
                            "ascending entries below " + std::to_string(count), std::to_string(entry)});
      }
      last = entry;
    }
  }
  return {};
}

Status KvShare::evict(int64_t slot, int64_t length, std::span<const std::vector<int32_t>> keep) {
  BRISK_TRY(check_keep(slot, length, keep));
  // All that can fail comes first: lists, and the question whether there is room.
  std::vector<std::vector<int32_t>> positions(keep.size());
  for (size_t head = 0; head < keep.size(); ++head) {
    positions[head].reserve(keep[head].size());
    for (const int32_t entry : keep[head])
      positions[head].push_back(position(slot, static_cast<int64_t>(head), entry));
  }
  std::unique_ptr<KvRagged> made;
  if (ragged_ == nullptr) {
    made = std::make_unique<KvRagged>(*pool_, longest_);
    made->adopt(table_);
  }
  const int64_t pages = (made ? made : ragged_)->pages_to_evict(slot, keep);
  if (pages > pool_->free_pages()) {
    return environment_error(
        {"evict, layer " + std::to_string(pool_->group().layers[static_cast<size_t>(slot)]),
         std::to_string(pages) + " free pages for its own copies", std::to_string(pool_->free_pages()),
         "fewer or shorter sequences"});
  }
  if (made != nullptr) go_ragged(std::move(made));
  ragged_->evict(slot, length, keep, std::move(positions));
  return {};
}

void KvShare::go_ragged(std::unique_ptr<KvRagged> made) {
  for (const int32_t entry : table_) pool_->carve(entry);
  table_.clear();
  ragged_ = std::move(made);
}

int64_t KvShare::entries(int64_t slot, int64_t head, int64_t length) const {
  if (recurrent()) return 0;
  return ragged_ != nullptr ? ragged_->entries(slot, head, length) : length;
}

int32_t KvShare::position(int64_t slot, int64_t head, int64_t entry) const {
  return ragged_ != nullptr ? ragged_->position(slot, head, entry) : static_cast<int32_t>(entry);
}

kernels::KvLayer KvShare::layer(int64_t slot) const {
  const kernels::KvGeometry& geometry = pool_->group().geometry;
  if (recurrent()) return {};
  if (ragged_ != nullptr)
    return {&geometry, pool_->base(), nullptr, ragged_->head_pages(slot), ragged_->head_shifts(slot)};
  return {&geometry, pool_->base() + slot * geometry.slab_bytes(), table_.data(), nullptr, nullptr};
}

std::byte* KvShare::state(int64_t slot) const {
  return table_.empty() ? nullptr : pool_->state(table_.front(), slot);
}

}  // namespace brisk::runtime
