// What a tokenizer is made of, whichever file describes it. GGUF metadata (text/gguf_vocabulary.cpp) and
// tokenizer.json (text/tokenizer_json.cpp) are read into this; text/pipeline_tokenizer.cpp runs it:
//
//     text -> added tokens that match raw text are cut out
//          -> normalizer, then added tokens that match normalized text are cut out
//          -> pre-tokenizer: words
//          -> word model: ids
//          -> affixes (BOS, [CLS] ... [SEP])
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.hpp"
#include "text/normalizer.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/tokenizer.hpp"

namespace brisk::text {

/// How a word becomes ids; one file each in text/models/.
enum class WordModelKind : uint8_t {
  kBpe,        ///< merges by rank, over bytes (GPT-2) or over characters (Llama 2 in tokenizer.json)
  kScoredBpe,  ///< merges by the score of the merged token (SentencePiece BPE in GGUF: model "llama")
  kUnigram,    ///< the best path by sum of scores (SentencePiece Unigram: T5, XLM-R)
  kWordPiece,  ///< longest match first (BERT)
};

/// How tokens spell text, hence how ids become text again.
enum class TokenSpelling : uint8_t {
  kByteAlphabet,  ///< each byte one character of GPT-2's alphabet
  kSpaceMark,     ///< U+2581 stands for a space; <0xNN> for a byte
  kWordPieces,    ///< words apart by spaces, parts of a word begin with `continuing_prefix`
  kPlain,         ///< as written
};

/// A token that stands for itself in a text.
struct AddedToken {
  int32_t id = -1;
  std::string_view text = {};
  bool special = false;      ///< a control token: never found in text that is the user's (parse_special off)
  bool normalized = false;   ///< looked for after the normalizer instead of before
  bool strip_left = false;   ///< takes white space on its left with it
  bool strip_right = false;  ///< ... and on its right
  bool single_word = false;  ///< only where no word character stands on either side
};

struct TokenizerSpec {
  std::string where;  ///< names the file in errors
  WordModelKind model = WordModelKind::kBpe;
  std::vector<std::string_view> tokens;  ///< by id; empty where no token has the id
  std::vector<TokenType> types;          ///< empty: all normal
  std::vector<double> scores;            ///< kScoredBpe, kUnigram
  std::vector<std::pair<std::string_view, std::string_view>> merges;  ///< kBpe: best first

  TokenSpelling spelling = TokenSpelling::kByteAlphabet;
  bool byte_fallback = false;      ///< <0xNN> tokens stand in for characters that no token has
  int32_t unknown = -1;            ///< what else stands in; -1: nothing, such characters are left out
  bool fuse_unknown = false;       ///< neighbouring unknown characters give one unknown token
  bool whole_words = false;        ///< a word that is a token is taken whole ("ignore_merges")
  std::string word_prefix;         ///< kWordPiece: what begins the first part of a word ("" or U+2581)
  std::string continuing_prefix;   ///< kWordPiece, kBpe: what begins the other parts ("##" or "")
  std::string end_of_word_suffix;  ///< kBpe: what ends the last part ("" or "</w>")
  int64_t longest_word = 100;      ///< kWordPiece: characters; longer words are unknown

  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::vector<AddedToken> added;

  std::vector<int32_t> prefix, suffix;  ///< put around a text when EncodeOptions::add_special
  bool strip_first_space = false;       ///< decoding drops one space at the beginning of the text
  bool clean_up_spaces = false;         ///< kWordPieces: " ." becomes "." and the like (see the decoder)
  int32_t bos = -1, eos = -1;           ///< -1: none
  std::vector<int32_t> ends;            ///< further ids that end generation (generation_config.json)

  std::shared_ptr<const void> storage;  ///< keeps what the views point to, where the file's mapping does not
};

/// Checks the specification (ids in range, texts once, merges that name tokens, bad byte tokens, lengths) and
/// builds the tables. Memory is bounded by a small multiple of the vocabulary's.
Result<std::unique_ptr<Tokenizer>> create_tokenizer(TokenizerSpec spec);

}  // namespace brisk::text
