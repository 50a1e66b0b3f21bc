// The tokens of a vocabulary as the word models and the decoder look at them: texts, types, the token with a
// given text, the tokens that stand for bytes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "text/token_index.hpp"
#include "text/tokenizer_spec.hpp"

namespace brisk::text {

/// NN of "<0xNN>".
std::optional<uint8_t> parse_byte_token(std::string_view text);

class TokenTable {
 public:
  /// Checks the tokens of a specification (their number, their types, texts twice, byte tokens) and takes
  /// them. With `byte_fallback` a normal token that reads <0xNN> is of type kByte.
  static Result<std::unique_ptr<const TokenTable>> create(TokenizerSpec& spec);

  int32_t size() const { return static_cast<int32_t>(tokens_.size()); }
  bool has(int32_t id) const { return id >= 0 && id < size(); }
  /// Of an id that the table has.
  std::string_view text(int32_t id) const { return tokens_[static_cast<size_t>(id)]; }
  TokenType type(int32_t id) const { return types_[static_cast<size_t>(id)]; }
  /// Never to come out of plain text.
  bool is_special(int32_t id) const {
    return type(id) == TokenType::kControl || type(id) == TokenType::kUnknown;
  }
  /// Whether the word model may produce it from its text.
  bool is_plain(int32_t id) const { return !is_special(id) && type(id) != TokenType::kByte; }

  /// The token with this text, or -1.
  int32_t find(std::string_view text) const { return index_.find(text); }
  /// The same, and -1 where is_plain() does not hold.
  int32_t find_plain(std::string_view text) const {
    const int32_t id = find(text);
    return id >= 0 && is_plain(id) ? id : -1;
  }
  /// The <0xNN> token of a byte, or -1.
  int32_t byte_token(uint8_t byte) const { return byte_tokens_[byte]; }

  /// "file: what number", for messages.
  std::string place(std::string_view what, int64_t number) const;

 private:
  TokenTable() = default;
  Status build_index();
  Status build_byte_tokens(bool byte_fallback);

  std::string where_;
  std::vector<std::string_view> tokens_;
  std::vector<TokenType> types_;
  TokenIndex index_;  // views tokens_
  std::array<int32_t, 256> byte_tokens_{};
};

}  // namespace brisk::text
