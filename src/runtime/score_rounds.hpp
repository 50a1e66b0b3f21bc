// Which texts the scorer runs together, and which of them go on from which others.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "runtime/score.hpp"

namespace brisk::runtime {

/// One continuation behind its prompt. Row r of a text is its token r run through the model; it tells of
/// token r + 1, so the last token has no row.
struct ScoreText {
  size_t item = 0, continuation = 0;
  std::vector<int32_t> tokens;
  size_t first_scored = 0;  ///< index into `tokens`
  /// The text of the same round whose first `shared` rows serve this one too; -1: none.
  int32_t parent = -1;
  size_t shared = 0;
  int32_t wave = 0;  ///< a text runs after its parent's wave
  std::vector<size_t> children = {};
  int32_t sequence = -1;  ///< of the decoder; -1: not run yet, or no row of its own
  bool done = false;      ///< kept from the round before: its scores are gone, its sequence is there

  size_t rows() const { return tokens.size() - 1; }
  bool scores_row(size_t row) const { return row + 1 >= first_scored; }
};

/// What of an earlier text's stored sequence a later one may use.
enum class ScoreSharing : uint8_t {
  kNothing,  ///< it cannot be cut back
  kPrompts,  ///< the numbers depend on where the prompt ends
  kAll,
};

/// Cuts the texts of some items into rounds of at most `capacity` stored tokens.
class ScoreRounds {
 public:
  ScoreRounds(std::span<const ScoreItem> items, int64_t capacity, ScoreSharing sharing);

  /// Tokens that will be scored in all.
  int64_t scored_tokens() const { return scored_tokens_; }
  /// Fills texts() with the next round; `kept` (from the round before, or null) may serve as a parent. False:
  /// nothing is left.
  bool next(ScoreText* kept);
  std::vector<ScoreText>& texts() { return texts_; }
  /// Whether the kept text is the first of the round; else there was no room for it.
  bool holds_kept() const { return !texts_.empty() && texts_.front().done; }

 private:
  bool make_text(ScoreText& text);
  void choose_parent(ScoreText& text) const;
  size_t shared_rows(const ScoreText& text, const ScoreText& other) const;
  int64_t stored_tokens(const ScoreText& text) const;
  void add(ScoreText text);

  std::span<const ScoreItem> items_;
  const int64_t capacity_;
  const ScoreSharing sharing_;
  int64_t scored_tokens_ = 0;
  size_t item_ = 0, continuation_ = 0;  // the next text to take
  std::vector<ScoreText> texts_;
  int64_t used_ = 0;
};

}  // namespace brisk::runtime
