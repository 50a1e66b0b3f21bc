// Cuts a long word in front of its space marks (U+2581), where that changes no id. SentencePiece vocabularies
// know no words: a whole text is one. But where no token holds a mark behind the character that stands before
// it, no token reaches across, and what is left and right of the place is independent.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "text/token_table.hpp"

namespace brisk::text {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

class MarkCuts {
 public:
  explicit MarkCuts(const TokenTable& table);
  /// The end of the first piece of `word` (not empty); its size when nowhere else.
  size_t first_end(std::string_view word) const;

 private:
  std::array<bool, 256> joined_{};  // last byte of a character that some token holds before a mark
};

}  // namespace brisk::text
