// The filter wordwrap: Python's textwrap. Text is cut into chunks (white space, words, parts of words up to a
// hyphen), which then fill lines.
#include <algorithm>
#include <string>

#include "base/utf8.hpp"
#include "text/template/operators.hpp"
#include "text/template/unicode.hpp"
#include "text/template/wrap.hpp"

namespace brisk::text::tmpl {
namespace {

using Characters = std::u32string_view;

bool is_blank(char32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_word(char32_t c) { return c == '_' || is_alphabetic(c) || is_numeric(c); }
bool is_letter(char32_t c) { return is_word(c) && !is_decimal(c); }
bool is_word_or_mark(char32_t c) {
  return is_word(c) ||
         (c < 0x80 && std::string_view("!\"'&.,?").find(static_cast<char>(c)) != std::string_view::npos);
}

class Wrapper {
 public:
  Wrapper(Characters text, const WrapOptions& options) : text_(text), options_(options) {}

  std::vector<std::string> lines() {
    cut();
    std::vector<std::string> lines;
    for (size_t next = 0; next < chunks_.size();) {
      if (!lines.empty() && is_white(chunks_[next])) ++next;
      const std::u32string line = fill_line(next);
      if (line.empty()) continue;
      std::string& out = lines.emplace_back();
      for (const char32_t c : line) utf8_append(out, c);
    }
    return lines;
  }

 private:
  static bool is_white(Characters chunk) { return std::all_of(chunk.begin(), chunk.end(), is_space); }

  bool at_word(size_t at) const { return at < text_.size() && is_word(text_[at]); }
  bool at_letter(size_t at) const { return at < text_.size() && is_letter(text_[at]); }

  /// Whether a dash of two or more hyphens stands here, between words; `end` is behind it.
  bool is_dash(size_t at, size_t& end) const {
    if (at == 0 || !is_word_or_mark(text_[at - 1])) return false;
    end = at;
    while (end < text_.size() && text_[end] == '-') ++end;
    return end >= at + 2 && at_word(end);
  }

  /// Whether the hyphen here joins two words of letters: "ab-cd", "a-b-cd".
  bool joins_words(size_t at) const {
    if (text_[at] != '-' || at < 2) return false;
    const bool after_letters = at_letter(at - 1) && at_letter(at - 2);
    const bool after_short =
        at >= 3 && is_word_or_mark(text_[at - 1]) && text_[at - 2] == '-' && at_letter(at - 3);
    if (!after_letters && !after_short) return false;
    return at_letter(at + 1) &&
           (at_letter(at + 2) || (at + 2 < text_.size() && text_[at + 2] == '-' && at_letter(at + 3)));
  }

  size_t chunk_end(size_t at) const {
    if (is_blank(text_[at])) {
      while (at < text_.size() && is_blank(text_[at])) ++at;
      return at;
    }
    size_t end = 0;
    if (options_.break_on_hyphens && is_dash(at, end)) return end;
    for (++at; at < text_.size() && !is_blank(text_[at]); ++at) {
      if (!options_.break_on_hyphens) continue;
      if (joins_words(at)) return at + 1;
      if (is_dash(at, end)) break;
    }
    return at;
  }

  void cut() {
    for (size_t at = 0; at < text_.size();) {
      const size_t end = chunk_end(at);
      chunks_.push_back(text_.substr(at, end - at));
      at = end;
    }
  }

  std::u32string fill_line(size_t& next) {
    const auto width = static_cast<size_t>(options_.width);
    std::u32string line;
    Characters last;
    while (next < chunks_.size() && line.size() + chunks_[next].size() <= width) {
      last = chunks_[next++];
      line += last;
    }
    if (next < chunks_.size() && chunks_[next].size() > width) add_part_of_word(next, line, last);
    if (!last.empty() && is_white(last)) line.resize(line.size() - last.size());
    return line;
  }

  /// A word that is too long for any line.
  void add_part_of_word(size_t& next, std::u32string& line, Characters& last) {
    Characters& word = chunks_[next];
    if (!options_.break_long_words) {
      if (!line.empty()) return;
      last = word;
      line += word;
      ++next;
      return;
    }
    const size_t room = static_cast<size_t>(options_.width) - line.size();
    size_t end = room;
    if (options_.break_on_hyphens && room > 0) {
      const size_t hyphen = word.rfind(U'-', room - 1);
      const bool is_inside =
          hyphen != Characters::npos && hyphen > 0 && word.find_first_not_of(U'-') < hyphen;
      if (is_inside) end = hyphen + 1;
    }
    last = word.substr(0, end);
    line += last;
    word.remove_prefix(end);
    if (word.empty()) ++next;
  }

  Characters text_;
  const WrapOptions& options_;
  std::vector<Characters> chunks_;
};

}  // namespace

std::vector<std::string> wrapped_lines(std::string_view text, const WrapOptions& options) {
  std::u32string characters;
  for (size_t at = 0, length = 0; at < text.size(); at += length)
    characters += character_at(text, at, length);
  return Wrapper(characters, options).lines();
}

}  // namespace brisk::text::tmpl
