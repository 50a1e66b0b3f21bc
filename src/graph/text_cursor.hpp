// Reads the words of a graph's text (graph/text.hpp) one after the other and knows the line and column.
#pragma once

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "graph/text_names.hpp"

namespace brisk::graph {

class TextCursor {
 public:
  TextCursor(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  bool at_end() const { return at_ == text_.size(); }
  bool at_line_end() const { return at_end() || text_[at_] == '\n'; }
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  void skip_spaces() {
    while (peek() == ' ') ++at_;
  }
  /// Past line ends and the spaces that begin lines.
  void skip_empty_lines() {
    for (skip_spaces(); peek() == '\n'; skip_spaces()) next_line();
  }
  /// Whether the text goes on with `word`, after spaces; then it is passed.
  bool accept(std::string_view word) {
    skip_spaces();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  Status expect(std::string_view word) {
    if (accept(word)) return {};
    return wrong("'" + std::string(word) + "'");
  }
  Status expect_line_end() {
    skip_spaces();
    if (!at_line_end()) return wrong("the end of the line");
    if (!at_end()) next_line();
    return {};
  }

  /// A letter or _, then letters, digits and _.
  Result<std::string> identifier() {
    skip_spaces();
    const auto letter = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (!letter(peek())) return wrong("a word");
    const size_t begin = at_;
    while (letter(peek()) || (peek() >= '0' && peek() <= '9')) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  /// A bare or quoted name.
  Result<std::string> name() {
    skip_spaces();
    if (peek() == '"') return quoted();
    const size_t begin = at_;
    while (is_bare_name_letter(peek())) ++at_;
    if (at_ == begin) return wrong("a name");
    return std::string(text_.substr(begin, at_ - begin));
  }

  /// A number of the type, as many characters as belong to it.
  template <typename T>
  Result<T> number(std::string_view expected) {
    skip_spaces();
    T value{};
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    // from_chars also reads "inf" and "nan", which the text does not have.
    const bool digits = peek() == '-' || (peek() >= '0' && peek() <= '9');
    if (error != std::errc() || !digits || !(value - value == T{})) return wrong(expected);
    at_ += static_cast<size_t>(end - begin);
    return value;
  }
  /// Whether the number that stands here is written as a real: with a point or an exponent.
  bool at_real() const {
    size_t i = at_;
    while (i < text_.size() && (text_[i] == '-' || (text_[i] >= '0' && text_[i] <= '9'))) ++i;
    return i < text_.size() && (text_[i] == '.' || text_[i] == 'e');
  }

  /// "WHERE, line L, column C: expected X, got ...".
  Status wrong(std::string_view expected) const {
    if (at_line_end()) return wrong(expected, at_end() ? "the end of the text" : "the end of the line");
    const std::string_view rest = text_.substr(at_, std::min(text_.find('\n', at_) - at_, kShown));
    return wrong(expected, "'" + std::string(rest) + "'");
  }
  Status wrong(std::string_view expected, std::string got) const {
    return bad_input(
        {place(), std::string(expected), std::move(got), "a graph as 'brisk show MODEL --graph' prints it"});
  }
  /// What a rule said of what stands on this line.
  Status refused(const Status& status) const {
    const ErrorParts& parts = status.parts();
    return wrong(parts.where + ": " + parts.expected, parts.got);
  }

 private:
  static constexpr size_t kShown = 24;  // characters of the text in a message
  static constexpr size_t kMostName = 4096;

  std::string place() const {
    return where_ + ", line " + std::to_string(line_) + ", column " + std::to_string(at_ - line_begin_ + 1);
  }
  void next_line() {
    ++at_;
    ++line_;
    line_begin_ = at_;
  }

  Result<std::string> quoted() {
    std::string out;
    for (++at_; peek() != '"'; ++at_) {
      if (at_line_end() || out.size() >= kMostName) return wrong("a closing quote");
      if (peek() != '\\') {
        out += peek();
        continue;
      }
      ++at_;
      if (peek() == '"' || peek() == '\\') {
        out += peek();
      } else if (peek() == 'x') {
        unsigned byte = 0;
        const std::string_view digits = text_.substr(at_ + 1, 2);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (error != std::errc() || end != digits.data() + 2)
          return wrong("two hexadecimal digits after \\x");
        out += static_cast<char>(byte);
        at_ += 2;
      } else {
        return wrong("\\\", \\\\ or \\xHH");
      }
    }
    ++at_;
    return out;
  }

  std::string_view text_;
  std::string where_;
  size_t at_ = 0, line_begin_ = 0, line_ = 1;
};

}  // namespace brisk::graph
