#include "text/special_tokens.hpp"

#include <algorithm>

namespace brisk::text {

namespace {

uint8_t byte_at(std::string_view text, size_t at) { return static_cast<uint8_t>(text[at]); }

}  // namespace

SpecialTokens::SpecialTokens(std::vector<std::pair<std::string_view, int32_t>> tokens)
    : tokens_(std::move(tokens)) {
  std::sort(tokens_.begin(), tokens_.end());
  for (const auto& [text, id] : tokens_) ++begin_of_byte_[byte_at(text, 0) + 1U];
  for (size_t i = 1; i < begin_of_byte_.size(); ++i) begin_of_byte_[i] += begin_of_byte_[i - 1];
}

SpecialTokens::Found SpecialTokens::find(std::string_view text, size_t from) const {
  if (!tokens_.empty()) {
    for (size_t at = from; at < text.size(); ++at) {
      const uint8_t first = byte_at(text, at);
      if (begin_of_byte_[first] == begin_of_byte_[first + 1U]) continue;
      if (const Found found = longest_at(text, at); found.id >= 0) return found;
    }
  }
  return {text.size(), text.size(), -1};
}

// [low, high) are the tokens that begin as the text does; each byte narrows them, as a walk down a trie.
SpecialTokens::Found SpecialTokens::longest_at(std::string_view text, size_t at) const {
  Found best{at, at, -1};
  auto low = tokens_.begin() + begin_of_byte_[byte_at(text, at)];
  auto high = tokens_.begin() + begin_of_byte_[byte_at(text, at) + 1U];
  for (size_t length = 1; low != high; ++length) {
    if (low->first.size() == length) {
      best = {at, at + length, low->second};
      ++low;
    }
    if (at + length == text.size()) break;
    const uint8_t next = byte_at(text, at + length);
    low = std::partition_point(low, high, [&](const auto& t) { return byte_at(t.first, length) < next; });
    high = std::partition_point(low, high, [&](const auto& t) { return byte_at(t.first, length) == next; });
  }
  return best;
}

}  // namespace brisk::text
