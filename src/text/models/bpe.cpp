// BPE by merges: the symbols of a word, one each for its bytes (GPT-2 and most models since) or for its
// characters (Llama 2 in tokenizer.json), are merged pair by pair, the earliest merge of the vocabulary
// first, until none is left.
//
// Two merges of one pair: the earlier counts. A merge that would make a control token is left out, so that no
// text can forge one. A byte or character that no token stands for becomes <0xNN> tokens (byte_fallback), the
// unknown token, or nothing (SmolLM2's vocabulary lacks six control characters, for example).
#include <algorithm>

#include "base/utf8.hpp"
#include "text/byte_alphabet.hpp"
#include "text/models/merging.hpp"
#include "text/models/word_model.hpp"

namespace brisk::text {

namespace {

Status no_such_token(const TokenTable& table, int64_t merge, std::string_view text) {
  return bad_input({table.place("merge", merge), "tokens of the vocabulary",
                    "'" + std::string(text) + "', which is none", "converting the file anew"});
}

// "a" and "##b" make "ab", "##a" and "##b" make "##ab": the right one loses its continuing prefix.
Result<MergeTable> build_merges(const TokenizerSpec& spec, const TokenTable& table) {
  if (spec.merges.size() >= MergeTable::kNoRank) {
    return bad_input({spec.where + ": merges", "less than 2^32", std::to_string(spec.merges.size()), ""});
  }
  std::vector<Merge> merges;
  merges.reserve(spec.merges.size());
  std::string joined;
  int32_t guess = 0;  // tokens stand in the order of their merges, but for a few: the next is likely this one
  for (size_t i = 0; i < spec.merges.size(); ++i) {
    const auto& [left, right] = spec.merges[i];
    const auto number = static_cast<int64_t>(i);
    joined.assign(left);
    joined.append(right.starts_with(spec.continuing_prefix) ? right.substr(spec.continuing_prefix.size())
                                                            : right);
    const bool guessed = table.has(guess) && table.text(guess) == joined;
    const Merge merge{table.find(left), table.find(right), guessed ? guess : table.find(joined)};
    if (merge.left < 0) return no_such_token(table, number, left);
    if (merge.right < 0) return no_such_token(table, number, right);
    if (merge.merged < 0) return no_such_token(table, number, joined);
    guess = merge.merged + 1;
    if (table.is_plain(merge.merged)) merges.push_back(merge);
  }
  return MergeTable(merges, table.size());
}

class BpeModel : public WordModel {
 public:
  BpeModel(const TokenizerSpec& spec, const TokenTable& table, MergeTable merges)
      : table_(table), merges_(std::move(merges)), unknown_(spec.unknown), fuse_unknown_(spec.fuse_unknown),
        whole_words_(spec.whole_words) {}

 protected:
  /// Where the vocabulary wants words whole: whether this one, as tokens spell it, is a token.
  bool encode_whole(std::string_view word, std::vector<int32_t>& ids) const {
    const int32_t id = table_.find_plain(word);
    if (id >= 0) ids.push_back(id);
    return id >= 0;
  }

  void append_unknown(WordScratch& scratch) const {
    if (unknown_ < 0) return;
    const bool after_another = !scratch.symbols.empty() && scratch.symbols.back().id == unknown_;
    if (!fuse_unknown_ || !after_another) append_symbol(unknown_, scratch.symbols);
  }

  void merge(WordScratch& scratch, std::vector<int32_t>& ids) const {
    auto& symbols = scratch.symbols;
    merge_symbols(scratch, [&](uint32_t left) {
      return merges_.find(symbols[left].id, symbols[symbols[left].next].id);
    });
    if (symbols.empty()) return;
    for (uint32_t i = 0; i != kNoSymbol; i = symbols[i].next) ids.push_back(symbols[i].id);
  }

