#include "text/bpe.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "base/utf8.hpp"
#include "text/byte_alphabet.hpp"
#include "text/merge_table.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/special_tokens.hpp"
#include "text/token_index.hpp"

namespace brisk::text {

namespace {

// Ends the chain of a word's symbols.
constexpr uint32_t kNoSymbol = UINT32_MAX;

// Words are merged in parts of at most this many bytes, so that positions fit 32 bits.
constexpr size_t kLongestPart = size_t{1} << 30;

// Control tokens that end a turn or a text, by the names that models give them.
constexpr std::string_view kEndNames[] = {
    "<|im_end|>",    "<|eot_id|>",
    "<|eom_id|>",    "<|eot|>",
    "<|end|>",       "<|return|>",
    "<|call|>",      "<|calls|>",
    "<|flush|>",     "<|end_of_text|>",
    "<|endoftext|>", "<|end_of_turn|>",
    "<end_of_turn>", "<end_of_utterance>",
    "<turn|>",       "<eos>",
    "</s>",          "<EOT>",
    "_<EOT>",        "[EOT]",
    "[EOS]",         "<｜end▁of▁sentence｜>",
};

// One token of a word while it is merged: a node of a chain that lives in a vector.
struct Symbol {
  int32_t id;
  uint32_t previous, next;
  uint32_t rank;  // of the merge with `next`; kNoRank: none
};

// What encoding needs room for; kept from word to word.
struct Scratch {
  std::vector<size_t> word_ends, cut_ends;
  std::vector<Symbol> symbols;
  std::vector<uint64_t> queue;  // a heap, least first: rank << 32 | position of the left symbol
  std::string word;
};

// NN of "<0xNN>".
std::optional<uint8_t> parse_byte_token(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return std::nullopt;
  const int high = digit(text[3]);
  const int low = digit(text[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<uint8_t>(high * 16 + low);
}

class BpeTokenizer final : public Tokenizer {
 public:
  BpeTokenizer(const Vocabulary& vocabulary, PreTokenizer pre_tokenizer)
      : where_(vocabulary.where), tokens_(vocabulary.tokens), types_(vocabulary.types), index_(tokens_),
        pre_tokenizer_(pre_tokenizer), bos_(vocabulary.bos), eos_(vocabulary.eos),
        add_bos_(vocabulary.add_bos), add_eos_(vocabulary.add_eos) {}

  /// Builds the tables; to be called once, first.
  Status build(const Vocabulary& vocabulary);

  std::vector<int32_t> encode(std::string_view text, EncodeOptions options) const override;
  Result<std::string> token_bytes(int32_t id, bool special) const override;
  int32_t size() const override { return static_cast<int32_t>(tokens_.size()); }
  int32_t bos() const override { return bos_; }
  int32_t eos() const override { return eos_; }
  std::string_view token_text(int32_t id) const override {
    return has(id) ? tokens_[at(id)] : std::string_view();
  }
  TokenType token_type(int32_t id) const override { return has(id) ? type(id) : TokenType::kUnused; }
  int32_t find(std::string_view token_text) const override { return index_.find(token_text); }
  bool ends_generation(int32_t id) const override {
    return std::find(ends_.begin(), ends_.end(), id) != ends_.end();
  }

 private:
  static size_t at(int32_t id) { return static_cast<size_t>(id); }
  bool has(int32_t id) const { return id >= 0 && id < size(); }
  TokenType type(int32_t id) const { return types_.empty() ? TokenType::kNormal : types_[at(id)]; }
  /// Never to come out of plain text.
  bool is_special(int32_t id) const {
    return type(id) == TokenType::kControl || type(id) == TokenType::kUnknown;
  }
  std::string place(std::string_view what, size_t number) const {
    return where_ + ": " + std::string(what) + " " + std::to_string(number);
  }

  Status build_index();
  Status build_special_tokens();
  Status build_merges(std::span<const std::string_view> merges);
  Result<Merge> parse_merge(std::string_view text, size_t number, int32_t guess, std::string& joined) const;
  Status build_byte_tokens();
  void build_ends();

  void encode_plain(std::string_view text, Scratch& scratch, std::vector<int32_t>& ids) const;
  bool encode_whole(std::string_view word, Scratch& scratch, std::vector<int32_t>& ids) const;
  void encode_word(std::string_view word, Scratch& scratch, std::vector<int32_t>& ids) const;
  void start_word(std::string_view word, Scratch& scratch) const;
  void merge_with_next(uint32_t left, Scratch& scratch) const;
  void rank_with_next(uint32_t left, Scratch& scratch) const;

  std::string where_;
  std::vector<std::string_view> tokens_;
  std::vector<TokenType> types_;
  TokenIndex index_;  // views tokens_
  PreTokenizer pre_tokenizer_;
  MergeTable merges_;
  SpecialTokens special_tokens_;       // all that stand for themselves
  SpecialTokens user_defined_tokens_;  // those that do so in any text
  std::array<int32_t, 256> byte_ids_{};
  std::vector<int32_t> ends_;
  int32_t bos_, eos_;
  bool add_bos_, add_eos_;
};

Status BpeTokenizer::build(const Vocabulary& vocabulary) {
  BRISK_TRY(build_index());
  BRISK_TRY(build_byte_tokens());
  BRISK_TRY(build_special_tokens());
  BRISK_TRY(build_merges(vocabulary.merges));
  build_ends();
  return {};
}

Status BpeTokenizer::build_index() {
  for (int32_t id = 0; id < size(); ++id) {
    if (tokens_[at(id)].empty()) continue;
    if (const int32_t first = index_.insert(id); first != id) {
      return bad_input({place("token", at(id)), "a text of its own",
                        "'" + std::string(tokens_[at(id)]) + "', which is token " + std::to_string(first),
                        "converting the file anew"});
    }
  }
  return {};
}

Status BpeTokenizer::build_byte_tokens() {
  std::string character;
  for (size_t byte = 0; byte < 256; ++byte) {
    character.clear();
    utf8_append(character, alphabet_char(static_cast<uint8_t>(byte)));
    const int32_t id = find(character);
    byte_ids_[byte] = id >= 0 && type(id) == TokenType::kNormal ? id : -1;
  }
  for (int32_t id = 0; id < size(); ++id) {
    if (type(id) != TokenType::kByte) continue;
    const auto byte = parse_byte_token(tokens_[at(id)]);
    if (!byte) {
      return bad_input({place("token", at(id)), "a byte written as <0x00> to <0xFF>",
                        "'" + std::string(tokens_[at(id)]) + "'", "converting the file anew"});
    }
    if (byte_ids_[*byte] < 0) byte_ids_[*byte] = id;
  }
  return {};
}

Status BpeTokenizer::build_special_tokens() {
  std::vector<std::pair<std::string_view, int32_t>> all, user_defined;
  for (int32_t id = 0; id < size(); ++id) {
    const bool user_token = type(id) == TokenType::kUserDefined;
    if (!user_token && !is_special(id)) continue;
    const std::string_view text = tokens_[at(id)];
    if (text.empty() || text.size() > kLongestSpecialToken || !utf8_valid(text)) {
      return bad_input(
          {place("token", at(id)),
           "a special token of 1 to " + std::to_string(kLongestSpecialToken) + " bytes of UTF-8",
           std::to_string(text.size()) + (utf8_valid(text) ? " bytes" : " bytes of ill-formed UTF-8"),
           "converting the file anew"});
    }
    all.emplace_back(text, id);
    if (user_token) user_defined.emplace_back(text, id);
  }
  special_tokens_ = SpecialTokens(std::move(all));
  user_defined_tokens_ = SpecialTokens(std::move(user_defined));
  return {};
}

Status BpeTokenizer::build_merges(std::span<const std::string_view> texts) {
  std::vector<Merge> merges;
  merges.reserve(texts.size());
  std::string joined;
  int32_t guess = 0;  // tokens stand in the order of their merges, but for a few: the next is likely this one
  for (size_t i = 0; i < texts.size(); ++i) {
    BRISK_ASSIGN(const Merge merge, parse_merge(texts[i], i, guess, joined));
    guess = merge.merged + 1;
    if (!is_special(merge.merged)) merges.push_back(merge);
  }
  merges_ = MergeTable(merges, static_cast<int64_t>(tokens_.size()));
  return {};
}

// `joined` is room to work in.
Result<Merge> BpeTokenizer::parse_merge(std::string_view text, size_t number, int32_t guess,
                                        std::string& joined) const {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || space == 0 || space + 1 == text.size() ||
      text.find(' ', space + 1) != std::string_view::npos) {
    return bad_input({place("merge", number), "two tokens with one space between",
                      "'" + std::string(text) + "'", "converting the file anew"});
  }
  const std::string_view left = text.substr(0, space);
  const std::string_view right = text.substr(space + 1);
  joined.assign(left).append(right);
  const bool guessed = has(guess) && tokens_[at(guess)] == joined;
  const Merge merge{find(left), find(right), guessed ? guess : find(joined)};
  if (merge.left < 0 || merge.right < 0 || merge.merged < 0) {
    const std::string_view missing = merge.left < 0    ? left
                                     : merge.right < 0 ? right
                                                       : std::string_view(joined);
    return bad_input({place("merge", number), "tokens of the vocabulary",
                      "'" + std::string(missing) + "', which is none", "converting the file anew"});
  }
  return merge;
}

void BpeTokenizer::build_ends() {
  if (eos_ >= 0) ends_.push_back(eos_);
  // Where a call or return has its own token, <|end|> only ends one message of a turn (gpt-oss, Solar).
  const bool end_is_inner = (find("<|return|>") >= 0 || find("<|flush|>") >= 0) &&
                            (find("<|call|>") >= 0 || find("<|calls|>") >= 0);
  for (const std::string_view name : kEndNames) {
    if (end_is_inner && name == "<|end|>") continue;
    const int32_t id = find(name);
    if (id >= 0 && type(id) == TokenType::kControl) ends_.push_back(id);
  }
}

std::vector<int32_t> BpeTokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::string repaired;
  if (!utf8_valid(text)) {
    repaired = utf8_sanitize(text);
    text = repaired;
  }
  const SpecialTokens& specials = options.parse_special ? special_tokens_ : user_defined_tokens_;
  Scratch scratch;
  std::vector<int32_t> ids;
  if (options.add_special && add_bos_) ids.push_back(bos_);
  for (size_t begin = 0; begin < text.size();) {
    const SpecialTokens::Found special = specials.find(text, begin);
    encode_plain(text.substr(begin, special.begin - begin), scratch, ids);
    if (special.id >= 0) ids.push_back(special.id);
    begin = special.end;
  }
  if (options.add_special && add_eos_) ids.push_back(eos_);
  return ids;
}

void BpeTokenizer::encode_plain(std::string_view text, Scratch& scratch, std::vector<int32_t>& ids) const {
  pre_tokenizer_.split(text, scratch.word_ends, scratch.cut_ends);
  size_t begin = 0;
  for (const size_t end : scratch.word_ends) {
    const std::string_view word = text.substr(begin, end - begin);
    begin = end;
    if (pre_tokenizer_.takes_whole_words() && encode_whole(word, scratch, ids)) continue;
    for (size_t part = 0; part < word.size(); part += kLongestPart) {
      encode_word(word.substr(part, kLongestPart), scratch, ids);
    }
  }
}

bool BpeTokenizer::encode_whole(std::string_view word, Scratch& scratch, std::vector<int32_t>& ids) const {
  scratch.word.clear();
  append_alphabet(scratch.word, word);
  const int32_t id = find(scratch.word);
  if (id < 0 || is_special(id)) return false;
  ids.push_back(id);
  return true;
}

void BpeTokenizer::encode_word(std::string_view word, Scratch& scratch, std::vector<int32_t>& ids) const {
  start_word(word, scratch);
  auto& queue = scratch.queue;
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), std::greater<>());
    const uint64_t best = queue.back();
    queue.pop_back();
    const auto left = static_cast<uint32_t>(best);
    // Entries are not taken out when a neighbour merges; those have another rank now.
    if (scratch.symbols[left].rank == best >> 32) merge_with_next(left, scratch);
  }
  if (scratch.symbols.empty()) return;
  for (uint32_t i = 0; i != kNoSymbol; i = scratch.symbols[i].next) ids.push_back(scratch.symbols[i].id);
}

