// What the models that work on characters share: what stands in for a character that no token spells, and
// the checks of scores and lengths.
#pragma once

#include <string_view>
#include <vector>

#include "text/models/word_model.hpp"

namespace brisk::text {

/// <0xNN> tokens for all bytes of the character where the vocabulary has them, else the unknown token, else
/// nothing.
class Fallback {
 public:
  Fallback(const TokenizerSpec& spec, const TokenTable& table)
      : table_(table), unknown_(spec.unknown), byte_fallback_(spec.byte_fallback), fuse_(spec.fuse_unknown) {}

  /// `first`: nothing of this word has come before.
  void append(std::string_view character, bool first, std::vector<int32_t>& ids) const;

 private:
  const TokenTable& table_;
  const int32_t unknown_;
  const bool byte_fallback_, fuse_;
};

/// One finite score per token.
Status check_scores(const TokenizerSpec& spec, const TokenTable& table);
/// No token longer than kLongestToken.
Status check_lengths(const TokenTable& table);

}  // namespace brisk::text
