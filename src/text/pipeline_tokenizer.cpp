// The tokenizer that a specification describes; its stages are drawn in text/tokenizer_spec.hpp.
#include <algorithm>
#include <optional>

#include "base/utf8.hpp"
#include "text/generation_ends.hpp"
#include "text/mark_cuts.hpp"
#include "text/models/word_model.hpp"
#include "text/special_tokens.hpp"
#include "text/token_decoder.hpp"
#include "text/token_table.hpp"
#include "text/tokenizer_spec.hpp"
#include "text/word_cache.hpp"

namespace brisk::text {

namespace {

using Ids = std::vector<int32_t>;

/// Added tokens that are looked for in one text: all, or those that any text may hold.
struct AddedTokens {
  SpecialTokens raw;         ///< in the text as given
  SpecialTokens normalized;  ///< in what the normalizer makes of it
};

/// What one call of encode() works in.
struct Work {
  explicit Work(size_t text_bytes) : cache(text_bytes) {}
  Ids ids;
  WordCache cache;
  WordScratch word;
  Words words;
  Normalizer::Scratch normalizer;
};

/// Calls `section(begin, text between tokens)`, which returns a Status, and appends the tokens' ids.
template <typename Section>
Status cut_at_tokens(const SpecialTokens& tokens, std::string_view text, Ids& ids, Section section) {
  for (size_t begin = 0; begin < text.size();) {
    const SpecialTokens::Found found = tokens.find(text, begin);
    if (found.begin > begin) BRISK_TRY(section(begin, text.substr(begin, found.begin - begin)));
    if (found.id >= 0) ids.push_back(found.id);
    begin = found.end;
  }
  return {};
}

class PipelineTokenizer final : public Tokenizer {
 public:
  PipelineTokenizer(TokenizerSpec spec, std::unique_ptr<const TokenTable> table,
                    std::unique_ptr<const WordModel> model)
      : spec_(std::move(spec)), table_(std::move(table)), model_(std::move(model)), decoder_(spec_, *table_),
        ends_(generation_ends(*table_, spec_.eos, spec_.ends)) {
    // The parts of a word hang together where its ends look different, or where it may be a token whole.
    const bool by_place = !spec_.continuing_prefix.empty() || !spec_.end_of_word_suffix.empty() ||
                          spec_.whole_words || spec_.spelling == TokenSpelling::kByteAlphabet;
    if (spec_.model != WordModelKind::kWordPiece && !by_place) cuts_.emplace(*table_);
  }

  /// Takes the added tokens of the specification; to be called once, first.
  Status build_added_tokens();

  Result<Ids> encode(std::string_view text, EncodeOptions options) const override;
  Result<std::string> token_bytes(int32_t id, bool special) const override;
  Status decode_next(int32_t id, bool special, DecodeState& state, std::string& bytes) const override;

  int32_t size() const override { return table_->size(); }
  int32_t bos() const override { return spec_.bos; }
  int32_t eos() const override { return spec_.eos; }
  std::string_view token_text(int32_t id) const override {
    return table_->has(id) ? table_->text(id) : std::string_view();
  }
  TokenType token_type(int32_t id) const override {
    return table_->has(id) ? table_->type(id) : TokenType::kUnused;
  }
  int32_t find(std::string_view token_text) const override { return table_->find(token_text); }
  bool ends_generation(int32_t id) const override {
    return std::find(ends_.begin(), ends_.end(), id) != ends_.end();
  }

 private:
  Status check_id(int32_t id) const;
  Status check_added_token(const AddedToken& token, std::string_view text) const;

  Status encode_section(const AddedTokens& added, std::string_view section, bool first, Work& work) const;
  Status encode_words(std::string_view text, bool first, Work& work) const;
  void encode_word(std::string_view word, Work& work) const;
  void encode_piece(std::string_view piece, Work& work) const;