// One symbol per byte that has a token, and the merges that are possible between them.
void BpeTokenizer::start_word(std::string_view word, Scratch& scratch) const {
  auto& symbols = scratch.symbols;
  symbols.clear();
  scratch.queue.clear();
  for (const char c : word) {
    const int32_t id = byte_ids_[static_cast<uint8_t>(c)];
    if (id < 0) continue;
    const auto i = static_cast<uint32_t>(symbols.size());
    symbols.push_back({id, i == 0 ? kNoSymbol : i - 1, i + 1, MergeTable::kNoRank});
  }
  if (symbols.empty()) return;
  symbols.back().next = kNoSymbol;
  for (uint32_t i = 0; i + 1 < symbols.size(); ++i) {
    const uint32_t rank = merges_.rank(symbols[i].id, symbols[i + 1].id);
    symbols[i].rank = rank;
    if (rank != MergeTable::kNoRank) scratch.queue.push_back(uint64_t{rank} << 32 | i);
  }
  std::make_heap(scratch.queue.begin(), scratch.queue.end(), std::greater<>());
}

void BpeTokenizer::merge_with_next(uint32_t left, Scratch& scratch) const {
  auto& symbols = scratch.symbols;
  Symbol& symbol = symbols[left];
  Symbol& gone = symbols[symbol.next];
  symbol.id = merges_.merged(symbol.rank);
  symbol.next = gone.next;
  gone.rank = MergeTable::kNoRank;
  if (symbol.next != kNoSymbol) symbols[symbol.next].previous = left;
  rank_with_next(left, scratch);
  if (symbol.previous != kNoSymbol) rank_with_next(symbol.previous, scratch);
}

