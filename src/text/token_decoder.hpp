// From ids back to text: the bytes that a token spells, and where the spaces between words are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/token_table.hpp"
#include "text/tokenizer.hpp"
#include "text/tokenizer_spec.hpp"

namespace brisk::text {

class TokenDecoder {
 public:
  TokenDecoder(const TokenizerSpec& spec, const TokenTable& table);

  /// Appends what the token (an id of the table) adds to a text. `special`: whether special tokens give
  /// their name.
  void append(int32_t id, bool special, DecodeState& state, std::string& bytes) const;

 private:
  void append_word_piece(std::string_view text, const DecodeState& state, std::string& bytes) const;
  void append_spelled(std::string_view text, DecodeState& state, std::string& bytes) const;

  const TokenTable& table_;
  const TokenSpelling spelling_;
  const std::string continuing_prefix_, end_suffix_;
  const bool whole_words_;  // each special token is a word, with a space in front
  const bool strip_first_space_, clean_up_;
};

}  // namespace brisk::text
