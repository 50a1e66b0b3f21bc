// Tokenizers: text to ids and back. This file is the contract; text/bpe.cpp holds byte-level BPE.
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

/// A vocabulary as the model file gives it. Views point into the file, which must outlive the tokenizer.
struct Vocabulary {
  std::string where;          ///< names the file in errors
  std::string model;          ///< "gpt2" is byte-level BPE; others are refused by name for now
  std::string pre_tokenizer;  ///< "smollm", "llama-bpe", "qwen2", "gpt-2", ...
  std::vector<std::string_view> tokens;
  std::vector<TokenType> types;          ///< empty: all normal
  std::vector<std::string_view> merges;  ///< "left right", best first
  int32_t bos = -1, eos = -1;            ///< -1: none
  bool add_bos = false, add_eos = false;
};

struct EncodeOptions {
  bool add_special = true;    ///< add BOS or EOS where the model file says so
  bool parse_special = true;  ///< recognise special tokens written in the text (never for user text)
};

class Tokenizer {
 public:
  /// Checks the vocabulary (counts, ids in range, merges that name no token, bad byte tokens) and builds
  /// the tables. Memory is bounded by a small multiple of the vocabulary's.
  static Result<std::unique_ptr<Tokenizer>> create(const Vocabulary& vocabulary);
  virtual ~Tokenizer() = default;

  /// Linear in the text but for the merges inside one word (n log n). Ill-formed UTF-8 is encoded as
  /// U+FFFD per maximal subpart.
  virtual std::vector<int32_t> encode(std::string_view text, EncodeOptions options = {}) const = 0;
  /// The bytes of one token; may be a part of a character. Special tokens give their name when
  /// `special`, else nothing. An id out of range is a bad-input error.
  virtual Result<std::string> token_bytes(int32_t id, bool special) const = 0;

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
  explicit StreamDecoder(const Tokenizer& tokenizer, bool special = false)
      : tokenizer_(&tokenizer), special_(special) {}
  /// The text that is certain after this id, always well-formed UTF-8; may be empty.
  Result<std::string> push(int32_t id);
  /// What is left: an incomplete character becomes U+FFFD.
  std::string finish();

 private:
  const Tokenizer* tokenizer_;
  bool special_;
  std::string pending_;
};

}  // namespace brisk::text