void BpeTokenizer::rank_with_next(uint32_t left, Scratch& scratch) const {
  Symbol& symbol = scratch.symbols[left];
  symbol.rank = symbol.next == kNoSymbol ? MergeTable::kNoRank
                                         : merges_.rank(symbol.id, scratch.symbols[symbol.next].id);
  if (symbol.rank == MergeTable::kNoRank) return;
  scratch.queue.push_back(uint64_t{symbol.rank} << 32 | left);
  std::push_heap(scratch.queue.begin(), scratch.queue.end(), std::greater<>());
}

Result<std::string> BpeTokenizer::token_bytes(int32_t id, bool special) const {
  if (!has(id)) {
    return bad_input({where_ + ": token id", "0 to " + std::to_string(size() - 1), std::to_string(id),
                      "ids of this model's own vocabulary"});
  }
  const std::string_view text = tokens_[at(id)];
  std::string bytes;
  switch (type(id)) {
    case TokenType::kControl:
    case TokenType::kUnknown:
      if (special) bytes = text;
      break;
    case TokenType::kUserDefined: bytes = text; break;
    case TokenType::kByte: bytes = static_cast<char>(*parse_byte_token(text)); break;
    case TokenType::kNormal:
    case TokenType::kUnused: append_alphabet_bytes(bytes, text); break;
  }
  return bytes;
}

