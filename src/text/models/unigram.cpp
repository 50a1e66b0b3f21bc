// Unigram, as SentencePiece does it: of all ways to cut a word into tokens, the one whose scores have the
// greatest sum. A character that no token of one character spells may also be the unknown token, at a score
// of 10 below the lowest.
//
// Scores are summed as double, and of two ways with equal sums the one that begins earlier stays, as in
// Hugging Face's tokenizers and llama.cpp: so ids are equal to theirs, ties included.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/utf8.hpp"
#include "text/byte_trie.hpp"
#include "text/models/fallback.hpp"
#include "text/models/word_model.hpp"

namespace brisk::text {

namespace {

constexpr double kUnknownPenalty = 10.0;
constexpr double kNotReached = -std::numeric_limits<double>::infinity();
constexpr int32_t kUnknown = -1;  // as the id of a PathStep

class Unigram final : public WordModel {
 public:
  Unigram(const TokenizerSpec& spec, const TokenTable& table) : fallback_(spec, table), scores_(spec.scores) {
    std::vector<std::pair<std::string_view, int32_t>> texts;
    double lowest = std::numeric_limits<double>::infinity();
    for (int32_t id = 0; id < table.size(); ++id) {
      if (table.type(id) == TokenType::kNormal) lowest = std::min(lowest, score(id));
      if (table.is_plain(id) && !table.text(id).empty()) texts.emplace_back(table.text(id), id);
    }
    trie_ = ByteTrie(std::move(texts));
    unknown_score_ = (std::isfinite(lowest) ? lowest : 0.0) - kUnknownPenalty;
  }

  void encode(std::string_view word, WordScratch& scratch, std::vector<int32_t>& ids) const override {
    auto& path = scratch.path;
    path.assign(word.size() + 1, {kNotReached, 0, kUnknown});
    path[0].score = 0;
    for (size_t at = 0; at < word.size();) {
      const size_t next = at + utf8_decode(word, at).length;
      step(word, at, next, path);
      at = next;
    }
    // From the end to the beginning; the steps used are chained forward through `begin`.
    auto& begins = scratch.begins;
    begins.clear();
    for (size_t end = word.size(); end > 0; end = path[end].begin)
      begins.push_back(static_cast<uint32_t>(end));
    for (size_t i = begins.size(); i-- > 0;) {
      const PathStep& used = path[begins[i]];
      if (used.id != kUnknown) {
        ids.push_back(used.id);
      } else {
        fallback_.append(word.substr(used.begin, begins[i] - used.begin), used.begin == 0, ids);
      }
    }
  }

 private:
  double score(int32_t id) const { return scores_[static_cast<size_t>(id)]; }

  /// Tries every token that begins at `at`, and the unknown one for the character up to `next`.
  void step(std::string_view word, size_t at, size_t next, std::vector<PathStep>& path) const {
    const double so_far = path[at].score;
    const auto offer = [&](size_t end, double sum, int32_t id) {
      if (sum > path[end].score) path[end] = {sum, static_cast<uint32_t>(at), id};
    };
    bool has_character = false;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (size_t end = at; end < word.size();) {
      node = trie_.child(node, static_cast<uint8_t>(word[end]));
      if (node == ByteTrie::kNone) break;
      ++end;
      const int32_t id = trie_.value(node);
      if (id < 0) continue;
      has_character = has_character || end == next;
      offer(end, so_far + score(id), id);
    }
    if (!has_character) offer(next, so_far + unknown_score_, kUnknown);
  }

  const Fallback fallback_;
  const std::vector<double> scores_;
  ByteTrie trie_;
  double unknown_score_ = 0;
};

}  // namespace

Result<std::unique_ptr<WordModel>> create_unigram(const TokenizerSpec& spec, const TokenTable& table) {
  BRISK_TRY(check_scores(spec, table));
  BRISK_TRY(check_lengths(table));
  return std::unique_ptr<WordModel>(std::make_unique<Unigram>(spec, table));
}

}  // namespace brisk::text
