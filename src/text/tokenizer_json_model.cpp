// The word model of a tokenizer.json.
#include <algorithm>
#include <utility>

#include "text/tokenizer_json_parts.hpp"

namespace brisk::text {

namespace {

/// No token can begin with it, because it is no character: a word is a token, whole, or unknown.
constexpr char kNeverContinues = '\xFF';

/// The id of the token that "unk_token" names; -1 where it names none. (Byte-level models never need it, and
/// some name one that they do not have.)
Result<int32_t> read_unknown(const JsonPart& model, const TokenizerSpec& spec) {
  BRISK_ASSIGN(const std::string text, model.text("unk_token", ""));
  return find_token(spec, text);
}

Status read_bpe(const JsonPart& model, TokenizerSpec& spec) {
  spec.model = WordModelKind::kBpe;
  BRISK_ASSIGN(spec.unknown, read_unknown(model, spec));
  BRISK_ASSIGN(spec.fuse_unknown, model.flag("fuse_unk", false));
  BRISK_ASSIGN(spec.byte_fallback, model.flag("byte_fallback", false));
  BRISK_ASSIGN(spec.whole_words, model.flag("ignore_merges", false));
  BRISK_ASSIGN(spec.continuing_prefix, model.text("continuing_subword_prefix", ""));
  BRISK_ASSIGN(spec.end_of_word_suffix, model.text("end_of_word_suffix", ""));
  const JsonPart dropout = model.field("dropout");
  const bool none = dropout.is_null() || (dropout.json().is_number() && dropout.json().get<double>() == 0);
  if (!none)
    return dropout.wrong("null: an encoding that is the same every time", to_json_text(dropout.json()));
  return {};
}

Status read_unigram(const JsonPart& model, TokenizerSpec& spec) {
  spec.model = WordModelKind::kUnigram;
  spec.fuse_unknown = true;
  BRISK_ASSIGN(spec.byte_fallback, model.flag("byte_fallback", false));
  const auto last = static_cast<int64_t>(spec.tokens.size()) - 1;
  BRISK_ASSIGN(const int64_t unknown, model.integer("unk_id", -1, 0, last));
  spec.unknown = static_cast<int32_t>(unknown);
  return {};
}

Status read_word_piece(const JsonPart& model, TokenizerSpec& spec) {
  spec.model = WordModelKind::kWordPiece;
  BRISK_ASSIGN(spec.unknown, read_unknown(model, spec));
  if (spec.unknown < 0) return model.field("unk_token").wrong("a token of the vocabulary", "none such");
  BRISK_ASSIGN(spec.continuing_prefix, model.text("continuing_subword_prefix", "##"));
  BRISK_ASSIGN(spec.longest_word, model.integer("max_input_chars_per_word", 100, 1, INT64_MAX));
  return {};
}

Status read_word_level(const JsonPart& model, TokenizerSpec& spec) {
  BRISK_TRY(read_word_piece(model, spec));
  spec.continuing_prefix.assign(1, kNeverContinues);
  spec.longest_word = INT64_MAX;
  return {};
}

struct Reader {
  std::string_view type;
  bool list;  ///< its vocabulary is a list of pairs
  Status (*read)(const JsonPart&, TokenizerSpec&);
};

constexpr Reader kReaders[] = {
    {"BPE", false, read_bpe},
    {"Unigram", true, read_unigram},
    {"WordLevel", false, read_word_level},
    {"WordPiece", false, read_word_piece},
};

/// Files of the format's first years name no type.
std::string guessed_type(const TokenizerJsonFile& file) {
  if (file.has_merges) return "BPE";
  if (file.vocabulary_is_list) return "Unigram";
  return file.model.contains("continuing_subword_prefix") ? "WordPiece" : "WordLevel";
}

}  // namespace

int32_t find_token(const TokenizerSpec& spec, std::string_view text) {
  if (text.empty()) return -1;
  const auto found = std::find(spec.tokens.begin(), spec.tokens.end(), text);
  return found == spec.tokens.end() ? -1 : static_cast<int32_t>(found - spec.tokens.begin());
}

Status read_model(TokenizerJsonFile& file, const std::string& where, TokenizerSpec& spec) {
  const JsonPart model(file.model, where + ": model");
  BRISK_ASSIGN(const std::string type, model.text("type", guessed_type(file)));
  const auto* reader =
      std::find_if(std::begin(kReaders), std::end(kReaders), [&](const Reader& r) { return r.type == type; });
  if (reader == std::end(kReaders)) {
    std::vector<std::string_view> known;
    for (const Reader& r : kReaders) known.push_back(r.type);
    return model.unknown_type(type, known);
  }
  if (reader->list != file.vocabulary_is_list) {
    return model.field("vocab").wrong(
        reader->list ? "a list of tokens with scores" : "an object of tokens with ids",
        reader->list ? "an object" : "a list");
  }
  if (file.tokens.empty()) return model.field("vocab").wrong("at least one token", "none");
  spec.tokens = std::move(file.tokens);
  spec.scores = std::move(file.scores);
  if (type == "BPE") spec.merges = std::move(file.merges);
  return reader->read(model, spec);
}

}  // namespace brisk::text
