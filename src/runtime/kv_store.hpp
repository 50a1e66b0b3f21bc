// Keys and values of all sequences: slabs of 32 tokens, one table of slabs per sequence that serves all
// layers (slab i means the i-th slab of every layer).
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
  std::byte* layer(int64_t layer) { return buffer_.data() + layer * layer_bytes_; }
  int64_t layer_bytes() const { return layer_bytes_; }
  int64_t free_tokens() const { return static_cast<int64_t>(free_.size()) * kernels::kSlabTokens; }
  uint64_t bytes() const { return buffer_.size(); }
  bool valid(SequenceId id) const;

  static uint64_t bytes_needed(int64_t layers, const kernels::KvGeometry& geometry, int64_t capacity);

 private:
  struct Sequence {
    bool used = false;
    int64_t length = 0;
    std::vector<int32_t> table;  // slabs; capacity reserved for the longest sequence at creation
  };
  kernels::KvGeometry geometry_{};
  int64_t layers_ = 0, layer_bytes_ = 0, longest_sequence_ = 0;
  AlignedBuffer buffer_;
  std::vector<int32_t> free_;
  std::vector<Sequence> sequences_;
};

}  // namespace brisk::runtime
