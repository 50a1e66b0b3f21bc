// The merges of a BPE vocabulary: for a pair of neighbouring tokens, how early it is merged and into what.
//
// The pairs are grouped by their left token and sorted by the right one, so a lookup is a binary search in
// one group: no hashing, hence no input that makes it slow.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace brisk::text {

/// "left right" of rank r, the r-th in the file, becomes `merged`.
struct Merge {
  int32_t left, right, merged;
};

class MergeTable {
 public:
  static constexpr uint32_t kNoRank = UINT32_MAX;
  /// What a pair becomes and how early; rank kNoRank: it does not merge.
  struct Merged {
    uint32_t rank;
    int32_t id;
  };

  MergeTable() = default;
  /// `merges` by rank; ids in [0, n_tokens). Of two merges of one pair the earlier counts.
  MergeTable(std::span<const Merge> merges, int64_t n_tokens);

  Merged find(int32_t left, int32_t right) const;

 private:
  struct Entry {
    int32_t right;
    Merged merged;
  };
  std::vector<uint32_t> group_begin_;  // [n_tokens + 1], into entries_
  std::vector<Entry> entries_;
};

}  // namespace brisk::text
