// A small byte-level BPE vocabulary for tests: the 256 bytes (ids 0 to 255), then what is added.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "base/utf8.hpp"
#include "text/byte_alphabet.hpp"
#include "text/gguf_vocabulary.hpp"

namespace brisk::test {

class ByteVocabulary {
 public:
  explicit ByteVocabulary(std::string pre_tokenizer = "gpt-2") {
    vocabulary_.where = "test";
    vocabulary_.model = "gpt2";
    vocabulary_.pre_tokenizer = std::move(pre_tokenizer);
    for (int byte = 0; byte < 256; ++byte) {
      std::string character;
      utf8_append(character, text::alphabet_char(static_cast<uint8_t>(byte)));
      add(character);
    }
  }
  ByteVocabulary(const ByteVocabulary&) = delete;
  ByteVocabulary& operator=(const ByteVocabulary&) = delete;

  /// Adds a token as the vocabulary writes it; returns its id.
  int32_t add(std::string_view text, text::TokenType type = text::TokenType::kNormal) {
    vocabulary_.tokens.push_back(keep(std::string(text)));
    vocabulary_.types.push_back(type);
    return static_cast<int32_t>(vocabulary_.tokens.size()) - 1;
  }
  /// Adds the merge of two texts (given as bytes) and the token that it makes; returns the token's id.
  int32_t merge(std::string_view left, std::string_view right) {
    const std::string a = written(left), b = written(right);
    add_merge(a + " " + b);
    return add(a + b);
  }
  void add_merge(std::string_view line) { vocabulary_.merges.push_back(keep(std::string(line))); }

  text::Vocabulary& get() { return vocabulary_; }

  /// Bytes in the alphabet of byte-level BPE.
  static std::string written(std::string_view bytes) {
    std::string out;
    text::append_alphabet(out, bytes);
    return out;
  }

  /// A text that lives as long as the vocabulary.
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

 private:
  std::deque<std::string> texts_;  // never moves what the views point at
  text::Vocabulary vocabulary_;
};

/// Merges that meet in common texts; the tests count on none of them in particular.
inline void add_common_merges(ByteVocabulary& vocabulary) {
  const std::pair<const char*, const char*> merges[] = {
      {" ", "t"},       {"h", "e"},       {" t", "he"},         {"i", "n"},   {"a", "a"}, {"aa", "aa"},
      {"aaaa", "aaaa"}, {" ", " "},       {"  ", "  "},         {"\n", "\n"}, {"1", "2"}, {"12", "3"},
      {"\xC3", "\xA9"}, {"\xF0", "\x9F"}, {"\xF0\x9F", "\x98"}, {"'", "s"},   {"l", "l"}, {"'", "ll"},
  };
  for (const auto& [left, right] : merges) vocabulary.merge(left, right);
}

}  // namespace brisk::test