  TokenizerSpec spec_;
  std::unique_ptr<const TokenTable> table_;
  std::unique_ptr<const WordModel> model_;  // views table_
  TokenDecoder decoder_;                    // views table_
  AddedTokens all_added_, user_added_;
  std::vector<int32_t> ends_;
  std::optional<MarkCuts> cuts_;
};

Status PipelineTokenizer::check_added_token(const AddedToken& token, std::string_view text) const {
  if (!table_->has(token.id)) {
    return bad_input({spec_.where + ": added token '" + std::string(token.text) + "'",
                      "an id below " + std::to_string(size()), std::to_string(token.id),
                      "converting the file anew"});
  }
  const bool well_formed = utf8_valid(text);
  if (!text.empty() && text.size() <= kLongestSpecialToken && well_formed) return {};
  return bad_input({table_->place("token", token.id),
                    "a special token of 1 to " + std::to_string(kLongestSpecialToken) + " bytes of UTF-8",
                    std::to_string(text.size()) + (well_formed ? " bytes" : " bytes of ill-formed UTF-8"),
                    "converting the file anew"});
}

Status PipelineTokenizer::build_added_tokens() {
  std::vector<SpecialToken> all_raw, user_raw, all_normalized, user_normalized;
  std::vector<std::string> rewritten;  // what the normalizer makes of tokens; views point into it
  rewritten.reserve(spec_.added.size());
  Normalizer::Scratch scratch;
  for (const AddedToken& token : spec_.added) {
    BRISK_TRY(check_added_token(token, token.text));
    SpecialToken found{token.text, token.id, token.strip_left, token.strip_right, token.single_word};
    if (token.normalized && !spec_.normalizer.empty()) {
      found.text = rewritten.emplace_back(spec_.normalizer.apply(token.text, scratch));
      BRISK_TRY(scratch.status);
      BRISK_TRY(check_added_token(token, found.text));
    }
    (token.normalized ? all_normalized : all_raw).push_back(found);
    if (!token.special) (token.normalized ? user_normalized : user_raw).push_back(found);
  }
  for (auto* list : {&all_raw, &user_raw, &all_normalized, &user_normalized}) {
    // Of two with one text the first counts: different texts may become one when they are normalized.
    std::stable_sort(list->begin(), list->end(),
                     [](const auto& a, const auto& b) { return a.text < b.text; });
    const auto same = [](const auto& a, const auto& b) { return a.text == b.text; };
    list->erase(std::unique(list->begin(), list->end(), same), list->end());
  }
  all_added_ = {SpecialTokens(std::move(all_raw)), SpecialTokens(std::move(all_normalized))};
  user_added_ = {SpecialTokens(std::move(user_raw)), SpecialTokens(std::move(user_normalized))};
  spec_.added.clear();
  return {};
}

Result<Ids> PipelineTokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::string repaired;
  if (!utf8_valid(text)) {
    repaired = utf8_sanitize(text);
    text = repaired;
  }
  Work work(text.size());
  if (options.add_special) work.ids = spec_.prefix;
  const AddedTokens& added = options.parse_special ? all_added_ : user_added_;
  BRISK_TRY(cut_at_tokens(added.raw, text, work.ids, [&](size_t begin, std::string_view section) {
    return encode_section(added, section, begin == 0, work);
  }));
  if (options.add_special) work.ids.insert(work.ids.end(), spec_.suffix.begin(), spec_.suffix.end());
  return std::move(work.ids);
}

Status PipelineTokenizer::encode_section(const AddedTokens& added, std::string_view section, bool first,
                                         Work& work) const {
  const std::string_view text = spec_.normalizer.apply(section, work.normalizer);
  BRISK_TRY(work.normalizer.status);
  return cut_at_tokens(added.normalized, text, work.ids, [&](size_t begin, std::string_view part) {
    return encode_words(part, first && begin == 0, work);
  });
}

Status PipelineTokenizer::encode_words(std::string_view text, bool first, Work& work) const {
  BRISK_TRY(spec_.pre_tokenizer.split(text, first, work.words));
  for (const Words::Span& span : work.words.spans) {
    encode_word(work.words.text.substr(span.begin, span.end - span.begin), work);
  }
  return {};
}

void PipelineTokenizer::encode_word(std::string_view word, Work& work) const {
  const size_t begin = work.ids.size();
  while (!word.empty()) {
    size_t end = cuts_ ? cuts_->first_end(word) : word.size();
    if (end > kLongestWord) end = utf8_floor(word, kLongestWord);
    const size_t joint = work.ids.size();
    encode_piece(word.substr(0, end), work);
    word.remove_prefix(end);
    // Unknown characters to both sides of a cut.
    const bool both = joint > begin && joint < work.ids.size() && work.ids[joint] == spec_.unknown &&
                      work.ids[joint - 1] == spec_.unknown;
    if (both && spec_.fuse_unknown) work.ids.erase(work.ids.begin() + static_cast<std::ptrdiff_t>(joint));
  }
}

void PipelineTokenizer::encode_piece(std::string_view piece, Work& work) const {
  Ids& ids = work.ids;
  if (const std::span<const int32_t> known = work.cache.find(piece); !known.empty()) {
    ids.insert(ids.end(), known.begin(), known.end());
    return;
  }
  const size_t begin = ids.size();
  model_->encode(piece, work.word, ids);
  work.cache.store(piece, std::span(ids).subspan(begin));
}

Status PipelineTokenizer::check_id(int32_t id) const {
  if (table_->has(id)) return {};
  return bad_input({spec_.where + ": token id", "0 to " + std::to_string(size() - 1), std::to_string(id),
                    "ids of this model's own vocabulary"});
}

Result<std::string> PipelineTokenizer::token_bytes(int32_t id, bool special) const {
  BRISK_TRY(check_id(id));
  std::string bytes;
  DecodeState state{.begun = true};
  decoder_.append(id, special, state, bytes);
  if (state.space_due) bytes += ' ';
  return bytes;
}

Status PipelineTokenizer::decode_next(int32_t id, bool special, DecodeState& state,
                                      std::string& bytes) const {
  BRISK_TRY(check_id(id));
  decoder_.append(id, special, state, bytes);
  return {};
}

Status check_id_of(const TokenizerSpec& spec, const TokenTable& table, const char* name, int32_t id) {
  if (id == -1 || table.has(id)) return {};
  return bad_input({spec.where + ": " + name + " token", "an id below " + std::to_string(table.size()),
                    std::to_string(id), "converting the file anew"});
}

Status check_ids(const TokenizerSpec& spec, const TokenTable& table) {
  BRISK_TRY(check_id_of(spec, table, "BOS", spec.bos));
  BRISK_TRY(check_id_of(spec, table, "EOS", spec.eos));
  BRISK_TRY(check_id_of(spec, table, "unknown", spec.unknown));
  struct List {
    const char* name;
    const std::vector<int32_t>& ids;
  };
  for (const List& list : {List{"prefix", spec.prefix}, {"suffix", spec.suffix}, {"end", spec.ends}}) {
    for (const int32_t id : list.ids) {
      BRISK_TRY(check_id_of(spec, table, list.name, id == -1 ? table.size() : id));
    }
  }
  return {};
}

Result<std::unique_ptr<WordModel>> create_word_model(const TokenizerSpec& spec, const TokenTable& table) {
  switch (spec.model) {
    case WordModelKind::kScoredBpe: return create_scored_bpe(spec, table);
    case WordModelKind::kUnigram: return create_unigram(spec, table);
    case WordModelKind::kWordPiece: return create_word_piece(spec, table);
    case WordModelKind::kBpe: break;
  }
  const bool by_place = !spec.continuing_prefix.empty() || !spec.end_of_word_suffix.empty();
  const bool bytes = spec.spelling == TokenSpelling::kByteAlphabet && !by_place;
  return bytes ? create_byte_bpe(spec, table) : create_character_bpe(spec, table);
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> create_tokenizer(TokenizerSpec spec) {
  BRISK_ASSIGN(std::unique_ptr<const TokenTable> table, TokenTable::create(spec));
  BRISK_TRY(check_ids(spec, *table));
  BRISK_ASSIGN(std::unique_ptr<WordModel> model, create_word_model(spec, *table));
  // The model has made tables of its own of these.
  spec.merges = {};
  spec.scores = {};
  auto tokenizer = std::make_unique<PipelineTokenizer>(std::move(spec), std::move(table), std::move(model));
  BRISK_TRY(tokenizer->build_added_tokens());
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace brisk::text
