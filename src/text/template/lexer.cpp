// The lexer: outside of tags it looks for the next "{%", "{{" or "{#"; inside it reads tokens until the
// closing mark at bracket depth zero.
#include "text/template/lexer.hpp"

#include <algorithm>
#include <cstdio>

#include "base/utf8.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

constexpr size_t kNone = std::string_view::npos;

bool is_digit_char(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  Lexer(std::string_view source, std::vector<Token>& tokens, std::deque<std::string>& strings,
        SyntaxError& error)
      : source_(source), tokens_(tokens), strings_(strings), error_(error) {}

  bool run() {
    while (at_ < source_.size()) {
      const size_t tag = next_tag(at_);
      if (tag == kNone) {
        add_text(source_.substr(at_));
        break;
      }
      if (!read_tag(tag)) return false;
    }
    add(TokenKind::kEnd, source_.size(), {});
    return true;
  }

 private:
  bool fail(size_t offset, std::string expected, std::string got) {
    error_ = {static_cast<uint32_t>(offset), std::move(expected), std::move(got)};
    return false;
  }

  /// A comment or raw block that only begins, at the very end, is no error in the reference.
  bool stop() {
    at_ = source_.size();
    return true;
  }

  void add(TokenKind kind, size_t offset, std::string_view text) {
    tokens_.push_back({kind, static_cast<uint32_t>(offset), text});
  }
  void add_text(std::string_view text) {
    if (!text.empty()) add(TokenKind::kText, static_cast<size_t>(text.data() - source_.data()), text);
  }

  size_t next_tag(size_t from) const {
    for (size_t i = source_.find('{', from); i != kNone; i = source_.find('{', i + 1)) {
      if (i + 1 < source_.size() && std::string_view("%{#").find(source_[i + 1]) != kNone) return i;
    }
    return kNone;
  }

  bool starts(size_t at, std::string_view text) const {
    return source_.substr(std::min(at, source_.size())).starts_with(text);
  }

  size_t skip_space(size_t at) const {
    for (size_t length = 0; at < source_.size() && is_space(character_at(source_, at, length));) at += length;
    return at;
  }

  /// The text before a tag, cut as its sign and lstrip_blocks say.
  std::string_view text_before(size_t tag, char sign, bool is_output) const {
    std::string_view text = source_.substr(at_, tag - at_);
    if (sign == '-') return strip(text, Side::kRight);
    if (sign == '+' || is_output) return text;
    const size_t newline = text.rfind('\n');
    if (newline == kNone && !line_starting_) return text;
    const size_t line = newline == kNone ? 0 : newline + 1;
    return strip(text.substr(line), Side::kLeft).empty() ? text.substr(0, line) : text;
  }

  char sign_at(size_t at) const {
    return at < source_.size() && (source_[at] == '-' || source_[at] == '+') ? source_[at] : 0;
  }

  /// Moves past a closing mark of `length` characters whose sign (if any) stands at `at`.
  void close(size_t at, char sign, size_t length, bool trims_newline) {
    const size_t begin = at;
    at += length + (sign != 0 ? 1 : 0);
    if (sign == '-') at = skip_space(at);
    if (sign == 0 && trims_newline && starts(at, "\n")) ++at;
    line_starting_ = at > begin && source_[at - 1] == '\n';
    at_ = at;
  }

  bool read_tag(size_t tag) {
    const char kind = source_[tag + 1];
    const char sign = sign_at(tag + 2);
    const size_t inside = tag + 2 + (sign != 0 ? 1 : 0);
    add_text(text_before(tag, sign, kind == '{'));
    if (kind == '#') return read_comment(tag, inside);
    if (kind == '%' && is_raw(inside)) return read_raw(tag, inside);
    const bool is_output = kind == '{';
    add(is_output ? TokenKind::kOutputBegin : TokenKind::kBlockBegin, tag, source_.substr(tag, 2));
    at_ = inside;
    return read_tokens(tag, is_output);
  }

  bool read_comment(size_t tag, size_t inside) {
    if (inside >= source_.size()) return stop();
    const size_t end = source_.find("#}", inside);
    if (end == kNone) return fail(tag, "the comment to end with #}", "the end of the template");
    const char sign = end > inside ? sign_at(end - 1) : 0;
    close(sign != 0 ? end - 1 : end, sign, 2, true);
    return true;
  }

  /// Past "raw" and its closing mark, or none when this is another block.
  bool is_raw(size_t at) const {
    at = skip_space(at);
    if (!starts(at, "raw")) return false;
    at = skip_space(at + 3);
    return starts(at, "%}") || starts(at, "-%}");
  }

  bool read_raw(size_t tag, size_t inside) {
    const size_t mark = skip_space(skip_space(inside) + 3);
    close(mark, source_[mark] == '-' ? '-' : 0, 2, false);
    if (at_ >= source_.size()) return stop();
    for (size_t end = source_.find("{%", at_); end != kNone; end = source_.find("{%", end + 1)) {
      const char sign = sign_at(end + 2);
      size_t at = skip_space(end + 2 + (sign != 0 ? 1 : 0));
      if (!starts(at, "endraw")) continue;
      at = skip_space(at + 6);
      const char closing = sign_at(at);
      if (!starts(at + (closing != 0 ? 1 : 0), "%}")) continue;
      add_text(text_before(end, sign, false));
      close(at, closing, 2, true);
      return true;
    }
    return fail(tag, "the raw block to end with {% endraw %}", "the end of the template");
  }

  bool read_tokens(size_t tag, bool is_output) {
    const std::string_view mark = is_output ? "}}" : "%}";
    std::string brackets;
    while (true) {
      at_ = skip_space(at_);
      if (at_ >= source_.size())
        return fail(tag, "the tag to end with " + std::string(mark), "the end of the template");
      if (brackets.empty()) {
        char sign = sign_at(at_);
        if (is_output && sign == '+') sign = 0;
        if (starts(at_ + (sign != 0 ? 1 : 0), mark)) {
          add(is_output ? TokenKind::kOutputEnd : TokenKind::kBlockEnd, at_, mark);
          close(at_, sign, 2, !is_output);
          return true;
        }
      }
      if (!read_token(brackets)) return false;
    }
  }

  bool read_token(std::string& brackets) {
    const char c = source_[at_];
    if (is_digit_char(c)) return read_number();
    size_t length = 0;
    if (starts_identifier(character_at(source_, at_, length))) return read_name();
    if (c == '"' || c == '\'') return read_string(c);
    return read_operator(brackets);
  }

  bool read_name() {
    const size_t begin = at_;
    for (size_t length = 0; at_ < source_.size() && continues_identifier(character_at(source_, at_, length));)
      at_ += length;
    add(TokenKind::kName, begin, source_.substr(begin, at_ - begin));
    return true;
  }

  /// Digits with single underscores between them.
  size_t skip_digits(size_t at, bool (*is_member)(char)) const {
    while (at < source_.size() && (is_member(source_[at]) || (source_[at] == '_' && at + 1 < source_.size() &&
                                                              is_member(source_[at + 1])))) {
      ++at;
    }
    return at;
  }

  /// The end of "0x1F", "0o17" or "0b11" at the current place, or that place.
  size_t skip_based_digits() const {
    const char letter =
        source_[at_] == '0' && at_ + 1 < source_.size() ? static_cast<char>(source_[at_ + 1] | 0x20) : '0';
    bool (*is_member)(char) = nullptr;
    if (letter == 'x') {
      is_member = [](char c) { return is_digit_char(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); };
    } else if (letter == 'o') {
      is_member = [](char c) { return c >= '0' && c <= '7'; };
    } else if (letter == 'b') {
      is_member = [](char c) { return c == '0' || c == '1'; };
    } else {
      return at_;
    }
    const size_t end = skip_digits(at_ + 2, is_member);
    return end > at_ + 2 ? end : at_;
  }

  bool read_number() {
    const size_t begin = at_;
    const bool after_dot = begin > 0 && source_[begin - 1] == '.';
    TokenKind kind = TokenKind::kInteger;
    if (const size_t end = skip_based_digits(); end > at_) {
      at_ = end;
    } else {
      at_ = skip_digits(at_, is_digit_char);
      if (!after_dot) kind = read_fraction_and_exponent();
    }
    const std::string_view digits = source_.substr(begin, at_ - begin);
    if (digits.find('_') == kNone) {
      add(kind, begin, digits);
    } else {
      std::string& plain = strings_.emplace_back(digits);
      std::erase(plain, '_');
      add(kind, begin, plain);
    }
    return true;
  }

  TokenKind read_fraction_and_exponent() {
    TokenKind kind = TokenKind::kInteger;
    const auto digit_at = [&](size_t at) { return at < source_.size() && is_digit_char(source_[at]); };
    if (starts(at_, ".") && digit_at(at_ + 1)) {
      at_ = skip_digits(at_ + 1, is_digit_char);
      kind = TokenKind::kFloat;
    }
    if (starts(at_, "e") || starts(at_, "E")) {
      const size_t digits = at_ + 1 + (sign_at(at_ + 1) != 0 ? 1 : 0);
      if (digit_at(digits)) {
        at_ = skip_digits(digits, is_digit_char);
        kind = TokenKind::kFloat;
      }
    }
    return kind;
  }

  bool read_string(char quote) {
    const size_t begin = at_++;
    bool escaped = false;
    while (at_ < source_.size() && source_[at_] != quote) {
      escaped |= source_[at_] == '\\';
      at_ += source_[at_] == '\\' ? 2 : 1;
    }
    if (at_ >= source_.size()) return fail(begin, "the string to end", "the end of the template");
    const std::string_view raw = source_.substr(begin + 1, at_ - begin - 1);
    ++at_;
    if (!escaped) {
      add(TokenKind::kString, begin, raw);
      return true;
    }
    std::string& text = strings_.emplace_back();
    if (!unescape(raw, begin + 1, text)) return false;
    add(TokenKind::kString, begin, text);
    return true;
  }

  bool unescape(std::string_view raw, size_t offset, std::string& out) {
    constexpr std::string_view kLetters = "abfnrtv\\'\"";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"";
    for (size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '\\') {
        out += raw[i];
        continue;
      }
      const char c = raw[++i];
      if (const size_t simple = kLetters.find(c); simple != kNone) {
        out += kMeanings[simple];
      } else if (c == 'x' || c == 'u' || c == 'U') {
        const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        char32_t code = 0;
        if (!read_code(raw.substr(i + 1, digits), digits, 16, code)) {
          return fail(offset + i,
                      "an escape with " + std::to_string(digits) + " hexadecimal digits of a character",
                      "another one");
        }
        utf8_append(out, code);
        i += digits;
      } else if (c >= '0' && c <= '7') {
        size_t digits = 1;
        while (digits < 3 && i + digits < raw.size() && raw[i + digits] >= '0' && raw[i + digits] <= '7')
          ++digits;
        char32_t code = 0;
        read_code(raw.substr(i, digits), digits, 8, code);
        utf8_append(out, code);
        i += digits - 1;
      } else if (c == 'N') {
        return fail(offset + i, "a known escape", "a character by its name");
      } else if (static_cast<unsigned char>(c) >= 0x80) {
        i += append_escaped_character(raw, i, out) - 1;
      } else if (c != '\n') {
        out += '\\';
        out += c;
      }
    }
    return true;
  }

  /// The reference first turns what is not ASCII into escapes, so a backslash before such a character
  /// escapes the backslash of its escape. Gives the length of the character.
  static size_t append_escaped_character(std::string_view raw, size_t at, std::string& out) {
    size_t length = 0;
    const char32_t c = character_at(raw, at, length);
    char buffer[16];
    std::snprintf(buffer, sizeof buffer,
                  c < 0x100     ? "\\x%02x"
                  : c < 0x10000 ? "\\u%04x"
                                : "\\U%08x",
                  static_cast<unsigned>(c));
    out += buffer;
    return length;
  }

  static bool read_code(std::string_view digits, size_t count, int base, char32_t& code) {
    if (digits.size() < count) return false;
    for (const char c : digits) {
      const int digit = is_digit_char(c)                         ? c - '0'
                        : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                 : base;
      if (digit >= base) return false;
      code = code * static_cast<char32_t>(base) + static_cast<char32_t>(digit);
    }
    return code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
  }

  bool read_operator(std::string& brackets) {
    constexpr std::string_view kPairs[] = {"//", "**", "==", "!=", ">=", "<="};
    constexpr std::string_view kSingles = "+-/*%~[](){}><=.:|,;";
    const size_t begin = at_;
    size_t length = 1;
    for (const std::string_view pair : kPairs) {
      if (starts(at_, pair)) length = 2;
    }
    const char c = source_[at_];
    if (length == 1 && kSingles.find(c) == kNone) {
      return fail(begin, "an expression", "the character '" + std::string(1, c) + "'");
    }
    if (c == '(' || c == '[' || c == '{') brackets += c == '(' ? ')' : c == '[' ? ']' : '}';
    if (c == ')' || c == ']' || c == '}') {
      if (brackets.empty()) return fail(begin, "no closing bracket", "'" + std::string(1, c) + "'");
      if (brackets.back() != c) {
        return fail(begin, "'" + std::string(1, brackets.back()) + "'", "'" + std::string(1, c) + "'");
      }
      brackets.pop_back();
    }
    at_ += length;
    add(TokenKind::kOperator, begin, source_.substr(begin, length));
    return true;
  }

  std::string_view source_;
  std::vector<Token>& tokens_;
  std::deque<std::string>& strings_;
  SyntaxError& error_;
  size_t at_ = 0;
  bool line_starting_ = true;
};

}  // namespace

std::string normalize_newlines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

bool tokenize(std::string_view source, std::vector<Token>& tokens, std::deque<std::string>& strings,
              SyntaxError& error) {
  return Lexer(source, tokens, strings, error).run();
}

}  // namespace brisk::text::tmpl
