#include "text/special_tokens.hpp"

#include "text/char_class.hpp"

namespace brisk::text {

namespace {

// The character before `at`; the text is well-formed, so its lead byte is at most three bytes back.
Char char_before(std::string_view text, size_t at) {
  size_t begin = at;
  while (begin > 0) {
    --begin;
    if ((static_cast<uint8_t>(text[begin]) & 0xC0) != 0x80) break;
  }
  return char_at(text.substr(0, at), begin);
}

// \w of Unicode: letters, marks, numbers, connecting punctuation and the two joiners.
bool is_word_character(const Char& c) {
  if (c.is(kLetter | kMark | kNumber)) return true;
  switch (c.code) {
    case '_':
    case 0x200C:
    case 0x200D:
    case 0x203F:
    case 0x2040:
    case 0x2054:
    case 0xFE33:
    case 0xFE34:
    case 0xFE4D:
    case 0xFE4E:
    case 0xFE4F:
    case 0xFF3F: return true;
    default: return false;
  }
}

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  return !(begin > 0 && is_word_character(char_before(text, begin))) &&
         !is_word_character(char_at(text, end));
}

size_t without_space_before(std::string_view text, size_t from, size_t begin) {
  while (begin > from) {
    const Char c = char_before(text, begin);
    if (!c.is(kSpace)) break;
    begin -= c.length;
  }
  return begin;
}

size_t without_space_after(std::string_view text, size_t end) {
  for (Char c = char_at(text, end); c.is(kSpace); c = char_at(text, end)) end += c.length;
  return end;
}

}  // namespace

SpecialTokens::SpecialTokens(std::vector<SpecialToken> tokens) : tokens_(std::move(tokens)) {
  std::vector<std::pair<std::string_view, int32_t>> texts;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    SpecialToken& token = tokens_[i];
    texts.emplace_back(token.text, static_cast<int32_t>(i));
    first_bytes_[static_cast<uint8_t>(token.text.front())] = true;
    token.text = {};
  }
  trie_ = ByteTrie(std::move(texts));
}

SpecialTokens::Found SpecialTokens::find(std::string_view text, size_t from) const {
  const Found none{text.size(), text.size(), -1};
  if (tokens_.empty()) return none;
  for (size_t at = from; at < text.size(); ++at) {
    if (!first_bytes_[static_cast<uint8_t>(text[at])]) continue;
    const Match match = longest_at(text, at);
    if (match.number < 0) continue;
    const SpecialToken& token = tokens_[static_cast<size_t>(match.number)];
    if (token.single_word && !stands_alone(text, at, match.end)) {
      at = match.end - 1;  // no shorter token is looked for inside, as in Hugging Face's tokenizers
      continue;
    }
    return {token.strip_left ? without_space_before(text, from, at) : at,
            token.strip_right ? without_space_after(text, match.end) : match.end, token.id};
  }
  return none;
}

SpecialTokens::Match SpecialTokens::longest_at(std::string_view text, size_t at) const {
  Match best;
  ByteTrie::Node node = ByteTrie::kRoot;
  for (size_t end = at; end < text.size(); ++end) {
    node = trie_.child(node, static_cast<uint8_t>(text[end]));
    if (node == ByteTrie::kNone) break;
    if (trie_.value(node) >= 0) best = {end + 1, trie_.value(node)};
  }
  return best;
}

}  // namespace brisk::text
