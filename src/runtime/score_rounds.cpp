#include "runtime/score_rounds.hpp"

#include <algorithm>

#include "base/checked.hpp"
#include "kernels/attention/attention.hpp"

namespace brisk::runtime {

namespace {

/// Texts of one round: looking for a parent compares each with all before it.
constexpr size_t kMostTexts = 256;
/// Fewer common tokens are not worth a second wave.
constexpr size_t kLeastShared = 4;

size_t first_scored_token(const ScoreItem& item) { return std::max<size_t>(item.prompt.size(), 1); }

size_t scored_count(const ScoreItem& item, size_t continuation) {
  const size_t size = item.prompt.size() + item.continuations[continuation].size();
  return size > first_scored_token(item) ? size - first_scored_token(item) : 0;
}

}  // namespace

ScoreRounds::ScoreRounds(std::span<const ScoreItem> items, int64_t capacity, ScoreSharing sharing)
    : items_(items), capacity_(capacity), sharing_(sharing) {
  for (const ScoreItem& item : items) {
    for (size_t c = 0; c < item.continuations.size(); ++c) {
      scored_tokens_ += static_cast<int64_t>(scored_count(item, c));
    }
  }
}

bool ScoreRounds::make_text(ScoreText& text) {
  for (; item_ < items_.size(); ++item_, continuation_ = 0) {
    const ScoreItem& item = items_[item_];
    while (continuation_ < item.continuations.size() && scored_count(item, continuation_) == 0) {
      ++continuation_;
    }
    if (continuation_ == item.continuations.size()) continue;
    text = {.item = item_,
            .continuation = continuation_,
            .tokens = item.prompt,
            .first_scored = first_scored_token(item)};
    const std::vector<int32_t>& rest = item.continuations[continuation_];
    text.tokens.insert(text.tokens.end(), rest.begin(), rest.end());
    return true;
  }
  return false;
}

size_t ScoreRounds::shared_rows(const ScoreText& text, const ScoreText& other) const {
  // Rows whose scores this text needs can be shared only when the other has them computed.
  const bool scores_too = !other.done && other.first_scored <= text.first_scored;
  size_t most = std::min(other.rows(), scores_too ? text.rows() : text.first_scored - 1);
  if (sharing_ == ScoreSharing::kPrompts && text.first_scored != other.first_scored) {
    most = std::min({most, text.first_scored - 1, other.first_scored - 1});
  }
  const auto end = text.tokens.begin() + static_cast<std::ptrdiff_t>(most);
  return static_cast<size_t>(std::mismatch(text.tokens.begin(), end, other.tokens.begin()).first -
                             text.tokens.begin());
}

void ScoreRounds::choose_parent(ScoreText& text) const {
  text.parent = -1;
  text.shared = 0;
  text.wave = 0;
  if (sharing_ == ScoreSharing::kNothing) return;
  for (size_t i = 0; i < texts_.size(); ++i) {
    const size_t shared = shared_rows(text, texts_[i]);
    if (shared < kLeastShared || shared <= text.shared) continue;
    text.parent = static_cast<int32_t>(i);
    text.shared = shared;
    text.wave = texts_[i].wave + 1;
  }
}

int64_t ScoreRounds::stored_tokens(const ScoreText& text) const {
  // A slab that is only partly shared is copied when the text goes on.
  const int64_t shared = static_cast<int64_t>(text.shared) / kernels::kPageTokens * kernels::kPageTokens;
  return round_up(static_cast<int64_t>(text.rows()), kernels::kPageTokens) - shared;
}

void ScoreRounds::add(ScoreText text) {
  used_ += stored_tokens(text);
  if (text.parent >= 0) texts_[static_cast<size_t>(text.parent)].children.push_back(texts_.size());
  texts_.push_back(std::move(text));
}

bool ScoreRounds::next(ScoreText* kept) {
  texts_.clear();
  used_ = 0;
  if (kept != nullptr) {
    kept->parent = -1;
    kept->shared = 0;
    kept->wave = -1;
    kept->children.clear();
    kept->done = true;
    add(*kept);
  }
  ScoreText text;
  while (texts_.size() < kMostTexts && make_text(text)) {
    choose_parent(text);
    if (used_ + stored_tokens(text) > capacity_ && !texts_.empty()) {
      if (texts_.size() > 1 || !holds_kept()) return true;
      // Only the kept text stands in the way of the first.
      texts_.clear();
      used_ = 0;
      choose_parent(text);
    }
    add(std::move(text));
    ++continuation_;
  }
  return texts_.size() > (holds_kept() ? 1U : 0U);
}

}  // namespace brisk::runtime
