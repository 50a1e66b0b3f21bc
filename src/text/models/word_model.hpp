// Word models: how one word becomes ids. This is the contract and the room they share; each has a file here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "text/token_table.hpp"
#include "text/tokenizer_spec.hpp"

namespace brisk::text {

/// One part of a word while neighbours merge: a node of a chain that lives in a vector.
struct Symbol {
  int32_t id;
  uint32_t previous, next;
  uint32_t rank;   ///< of the merge with `next`; kNoRank: none
  int32_t merged;  ///< what that merge gives
};

/// How the best path comes to a place in a word.
struct PathStep {
  double score;
  uint32_t begin;  ///< where its last token begins
  int32_t id;
};

/// What encoding needs room for; kept from word to word.
struct WordScratch {
  std::vector<Symbol> symbols;
  std::vector<uint64_t> queue;   ///< a heap, least first: rank << 32 | position of the left symbol
  std::vector<uint32_t> begins;  ///< of symbols, in the word
  std::vector<PathStep> path;
  std::string text;
};

class WordModel {
 public:
  virtual ~WordModel() = default;
  /// Appends the ids of `word`: well-formed UTF-8, not empty, at most kLongestWord bytes. Linear in its
  /// length, or n log n.
  virtual void encode(std::string_view word, WordScratch& scratch, std::vector<int32_t>& ids) const = 0;
};

/// So that positions fit 32 bits.
inline constexpr size_t kLongestWord = size_t{1} << 30;

/// Models that look for tokens in a text take time in proportion to the longest token: so it has a bound.
inline constexpr size_t kLongestToken = 1024;

/// Each checks what it needs of the specification. The table must outlive the model.
Result<std::unique_ptr<WordModel>> create_byte_bpe(const TokenizerSpec& spec, const TokenTable& table);
Result<std::unique_ptr<WordModel>> create_character_bpe(const TokenizerSpec& spec, const TokenTable& table);
Result<std::unique_ptr<WordModel>> create_scored_bpe(const TokenizerSpec& spec, const TokenTable& table);
Result<std::unique_ptr<WordModel>> create_unigram(const TokenizerSpec& spec, const TokenTable& table);
Result<std::unique_ptr<WordModel>> create_word_piece(const TokenizerSpec& spec, const TokenTable& table);

}  // namespace brisk::text
