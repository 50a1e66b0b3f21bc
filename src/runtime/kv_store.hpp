// Keys and values of all sequences: slabs of 32 tokens, one table per sequence that serves all layers. The
// slabs of all layers for the same tokens lie side by side, so that a short sequence touches one huge page
// instead of one per layer (zeroing those took 30 ms before a first token, 2026-11). A table entry counts
// slabs from the first layer's first one; layer n's stands n further on.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/memory.hpp"
#include "base/status.hpp"
#include "kernels/attention/attention.hpp"

namespace brisk::runtime {

using SequenceId = int32_t;

class KvStore {
 public:
  /// Room for `capacity` tokens in `layers` layers. Memory is reserved zeroed and touched as it is used.
  static Result<std::unique_ptr<KvStore>> create(int64_t layers, const kernels::KvGeometry& geometry,
                                                 int64_t capacity, int64_t longest_sequence);

  Result<SequenceId> create_sequence();
  void free_sequence(SequenceId id);
  int64_t length(SequenceId id) const { return sequences_[static_cast<size_t>(id)].length; }
  /// Makes room for `count` more tokens, or says how many are free. Does not change the length.
  Status reserve(SequenceId id, int64_t count);
  /// Adds `count` stored tokens to the length (after a step) ...
  void advance(SequenceId id, int64_t count) { sequences_[static_cast<size_t>(id)].length += count; }
  /// ... or forgets all after the first `length`.
  void truncate(SequenceId id, int64_t length);

  const int32_t* table(SequenceId id) const { return sequences_[static_cast<size_t>(id)].table.data(); }
  const kernels::KvGeometry& geometry() const { return geometry_; }
  /// Where the table entries of a layer count from.
  std::byte* layer(int64_t layer) { return buffer_.data() + layer * layer_bytes(); }
  /// Bytes from one layer's slab to the next layer's.
  int64_t layer_bytes() const { return geometry_.slab_bytes(); }
  int64_t free_tokens() const { return static_cast<int64_t>(free_.size()) * kernels::kSlabTokens; }
  uint64_t bytes() const { return buffer_.size(); }
  bool valid(SequenceId id) const;

  /// Bytes of a store; the largest number when they exceed 64 bits.
  static uint64_t bytes_needed(int64_t layers, const kernels::KvGeometry& geometry, int64_t capacity);

 private:
  struct Sequence {
    bool used = false;
    int64_t length = 0;
    std::vector<int32_t> table;  // entries; capacity reserved for the longest sequence at creation
  };
  kernels::KvGeometry geometry_{};
  int64_t layers_ = 0, longest_sequence_ = 0;
  AlignedBuffer buffer_;
  std::vector<int32_t> free_;  // entries
  std::vector<Sequence> sequences_;
};

}  // namespace brisk::runtime
