// Cuts the source of a template into tokens, applying the rules of white space: trim_blocks (the newline
// after a block or comment goes), lstrip_blocks (blanks before one that opens a line go), the marks - and +.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace brisk::text::tmpl {

enum class TokenKind : uint8_t {
  kText,
  kOutputBegin,
  kOutputEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  uint32_t offset = 0;
  std::string_view text;  // strings: without quotes, escapes resolved
};

/// A place in the source and what is wrong there.
struct SyntaxError {
  uint32_t offset = 0;
  std::string expected;
  std::string got;
};

/// Newlines become \n and one at the very end goes, as in the reference.
std::string normalize_newlines(std::string_view source);

/// Tokens of the (normalized) source, ending with kEnd; views into it and into `strings`. False and
/// `error` filled when it is malformed.
bool tokenize(std::string_view source, std::vector<Token>& tokens, std::deque<std::string>& strings,
              SyntaxError& error);

}  // namespace brisk::text::tmpl
