// The loop that all BPE models share: of all neighbours that can merge, the pair of the lowest rank does, the
// leftmost of equals, until none is left. n log n in the number of symbols.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "text/merge_table.hpp"
#include "text/models/word_model.hpp"

namespace brisk::text {

/// Ends the chain of a word's symbols.
inline constexpr uint32_t kNoSymbol = UINT32_MAX;

inline void append_symbol(int32_t id, std::vector<Symbol>& symbols) {
  const auto i = static_cast<uint32_t>(symbols.size());
  symbols.push_back({id, i == 0 ? kNoSymbol : i - 1, i + 1, MergeTable::kNoRank, -1});
}

/// Up to so many symbols, looking through all for the best pair is quicker than keeping a heap
/// (Intel with AVX-512, 2026-11).
inline constexpr size_t kFewSymbols = 24;

namespace detail {

/// The state of merging one word; `look_up(left)` as below.
template <typename LookUp>
class Merging {
 public:
  Merging(WordScratch& scratch, LookUp look_up)
      : symbols_(scratch.symbols), queue_(scratch.queue), look_up_(look_up) {
    symbols_.back().next = kNoSymbol;
    for (uint32_t i = 0; i + 1 < symbols_.size(); ++i) rank_with_next(i);
  }

  void run_by_looking() {
    for (;;) {
      uint32_t best = kNoSymbol, rank = MergeTable::kNoRank;
      for (uint32_t i = 0; i != kNoSymbol; i = symbols_[i].next) {
        if (symbols_[i].rank >= rank) continue;
        rank = symbols_[i].rank;
        best = i;
      }
      if (best == kNoSymbol) return;
      merge_with_next(best);
    }
  }

  void run_by_heap() {
    queue_.clear();
    for (uint32_t i = 0; i < symbols_.size(); ++i) {
      if (symbols_[i].rank != MergeTable::kNoRank) queue_.push_back(entry(i));
    }
    std::make_heap(queue_.begin(), queue_.end(), std::greater<>());
    while (!queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
      const uint64_t best = queue_.back();
      queue_.pop_back();
      const auto left = static_cast<uint32_t>(best);
      // Entries are not taken out when a neighbour merges; those have another rank now.
      if (symbols_[left].rank != best >> 32) continue;
      merge_with_next(left);
      push(left);
      push(symbols_[left].previous);
    }
  }

 private:
  uint64_t entry(uint32_t left) const { return uint64_t{symbols_[left].rank} << 32 | left; }

  void push(uint32_t left) {
    if (left == kNoSymbol || symbols_[left].rank == MergeTable::kNoRank) return;
    queue_.push_back(entry(left));
    std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
  }

  void rank_with_next(uint32_t left) {
    Symbol& symbol = symbols_[left];
    const bool last = symbol.next == kNoSymbol;
    const MergeTable::Merged merge = last ? MergeTable::Merged{MergeTable::kNoRank, -1} : look_up_(left);
    symbol.rank = merge.rank;
    symbol.merged = merge.id;
  }

  void merge_with_next(uint32_t left) {
    Symbol& symbol = symbols_[left];
    Symbol& gone = symbols_[symbol.next];
    symbol.id = symbol.merged;
    symbol.next = gone.next;
    gone.rank = MergeTable::kNoRank;
    if (symbol.next != kNoSymbol) symbols_[symbol.next].previous = left;
    rank_with_next(left);
    if (symbol.previous != kNoSymbol) rank_with_next(symbol.previous);
  }

  std::vector<Symbol>& symbols_;
  std::vector<uint64_t>& queue_;
  LookUp look_up_;
};

}  // namespace detail

/// Merges scratch.symbols, which append_symbol() made. `look_up(left)` answers with the MergeTable::Merged of
/// symbol number `left` and the one behind it.
template <typename LookUp>
void merge_symbols(WordScratch& scratch, LookUp look_up) {
  if (scratch.symbols.empty()) return;
  const bool few = scratch.symbols.size() <= kFewSymbols;
  detail::Merging<LookUp> merging(scratch, look_up);
  few ? merging.run_by_looking() : merging.run_by_heap();
}

}  // namespace brisk::text
