// Finds added tokens in a text: those that stand for themselves, whatever the word model would make of them.
// The first one in the text counts, of several that begin there the longest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/byte_trie.hpp"

namespace brisk::text {

/// Time to search a text: its length times the length of the longest token, at worst; so tokens have a
/// bound on their length.
inline constexpr size_t kLongestSpecialToken = 1024;

/// How a token stands in a text; see AddedToken in text/tokenizer_spec.hpp.
struct SpecialToken {
  std::string_view text;  ///< not empty, well-formed UTF-8
  int32_t id = -1;
  bool strip_left = false, strip_right = false, single_word = false;
};

class SpecialTokens {
 public:
  struct Found {
    size_t begin, end;  ///< in the text, with the white space that the token takes along
    int32_t id;         ///< -1: none; begin == end == text.size()
  };

  SpecialTokens() = default;
  /// No two texts the same. The texts are not kept.
  explicit SpecialTokens(std::vector<SpecialToken> tokens);

  bool empty() const { return tokens_.empty(); }
  /// The first place at or after `from` where a token stands; the longest one there.
  Found find(std::string_view text, size_t from) const;

 private:
  struct Match {
    size_t end = 0;
    int32_t number = -1;  // in tokens_
  };
  Match longest_at(std::string_view text, size_t at) const;

  std::vector<SpecialToken> tokens_;
  ByteTrie trie_;                        // texts to numbers in tokens_
  std::array<bool, 256> first_bytes_{};  // of any token
};

}  // namespace brisk::text