// Counts, types and ids, before any table is built.
Status check_numbers(const Vocabulary& v) {
  const std::string& where = v.where;
  if (v.tokens.empty() || v.tokens.size() > INT32_MAX) {
    return bad_input({where + ": tokens", "1 to 2147483647", std::to_string(v.tokens.size()), ""});
  }
  if (!v.types.empty() && v.types.size() != v.tokens.size()) {
    return bad_input({where + ": token types", std::to_string(v.tokens.size()) + ", one per token",
                      std::to_string(v.types.size()), "converting the file anew"});
  }
  for (size_t i = 0; i < v.types.size(); ++i) {
    const int type = static_cast<int>(v.types[i]);
    if (type < static_cast<int>(TokenType::kNormal) || type > static_cast<int>(TokenType::kByte)) {
      return bad_input(
          {where + ": token " + std::to_string(i), "a type from 1 to 6", std::to_string(type), ""});
    }
  }
  if (v.merges.size() >= MergeTable::kNoRank) {
    return bad_input({where + ": merges", "less than 2^32", std::to_string(v.merges.size()), ""});
  }
  struct SpecialId {
    const char* name;
    int32_t id;
    bool added;
  };
  for (const SpecialId& s : {SpecialId{"BOS", v.bos, v.add_bos}, SpecialId{"EOS", v.eos, v.add_eos}}) {
    const bool in_range = s.id >= 0 && static_cast<size_t>(s.id) < v.tokens.size();
    if (in_range || (s.id == -1 && !s.added)) continue;
    return bad_input({where + ": " + s.name + " token", "an id below " + std::to_string(v.tokens.size()),
                      s.id == -1 ? "none, though texts are to get one" : std::to_string(s.id),
                      "converting the file anew"});
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> create_bpe_tokenizer(const Vocabulary& vocabulary) {
  BRISK_TRY(check_numbers(vocabulary));
  BRISK_ASSIGN(const PreTokenizer pre_tokenizer,
               PreTokenizer::named(vocabulary.pre_tokenizer, vocabulary.where));
  auto tokenizer = std::make_unique<BpeTokenizer>(vocabulary, pre_tokenizer);
  BRISK_TRY(tokenizer->build(vocabulary));
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace brisk::text