  const TokenTable& table_;
  const MergeTable merges_;
  const int32_t unknown_;
  const bool fuse_unknown_, whole_words_;
};

class ByteBpe final : public BpeModel {
 public:
  ByteBpe(const TokenizerSpec& spec, const TokenTable& table, MergeTable merges)
      : BpeModel(spec, table, std::move(merges)) {
    std::string character;
    for (size_t byte = 0; byte < 256; ++byte) {
      character.clear();
      utf8_append(character, alphabet_char(static_cast<uint8_t>(byte)));
      const int32_t id = table.find(character);
      const bool normal = id >= 0 && table.type(id) == TokenType::kNormal;
      byte_ids_[byte] = normal ? id : table.byte_token(static_cast<uint8_t>(byte));
    }
  }

  void encode(std::string_view word, WordScratch& scratch, std::vector<int32_t>& ids) const override {
    if (whole_words_) {
      scratch.text.clear();
      append_alphabet(scratch.text, word);
      if (encode_whole(scratch.text, ids)) return;
    }
    scratch.symbols.clear();
    for (const char c : word) {
      const int32_t id = byte_ids_[static_cast<uint8_t>(c)];
      if (id >= 0) {
        append_symbol(id, scratch.symbols);
      } else {
        append_unknown(scratch);
      }
    }
    merge(scratch, ids);
  }

 private:
  std::array<int32_t, 256> byte_ids_{};
};

class CharacterBpe final : public BpeModel {
 public:
  CharacterBpe(const TokenizerSpec& spec, const TokenTable& table, MergeTable merges)
      : BpeModel(spec, table, std::move(merges)), in_alphabet_(spec.spelling == TokenSpelling::kByteAlphabet),
        byte_fallback_(spec.byte_fallback), continuing_prefix_(spec.continuing_prefix),
        end_suffix_(spec.end_of_word_suffix) {}

  void encode(std::string_view word, WordScratch& scratch, std::vector<int32_t>& ids) const override {
    std::string written;
    if (in_alphabet_) {
      append_alphabet(written, word);
      word = written;
    }
    if (whole_words_ && encode_whole(word, ids)) return;
    scratch.symbols.clear();
    for (size_t at = 0; at < word.size();) {
      const size_t end = at + utf8_decode(word, at).length;
      append_character(word.substr(at, end - at), at == 0, end == word.size(), scratch);
      at = end;
    }
    merge(scratch, ids);
  }

 private:
  void append_character(std::string_view character, bool first, bool last, WordScratch& scratch) const {
    const bool prefixed = !first && !continuing_prefix_.empty();
    const bool suffixed = last && !end_suffix_.empty();
    if (prefixed || suffixed) {
      scratch.text.assign(prefixed ? std::string_view(continuing_prefix_) : std::string_view());
      scratch.text += character;
      if (suffixed) scratch.text += end_suffix_;
      character = scratch.text;
    }
    if (const int32_t id = table_.find_plain(character); id >= 0) {
      append_symbol(id, scratch.symbols);
    } else if (byte_fallback_ && has_bytes(character)) {
      for (const char c : character) {
        append_symbol(table_.byte_token(static_cast<uint8_t>(c)), scratch.symbols);
      }
    } else {
      append_unknown(scratch);
    }
  }

  bool has_bytes(std::string_view text) const {
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return table_.byte_token(static_cast<uint8_t>(c)) >= 0; });
  }

  const bool in_alphabet_, byte_fallback_;
  const std::string continuing_prefix_, end_suffix_;
};

}  // namespace

Result<std::unique_ptr<WordModel>> create_byte_bpe(const TokenizerSpec& spec, const TokenTable& table) {
  BRISK_ASSIGN(MergeTable merges, build_merges(spec, table));
  return std::unique_ptr<WordModel>(std::make_unique<ByteBpe>(spec, table, std::move(merges)));
}

Result<std::unique_ptr<WordModel>> create_character_bpe(const TokenizerSpec& spec, const TokenTable& table) {
  BRISK_ASSIGN(MergeTable merges, build_merges(spec, table));
  return std::unique_ptr<WordModel>(std::make_unique<CharacterBpe>(spec, table, std::move(merges)));
}

}  // namespace brisk::text
