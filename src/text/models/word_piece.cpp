// WordPiece: a word is cut from its beginning into the longest tokens there are. The first part begins with
// word_prefix (U+2581 in GGUF files), the others with continuing_prefix ("##"). A word that cannot be cut so,
// or that is longer than longest_word characters, is the unknown token.
#include "base/utf8.hpp"
#include "text/byte_trie.hpp"
#include "text/models/fallback.hpp"
#include "text/models/word_model.hpp"

namespace brisk::text {

namespace {

class WordPiece final : public WordModel {
 public:
  WordPiece(const TokenizerSpec& spec, const TokenTable& table)
      : unknown_(spec.unknown), longest_word_(spec.longest_word) {
    std::vector<std::pair<std::string_view, int32_t>> texts;
    for (int32_t id = 0; id < table.size(); ++id) {
      if (table.is_plain(id) && !table.text(id).empty()) texts.emplace_back(table.text(id), id);
    }
    trie_ = ByteTrie(std::move(texts));
    first_ = trie_.walk(ByteTrie::kRoot, spec.word_prefix);
    others_ = trie_.walk(ByteTrie::kRoot, spec.continuing_prefix);
  }

  void encode(std::string_view word, WordScratch& /*scratch*/, std::vector<int32_t>& ids) const override {
    const size_t before = ids.size();
    if (!too_long(word) && cut(word, ids)) return;
    ids.resize(before);
    if (unknown_ >= 0) ids.push_back(unknown_);
  }

 private:
  bool too_long(std::string_view word) const {
    if (static_cast<int64_t>(word.size()) <= longest_word_) return false;
    int64_t characters = 0;
    for (const char c : word) characters += (static_cast<uint8_t>(c) & 0xC0) != 0x80 ? 1 : 0;
    return characters > longest_word_;
  }

  bool cut(std::string_view word, std::vector<int32_t>& ids) const {
    ByteTrie::Node start = first_;
    // The prefix of a word may be a token of its own, in front of parts that continue it.
    if (start != ByteTrie::kNone && trie_.value(start) >= 0 && longest(word, 0, start).id < 0) {
      ids.push_back(trie_.value(start));
      start = others_;
    }
    for (size_t at = 0; at < word.size(); start = others_) {
      const Part part = longest(word, at, start);
      if (part.id < 0) return false;
      ids.push_back(part.id);
      at = part.end;
    }
    return true;
  }

  struct Part {
    size_t end;
    int32_t id;  // -1: none
  };
  Part longest(std::string_view word, size_t at, ByteTrie::Node node) const {
    Part best{at, -1};
    for (size_t end = at; node != ByteTrie::kNone && end < word.size();) {
      node = trie_.child(node, static_cast<uint8_t>(word[end]));
      ++end;
      if (node != ByteTrie::kNone && trie_.value(node) >= 0) best = {end, trie_.value(node)};
    }
    return best;
  }

  const int32_t unknown_;
  const int64_t longest_word_;
  ByteTrie trie_;
  ByteTrie::Node first_, others_;
};

}  // namespace

Result<std::unique_ptr<WordModel>> create_word_piece(const TokenizerSpec& spec, const TokenTable& table) {
  BRISK_TRY(check_lengths(table));
  return std::unique_ptr<WordModel>(std::make_unique<WordPiece>(spec, table));
}

}  // namespace brisk::text
