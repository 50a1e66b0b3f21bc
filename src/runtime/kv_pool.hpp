// The memory of one group of layers, and who counts on which part of it.
//
//   entry   the slabs of all layers of the group for 32 tokens, [layers][kv_heads] pages; for recurrent
//   groups
//           the state of all layers of one sequence
//   page    32 entries of one layer and head; only carved entries count their pages one by one
//
// An entry is free, whole (held by a number of sequences) or carved: once a policy evicts, its pages go their
// own ways, and each has its own count. A carved entry whose pages are all free is whole and free again.
// Memory given back is zeroed, so that what was never stored reads as zeros, whoever gets it next.
//
// An entry is named by the number of its first page, which is what the tables of sequences hold.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/memory.hpp"
#include "base/status.hpp"
#include "runtime/kv_store.hpp"

namespace brisk::runtime {

class KvPool {
 public:
  /// Room for `tokens` tokens (recurrent groups: for group.states states), zeroed and touched as it is used.
  static Result<std::unique_ptr<KvPool>> create(KvGroup group, int64_t tokens);
  /// Bytes of such a pool, or nothing when they exceed 64 bits.
  static std::optional<uint64_t> bytes_needed(const KvGroup& group, int64_t tokens);

  const KvGroup& group() const { return group_; }
  int64_t layers() const { return static_cast<int64_t>(group_.layers.size()); }
  int64_t heads() const { return group_.geometry.kv_heads; }
  /// Pages of an entry: layers * kv_heads; 1 for recurrent groups.
  int64_t entry_pages() const { return entry_pages_; }
  std::byte* base() { return buffer_.data(); }
  /// State of the slot-th layer in an entry of a recurrent group.
  std::byte* state(int32_t entry, int64_t slot);

  uint64_t bytes() const { return buffer_.size(); }
  uint64_t bytes_in_use() const;
  int64_t free_entries() const { return static_cast<int64_t>(free_.size()); }
  /// Pages that take_page() can give: those of free entries included.
  int64_t free_pages() const { return free_entries() * entry_pages_ + loose_pages_; }

  /// A zeroed entry, held once. There must be a free one.
  int32_t take_entry();
  void hold_entry(int32_t entry);
  void release_entry(int32_t entry);
  /// Whether somebody else holds the entry, or one of its pages.
  bool entry_shared(int32_t entry) const;
  /// Copies all bytes of an entry.
  void copy_entry(int32_t from, int32_t to);

  /// From now on the entry's pages are counted one by one: each by those who held the entry.
  void carve(int32_t entry);
  /// A zeroed page, held once. There must be a free one.
  int32_t take_page();
  void hold_page(int32_t page) { ++page_holders_[static_cast<size_t>(page)]; }
  void release_page(int32_t page);
  /// Whether somebody else holds the page; of a whole entry, whether somebody else holds that.
  bool page_shared(int32_t page) const;
  void copy_page(int32_t from, int32_t to);

 private:
  static constexpr int32_t kCarved = -1;  // in holders_: look at page_holders_
  static constexpr int32_t kNowhere = -1;

  KvPool() = default;
  size_t entry_of(int32_t page) const { return static_cast<size_t>(page / entry_pages_); }
  std::span<int32_t> holders_of_pages(size_t entry);
  std::span<const int32_t> holders_of_pages(size_t entry) const;
  void free_entry(size_t entry) { free_.push_back(static_cast<int32_t>(entry)); }
  size_t carve_free_entry();
  void list_loose(size_t entry);
  void unlist_loose(size_t entry);

  KvGroup group_;
  int64_t entry_pages_ = 0;
  uint64_t entry_bytes_ = 0, page_bytes_ = 0, state_stride_ = 0;
  AlignedBuffer buffer_;
  std::vector<int32_t> free_;     // entries
  std::vector<int32_t> holders_;  // [entries]: sequences that hold it whole, or kCarved
  // Of carved entries only; room for them is made at creation, so that no step allocates.
  std::vector<int32_t> page_holders_;  // [entries * entry_pages]
  std::vector<int32_t> used_pages_;    // [entries]
  std::vector<int32_t> loose_;         // carved entries that have free pages
  std::vector<int32_t> loose_at_;      // [entries]: where in loose_, or kNowhere
  int64_t loose_pages_ = 0;            // free pages of carved entries
};

}  // namespace brisk::runtime
