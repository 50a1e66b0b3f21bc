// BPE by scores, as SentencePiece does it: the characters of a word are merged pair by pair wherever both
// together spell a token; the token of the highest score first, the leftmost of equals. Characters that end
// up as no token become <0xNN> tokens, else the unknown token.
#include <algorithm>
#include <functional>

#include "base/utf8.hpp"
#include "text/models/fallback.hpp"
#include "text/models/merging.hpp"
#include "text/models/word_model.hpp"

namespace brisk::text {

namespace {

class ScoredBpe final : public WordModel {
 public:
  ScoredBpe(const TokenizerSpec& spec, const TokenTable& table)
      : table_(table), fallback_(spec, table), ranks_(spec.scores.size()) {
    // Equal scores share a rank: then the place in the word decides.
    std::vector<double> scores = spec.scores;
    std::sort(scores.begin(), scores.end(), std::greater<>());
    scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
    for (size_t id = 0; id < ranks_.size(); ++id) {
      const auto at = std::lower_bound(scores.begin(), scores.end(), spec.scores[id], std::greater<>());
      ranks_[id] = static_cast<uint32_t>(at - scores.begin());
    }
    for (int32_t id = 0; id < table.size(); ++id) longest_ = std::max(longest_, table.text(id).size());
  }

  void encode(std::string_view word, WordScratch& scratch, std::vector<int32_t>& ids) const override {
    auto& symbols = scratch.symbols;
    auto& begins = scratch.begins;
    symbols.clear();
    begins.clear();
    for (size_t at = 0; at < word.size();) {
      const size_t end = at + utf8_decode(word, at).length;
      begins.push_back(static_cast<uint32_t>(at));
      append_symbol(table_.find_plain(word.substr(at, end - at)), symbols);
      at = end;
    }
    // A symbol is the stretch from its own beginning to that of the next in the chain.
    const auto end_of = [&](uint32_t i) {
      return symbols[i].next == kNoSymbol ? word.size() : begins[symbols[i].next];
    };
    merge_symbols(scratch, [&](uint32_t left) -> MergeTable::Merged {
      const size_t size = end_of(symbols[left].next) - begins[left];
      const int32_t id = size > longest_ ? -1 : table_.find_plain(word.substr(begins[left], size));
      return id < 0 ? MergeTable::Merged{MergeTable::kNoRank, -1} : MergeTable::Merged{rank(id), id};
    });
    for (uint32_t i = 0; i != kNoSymbol; i = symbols[i].next) {
      if (symbols[i].id >= 0) {
        ids.push_back(symbols[i].id);
      } else {
        fallback_.append(word.substr(begins[i], end_of(i) - begins[i]), i == 0, ids);
      }
    }
  }

 private:
  uint32_t rank(int32_t id) const { return ranks_[static_cast<size_t>(id)]; }

  const TokenTable& table_;
  const Fallback fallback_;
  std::vector<uint32_t> ranks_;  // by id, 0 the best
  size_t longest_ = 0;           // bytes of a token
};

}  // namespace

Result<std::unique_ptr<WordModel>> create_scored_bpe(const TokenizerSpec& spec, const TokenTable& table) {
  BRISK_TRY(check_scores(spec, table));
  BRISK_TRY(check_lengths(table));
  return std::unique_ptr<WordModel>(std::make_unique<ScoredBpe>(spec, table));
}

}  // namespace brisk::text
