#include "text/merge_table.hpp"

#include <algorithm>

namespace brisk::text {

MergeTable::MergeTable(std::span<const Merge> merges, int64_t n_tokens)
    : group_begin_(static_cast<size_t>(n_tokens) + 1), entries_(merges.size()) {
  for (const Merge& merge : merges) ++group_begin_[static_cast<size_t>(merge.left) + 1];
  for (size_t i = 1; i < group_begin_.size(); ++i) group_begin_[i] += group_begin_[i - 1];

  std::vector<uint32_t> next(group_begin_.begin(), group_begin_.end() - 1);
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const Merge& merge = merges[rank];
    entries_[next[static_cast<size_t>(merge.left)]++] = {merge.right,
                                                         {static_cast<uint32_t>(rank), merge.merged}};
  }
  const auto by_right_then_rank = [](const Entry& a, const Entry& b) {
    return a.right != b.right ? a.right < b.right : a.merged.rank < b.merged.rank;
  };
  for (size_t i = 1; i < group_begin_.size(); ++i) {
    std::sort(entries_.begin() + group_begin_[i - 1], entries_.begin() + group_begin_[i], by_right_then_rank);
  }
}

MergeTable::Merged MergeTable::find(int32_t left, int32_t right) const {
  const auto group = static_cast<size_t>(left);
  const auto begin = entries_.begin() + group_begin_[group];
  const auto end = entries_.begin() + group_begin_[group + 1];
  const auto found =
      std::lower_bound(begin, end, right, [](const Entry& e, int32_t r) { return e.right < r; });
  return found != end && found->right == right ? found->merged : Merged{kNoRank, -1};
}

}  // namespace brisk::text
