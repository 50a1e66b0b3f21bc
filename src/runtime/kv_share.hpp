// What one sequence holds of one group of layers: a table of whole entries, page lists once a policy evicted
// something (KvRagged), or one block of recurrent state.
//
// Functions that take memory have a question beside them (fits()), so that the store can ask all groups
// before it changes any: a failed call leaves everything as it was.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/kv_pool.hpp"
#include "runtime/kv_ragged.hpp"

namespace brisk::runtime {

class KvShare {
 public:
  /// Nothing held. The pool must outlive the share.
  KvShare(KvPool& pool, int64_t longest_sequence);
  /// A plain copy: it counts as a holder only after hold().
  KvShare(const KvShare& other);
  KvShare(KvShare&&) noexcept = default;
  KvShare& operator=(const KvShare&) = delete;
  /// Holds, beside the original, what that holds up to `length`.
  void hold(int64_t length);
  /// Gives everything back.
  void release();

  KvPool& pool() const { return *pool_; }

  /// Whether there is room for `count` tokens after `length`.
  bool fits(int64_t length, int64_t count) const;
  /// The error to return where it does not.
  Status no_room(int64_t count) const;
  /// Takes that room, with own copies of shared entries that it begins in; gives back what lies behind a
  /// window.
  void reserve(int64_t length, int64_t count);
  /// Gives back what lies beyond `length`.
  void truncate(int64_t length);
  int64_t shortest(int64_t length) const;

  /// Room for the `length` tokens of a new sequence of which layer `slot` keeps kept[slot][head]; empty lists
  /// of heads: all of them.
  Status fill(int64_t length, std::span<const std::vector<std::vector<int32_t>>> kept);

  /// See KvStore::evict; `slot` is the layer's place in the group.
  Status evict(int64_t slot, int64_t length, std::span<const std::vector<int32_t>> keep);
  bool ragged(int64_t slot) const { return ragged_ != nullptr && ragged_->evicted(slot); }
  int64_t entries(int64_t slot, int64_t head, int64_t length) const;
  int32_t position(int64_t slot, int64_t head, int64_t entry) const;

  /// What kernels are given for the layer.
  kernels::KvLayer layer(int64_t slot) const;
  std::byte* state(int64_t slot) const;

 private:
  bool recurrent() const { return pool_->group().kind == KvKind::kRecurrent; }
  int64_t entries_for(int64_t length) const;
  int64_t missing_entries(int64_t length, int64_t count) const;
  void own_entry(size_t at);
  void drop_behind(int64_t length);
  void park_dropped();
  Status check_keep(int64_t slot, int64_t length, std::span<const std::vector<int32_t>> keep) const;
  bool reserved_beyond(int64_t length) const;
  void go_ragged(std::unique_ptr<KvRagged> made);

  KvPool* pool_;
  int64_t longest_;
  std::vector<int32_t> table_;  // entries; capacity for the longest sequence, so that kernels' pointers stay
  int64_t dropped_ = 0;         // entries at its front that were given back, behind the window
  std::unique_ptr<KvRagged> ragged_;  // instead of the table
};

}  // namespace brisk::runtime
