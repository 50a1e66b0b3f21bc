// Finds tokens that stand for themselves in a text (control and user-defined ones), longest first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace brisk::text {

/// Time to search a text: its length times the length of the longest token, at worst; so tokens have a
/// bound on their length.
inline constexpr size_t kLongestSpecialToken = 1024;

class SpecialTokens {
 public:
  struct Found {
    size_t begin, end;  ///< in the text; begin == end == text.size(): none
    int32_t id;
  };

  SpecialTokens() = default;
  /// Texts, none empty and no two the same, with their ids. The texts must outlive this.
  explicit SpecialTokens(std::vector<std::pair<std::string_view, int32_t>> tokens);

  /// The first place at or after `from` where a token stands; the longest one there.
  Found find(std::string_view text, size_t from) const;

 private:
  /// The longest token that text[at..] begins with.
  Found longest_at(std::string_view text, size_t at) const;

  std::vector<std::pair<std::string_view, int32_t>> tokens_;  // sorted by text
  std::array<uint32_t, 257> begin_of_byte_{};                 // by first byte, into tokens_
};

}  // namespace brisk::text
