// Tokenizers: text to ids and back. This file is the contract; text/tokenizer_spec.hpp says what one is made
// of, text/pipeline_tokenizer.cpp runs it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace brisk::text {

/// What a token is, numbered as in GGUF's tokenizer.ggml.token_type.
enum class TokenType : uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct EncodeOptions {
  bool add_special = true;    ///< add BOS or EOS where the model file says so
  bool parse_special = true;  ///< recognise special tokens written in the text (never for user text)
};

struct Vocabulary;  // text/gguf_vocabulary.hpp

/// How far a decoder has come: what a token spells may hang on what stands before it.
struct DecodeState {
  bool begun = false;      ///< a token has been decoded
  bool space_due = false;  ///< a word has ended: a space comes before the next token
};

class Tokenizer {
 public:
  /// From the vocabulary of a GGUF file. Checks it (counts, ids in range, merges that name no token, bad
  /// byte tokens) and builds the tables. Memory is bounded by a small multiple of the vocabulary's.
  static Result<std::unique_ptr<Tokenizer>> create(const Vocabulary& vocabulary);
  virtual ~Tokenizer() = default;

  /// Linear in the text but for the merges inside one word (n log n). Ill-formed UTF-8 is encoded as
  /// U+FFFD per maximal subpart. The one error there is: a pre-tokenizer's pattern, taken from a file, that
  /// exceeds its match limit on this text.
  virtual Result<std::vector<int32_t>> encode(std::string_view text, EncodeOptions options = {}) const = 0;
  /// The bytes of one token, as in the middle of a text; may be a part of a character. Special tokens give
  /// their name when `special`, else nothing. An id out of range is a bad-input error.
  virtual Result<std::string> token_bytes(int32_t id, bool special) const = 0;
  /// Appends the bytes of the next token of a text to `bytes`. Other than token_bytes() this knows the
  /// beginning of the text, where some vocabularies leave a space out.
  virtual Status decode_next(int32_t id, bool special, DecodeState& state, std::string& bytes) const = 0;

  /// The text of ids, ill-formed parts as U+FFFD.
  Result<std::string> decode(std::span<const int32_t> ids, bool special = true) const;

  virtual int32_t size() const = 0;
  virtual int32_t bos() const = 0;
  virtual int32_t eos() const = 0;
  /// The token as the vocabulary writes it.
  virtual std::string_view token_text(int32_t id) const = 0;
  virtual TokenType token_type(int32_t id) const = 0;
  /// The id of a token as the vocabulary writes it, or -1.
  virtual int32_t find(std::string_view token_text) const = 0;
  /// Whether generation ends at this token: EOS and the known end-of-turn names (<|im_end|>, <|eot_id|>,
  /// <end_of_turn>, ...).
  virtual bool ends_generation(int32_t id) const = 0;
};

/// Ids to text as they come: holds back bytes that may become a character.
class StreamDecoder {
 public:
  /// `continues`: the ids go on with a text, so that a space at their beginning is one.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool special = false, bool continues = false)
      : tokenizer_(&tokenizer), special_(special), state_{.begun = continues} {}
  /// The text that is certain after this id, always well-formed UTF-8; may be empty.
  Result<std::string> push(int32_t id);
  /// What is left: an incomplete character becomes U+FFFD.
  std::string finish();

 private:
  const Tokenizer* tokenizer_;
  bool special_;
  DecodeState state_;
  std::string pending_;
};

}  // namespace brisk::text
