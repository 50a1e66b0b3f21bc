#include "text/token_table.hpp"

namespace brisk::text {

namespace {

// Tries number their nodes with 32 bits, at most one node a byte.
constexpr uint64_t kMostBytes = uint64_t{1} << 31;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

Status check_numbers(const TokenizerSpec& spec) {
  const std::string& where = spec.where;
  const size_t count = spec.tokens.size();
  if (count == 0 || count > INT32_MAX) {
    return bad_input({where + ": tokens", "1 to 2147483647", std::to_string(count), ""});
  }
  uint64_t bytes = 0;
  for (const std::string_view token : spec.tokens) bytes += token.size();
  if (bytes >= kMostBytes) {
    return bad_input({where + ": tokens", "less than 2 GiB of text", std::to_string(bytes) + " bytes", ""});
  }
  if (!spec.types.empty() && spec.types.size() != count) {
    return bad_input({where + ": token types", std::to_string(count) + ", one per token",
                      std::to_string(spec.types.size()), "converting the file anew"});
  }
  for (size_t i = 0; i < spec.types.size(); ++i) {
    const int type = static_cast<int>(spec.types[i]);
    if (type < static_cast<int>(TokenType::kNormal) || type > static_cast<int>(TokenType::kByte)) {
      return bad_input(
          {where + ": token " + std::to_string(i), "a type from 1 to 6", std::to_string(type), ""});
    }
  }
  return {};
}

}  // namespace

std::optional<uint8_t> parse_byte_token(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return std::nullopt;
  const int high = hex_digit(text[3]);
  const int low = hex_digit(text[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<uint8_t>(high * 16 + low);
}

Result<std::unique_ptr<const TokenTable>> TokenTable::create(TokenizerSpec& spec) {
  BRISK_TRY(check_numbers(spec));
  std::unique_ptr<TokenTable> table(new TokenTable());
  table->where_ = spec.where;
  table->tokens_ = std::move(spec.tokens);
  table->types_ = std::move(spec.types);
  table->types_.resize(table->tokens_.size(), TokenType::kNormal);
  BRISK_TRY(table->build_index());
  BRISK_TRY(table->build_byte_tokens(spec.byte_fallback));
  return std::unique_ptr<const TokenTable>(std::move(table));
}

std::string TokenTable::place(std::string_view what, int64_t number) const {
  return where_ + ": " + std::string(what) + " " + std::to_string(number);
}

Status TokenTable::build_index() {
  index_ = TokenIndex(tokens_);
  for (int32_t id = 0; id < size(); ++id) {
    if (text(id).empty()) continue;
    if (const int32_t first = index_.insert(id); first != id) {
      return bad_input({place("token", id), "a text of its own",
                        "'" + std::string(text(id)) + "', which is token " + std::to_string(first),
                        "converting the file anew"});
    }
  }
  return {};
}

Status TokenTable::build_byte_tokens(bool byte_fallback) {
  byte_tokens_.fill(-1);
  for (int32_t id = 0; id < size(); ++id) {
    TokenType& type = types_[static_cast<size_t>(id)];
    if (type != TokenType::kByte && !(byte_fallback && type == TokenType::kNormal)) continue;
    const auto byte = parse_byte_token(text(id));
    if (byte) {
      type = TokenType::kByte;
      if (byte_tokens_[*byte] < 0) byte_tokens_[*byte] = id;
    } else if (type == TokenType::kByte) {
      return bad_input({place("token", id), "a byte written as <0x00> to <0xFF>",
                        "'" + std::string(text(id)) + "'", "converting the file anew"});
    }
  }
  return {};
}

}  // namespace brisk::text
