#include "text/mark_cuts.hpp"

#include <cstdint>

namespace brisk::text {

namespace {

// The next mark that stands behind another character than a mark.
size_t next_mark(std::string_view text, size_t from) {
  for (size_t at = text.find(kSpaceMark, from); at != std::string_view::npos;
       at = text.find(kSpaceMark, at + kSpaceMark.size())) {
    if (at > 0 && !text.substr(0, at).ends_with(kSpaceMark)) return at;
  }
  return text.size();
}

uint8_t byte_before(std::string_view text, size_t at) { return static_cast<uint8_t>(text[at - 1]); }

}  // namespace

MarkCuts::MarkCuts(const TokenTable& table) {
  for (int32_t id = 0; id < table.size(); ++id) {
    const std::string_view text = table.text(id);
    for (size_t at = next_mark(text, 0); at < text.size(); at = next_mark(text, at + kSpaceMark.size())) {
      joined_[byte_before(text, at)] = true;
    }
  }
}

size_t MarkCuts::first_end(std::string_view word) const {
  size_t at = next_mark(word, 0);
  while (at < word.size() && joined_[byte_before(word, at)]) at = next_mark(word, at + kSpaceMark.size());
  return at;
}

}  // namespace brisk::text
