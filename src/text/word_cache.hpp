// Remembers the ids of the short words of one text: real text repeats its words. A word that falls on the
// place of another takes it, so the size is fixed and no text makes it slow.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace brisk::text {

class WordCache {
 public:
  /// For a text of that many bytes; short texts get none.
  explicit WordCache(size_t text_bytes);

  /// The ids of the word; empty when they are not here.
  std::span<const int32_t> find(std::string_view word) const;
  void store(std::string_view word, std::span<const int32_t> ids);

 private:
  struct alignas(64) Entry {  // one line of the processor's cache
    uint8_t length = 0, count = 0;
    std::array<char, 30> word;
    std::array<int32_t, 8> ids;
  };
  static_assert(sizeof(Entry) == 64);

  size_t place_of(std::string_view word) const;

  std::vector<Entry> entries_;  // none, or a power of two
};

}  // namespace brisk::text
