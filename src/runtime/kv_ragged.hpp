// What one sequence holds of a group of which a policy evicted something: a list of pages for each layer and
// head, and the true positions of what was kept.
//
// An eviction keeps some entries of a head, in order, and closes the gaps; what is stored afterwards follows
// behind. So a head is its kept entries, then all positions from `kept_until` on, and the entry of a new
// position is that position plus one number, the shift that kernels are given. Layers of the group from which
// nothing was evicted are kept in the same form, with shift 0.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/kv_pool.hpp"

namespace brisk::runtime {

class KvRagged {
 public:
  /// Nothing held; room in the tables for the longest sequence, so that only evictions allocate.
  KvRagged(KvPool& pool, int64_t longest_sequence);

  /// Lists the pages of a uniform table's entries, held already; who goes on to change them carves them
  /// first.
  void adopt(std::span<const int32_t> entries);
  /// Takes pages for a sequence of `length` tokens of which layer `slot` keeps kept[slot][head], where that
  /// is not empty. The room must be there: pages_for().
  void fill(int64_t length, std::span<const std::vector<std::vector<int32_t>>> kept);
  static int64_t pages_for(const KvPool& pool, int64_t length,
                           std::span<const std::vector<std::vector<int32_t>>> kept);
  /// A plain copy: it counts as a holder of the pages only after hold().
  KvRagged(const KvRagged& other);
  KvRagged& operator=(const KvRagged&) = delete;
  /// Holds, beside the original, what that holds up to `length`.
  void hold(int64_t length);
  /// Gives everything back.
  void release();

  /// Pages to be taken for `count` more tokens.
  int64_t missing_pages(int64_t length, int64_t count) const;
  void reserve(int64_t length, int64_t count);
  void truncate(int64_t length);
  bool reserved_beyond(int64_t length) const;

  /// Pages that evict() will take before it gives others back.
  int64_t pages_to_evict(int64_t slot, std::span<const std::vector<int32_t>> keep) const;
  /// Keeps the entries `keep` [kv_heads] of a layer; `positions` are theirs. Allocates nothing: both lists
  /// are taken over.
  void evict(int64_t slot, int64_t length, std::span<const std::vector<int32_t>> keep,
             std::vector<std::vector<int32_t>> positions);

  bool evicted(int64_t slot) const { return evicted_[static_cast<size_t>(slot)] != 0; }
  int64_t entries(int64_t slot, int64_t head, int64_t length) const;
  int32_t position(int64_t slot, int64_t head, int64_t entry) const;

  const int32_t* const* head_pages(int64_t slot) const { return tables_.data() + first_head(slot); }
  const int32_t* head_shifts(int64_t slot) const { return shifts_.data() + first_head(slot); }

 private:
  struct Head {
    int64_t pages = 0;          // held
    std::vector<int32_t> kept;  // positions of the first entries, ascending
    int64_t kept_until = 0;     // further entries hold the positions from here on
  };

  size_t first_head(int64_t slot) const { return static_cast<size_t>(slot * pool_->heads()); }
  int32_t* table(size_t head) { return pages_.data() + head * stride_; }
  const int32_t* table(size_t head) const { return pages_.data() + head * stride_; }
  void point_tables();
  void take_pages(size_t head, int64_t entries);
  void cut_pages(size_t head, int64_t entries);
  void compact(size_t head, std::span<const int32_t> keep);

  KvPool* pool_;
  size_t stride_;                // of pages_: pages of the longest sequence
  std::vector<int32_t> pages_;   // [layers * kv_heads, stride]
  std::vector<Head> heads_;      // [layers * kv_heads]
  std::vector<int32_t> shifts_;  // [layers * kv_heads]: entries - length
  std::vector<const int32_t*> tables_;
  std::vector<uint8_t> evicted_;  // [layers]
};

}  // namespace brisk::runtime
