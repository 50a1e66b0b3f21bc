#include "text/word_cache.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "text/text_hash.hpp"

namespace brisk::text {

namespace {

constexpr size_t kShortestText = 512;
constexpr size_t kMostEntries = 16384;  // 1 MiB
constexpr size_t kBytesPerEntry = 16;   // of text

}  // namespace

WordCache::WordCache(size_t text_bytes) {
  if (text_bytes < kShortestText) return;
  entries_.resize(std::bit_ceil(std::min(text_bytes / kBytesPerEntry, kMostEntries)));
}

size_t WordCache::place_of(std::string_view word) const { return text_hash(word, 0) & (entries_.size() - 1); }

std::span<const int32_t> WordCache::find(std::string_view word) const {
  if (entries_.empty() || word.size() > std::tuple_size_v<decltype(Entry::word)>) return {};
  const Entry& entry = entries_[place_of(word)];
  if (entry.length != word.size() || std::memcmp(entry.word.data(), word.data(), word.size()) != 0) return {};
  return {entry.ids.data(), entry.count};
}

void WordCache::store(std::string_view word, std::span<const int32_t> ids) {
  if (entries_.empty() || word.size() > std::tuple_size_v<decltype(Entry::word)>) return;
  if (ids.empty() || ids.size() > std::tuple_size_v<decltype(Entry::ids)>) return;
  Entry& entry = entries_[place_of(word)];
  entry.length = static_cast<uint8_t>(word.size());
  entry.count = static_cast<uint8_t>(ids.size());
  std::memcpy(entry.word.data(), word.data(), word.size());
  std::copy(ids.begin(), ids.end(), entry.ids.begin());
}

}  // namespace brisk::text
