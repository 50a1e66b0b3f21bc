// Added tokens, post-processor and decoder of a tokenizer.json.
#include "text/tokenizer_json_parts.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <unordered_set>

#include "base/utf8.hpp"
#include "text/pre_tokenizer_json.hpp"
#include "text/token_table.hpp"

namespace brisk::text {

namespace {

constexpr std::string_view kMark = "\u2581";

// --- Added tokens ------------------------------------------------------------------------------------

/// Added tokens may have ids above the model's; gaps between them are legal, within reason.
constexpr int64_t kMostGap = int64_t{1} << 20;

/// Puts the token into the vocabulary, unless the word model knows it already.
Status place_token(const JsonPart& part, const AddedToken& token, TokenizerSpec& spec) {
  const auto id = static_cast<size_t>(token.id);
  if (id >= spec.tokens.size()) {
    spec.tokens.resize(id + 1);
    if (spec.model == WordModelKind::kUnigram) spec.scores.resize(id + 1);
  }
  spec.types.resize(spec.tokens.size(), TokenType::kNormal);
  std::string_view& place = spec.tokens[id];
  const bool known = place == token.text;
  if (!place.empty() && !known) {
    return part.field("id").wrong(
        "an id of its own for \"" + std::string(token.text.substr(0, 80)) + "\"",
        std::to_string(id) + ", which is \"" + std::string(place.substr(0, 80)) + "\"");
  }
  place = token.text;
  // A token of the word model that text may hold stays one: words are made of it too. So do byte tokens.
  const bool byte = spec.byte_fallback && known && parse_byte_token(token.text).has_value();
  if (token.special && !byte) {
    spec.types[id] = TokenType::kControl;
  } else if (!known) {
    spec.types[id] = TokenType::kUserDefined;
  }
  return {};
}

Result<AddedToken> read_flags(const JsonPart& part) {
  AddedToken token;
  BRISK_ASSIGN(token.special, part.flag("special", false));
  BRISK_ASSIGN(token.normalized, part.flag("normalized", !token.special));
  BRISK_ASSIGN(token.strip_left, part.flag("lstrip", false));
  BRISK_ASSIGN(token.strip_right, part.flag("rstrip", false));
  BRISK_ASSIGN(token.single_word, part.flag("single_word", false));
  return token;
}

Status add_token(const JsonPart& part, int64_t id, TextRoom& room, TokenizerSpec& spec) {
  BRISK_ASSIGN(AddedToken token, read_flags(part));
  BRISK_ASSIGN(const std::string content, part.text("content"));
  if (content.empty()) return part.field("content").wrong("a text", "an empty one");
  token.id = static_cast<int32_t>(id);
  token.text = room.keep(content);
  BRISK_TRY(place_token(part, token, spec));
  spec.added.push_back(token);
  return {};
}

int64_t last_id(const TokenizerSpec& spec) {
  return std::min<int64_t>(INT32_MAX - 1, static_cast<int64_t>(spec.tokens.size()) + kMostGap);
}

// --- What is put around a text -----------------------------------------------------------------------

using Ids = std::vector<int32_t>;

/// Ids around a text. A later post-processor of a Sequence goes around what an earlier one has made.
struct Affixes {
  Ids prefix, suffix;

  void wrap(const Affixes& outer) {
    prefix.insert(prefix.begin(), outer.prefix.begin(), outer.prefix.end());
    suffix.insert(suffix.end(), outer.suffix.begin(), outer.suffix.end());
  }
};

Result<int32_t> read_id(const JsonPart& part, const TokenizerSpec& spec) {
  BRISK_ASSIGN(const int64_t id, part.integer(0, static_cast<int64_t>(spec.tokens.size()) - 1));
  return static_cast<int32_t>(id);
}

/// Appends the ids that a special token of a template stands for.
Status append_template_ids(const JsonPart& tokens, const JsonPart& special, const TokenizerSpec& spec,
                           Ids& out) {
  BRISK_ASSIGN(const std::string name, special.text("id"));
  const JsonPart known = tokens.field(name);
  if (known.is_null())
    return special.field("id").wrong("a name in special_tokens", "\"" + name.substr(0, 80) + "\"");
  BRISK_ASSIGN(const size_t count, known.count("ids"));
  for (size_t i = 0; i < count; ++i) {
    BRISK_ASSIGN(const int32_t id, read_id(known.field("ids").element(i), spec));
    out.push_back(id);
  }
  return {};
}

/// The template of a single text: special tokens, the text once ("Sequence": A), special tokens.
Result<Affixes> read_template(const JsonPart& part, const TokenizerSpec& spec) {
  constexpr size_t kMostPieces = 1024;
  BRISK_ASSIGN(const size_t count, part.count("single"));
  Affixes affixes;
  size_t texts = 0;
  for (size_t i = 0; i < std::min(count, kMostPieces); ++i) {
    const JsonPart piece = part.field("single").element(i);
    if (piece.has("SpecialToken")) {
      BRISK_TRY(append_template_ids(part.field("special_tokens"), piece.field("SpecialToken"), spec,
                                    texts == 0 ? affixes.prefix : affixes.suffix));
    } else if (piece.has("Sequence")) {
      ++texts;
    } else {
      return piece.wrong("a SpecialToken or a Sequence", to_json_text(piece.json()).substr(0, 80));
    }
  }
  if (texts == 1 && count <= kMostPieces) return affixes;
  return part.field("single").wrong("the text once, among at most 1024 pieces",
                                    std::to_string(texts) + " times among " + std::to_string(count));
}

/// BERT's and RoBERTa's: "cls" before the text, "sep" after it, each [text, id].
Result<Affixes> read_cls_sep(const JsonPart& part, const TokenizerSpec& spec) {
  BRISK_ASSIGN(const int32_t cls, read_id(part.field("cls").element(1), spec));
  BRISK_ASSIGN(const int32_t sep, read_id(part.field("sep").element(1), spec));
  return Affixes{{cls}, {sep}};
}

/// Where pieces lie in the text is nobody's question here.
Result<Affixes> read_offsets_only(const JsonPart&, const TokenizerSpec&) { return Affixes{}; }

struct Processor {
  std::string_view type;
  Result<Affixes> (*read)(const JsonPart&, const TokenizerSpec&);
};

constexpr Processor kProcessors[] = {
    {"BertProcessing", read_cls_sep},
    {"ByteLevel", read_offsets_only},
    {"RobertaProcessing", read_cls_sep},
    {"TemplateProcessing", read_template},
};

// Recursion: a level of it is a level of the JSON, whose depth is limited.
Status wrap_in(const JsonPart& part, const TokenizerSpec& spec, Affixes& affixes) {
  if (part.is_null()) return {};
  BRISK_ASSIGN(const std::string type, part.type());
  if (type == "Sequence") {
    BRISK_ASSIGN(const size_t count, part.count("processors"));
    for (size_t i = 0; i < count; ++i) BRISK_TRY(wrap_in(part.field("processors").element(i), spec, affixes));
    return {};
  }
  for (const Processor& processor : kProcessors) {
    if (processor.type != type) continue;
    BRISK_ASSIGN(const Affixes outer, processor.read(part, spec));
    affixes.wrap(outer);
    return {};
  }
  std::vector<std::string_view> known;
  for (const Processor& processor : kProcessors) known.push_back(processor.type);
  known.push_back("Sequence");
  return part.unknown_type(type, known);
}

// --- How tokens become text --------------------------------------------------------------------------

Status read_metaspace_decoder(const JsonPart& part, TokenizerSpec& spec) {
  BRISK_ASSIGN(const std::string mark, part.text("replacement"));
  if (mark != kMark) return part.field("replacement").wrong("U+2581", "\"" + mark.substr(0, 80) + "\"");
  BRISK_ASSIGN(const bool prefixed, part.flag("add_prefix_space", true));
  BRISK_ASSIGN(const std::string scheme, part.text("prepend_scheme", prefixed ? "always" : "never"));
  spec.spelling = TokenSpelling::kSpaceMark;
  spec.strip_first_space = scheme != "never";
  return {};
}

Status read_word_piece_decoder(const JsonPart& part, TokenizerSpec& spec) {
  BRISK_ASSIGN(const std::string prefix, part.text("prefix", "##"));
  const bool parts = utf8_valid(spec.continuing_prefix);  // not so for WordLevel, which has whole words only
  if (parts && prefix != spec.continuing_prefix) {
    return part.field("prefix").wrong("the model's \"" + spec.continuing_prefix + "\"", "\"" + prefix + "\"");
  }
  spec.spelling = TokenSpelling::kWordPieces;
  BRISK_ASSIGN(spec.clean_up_spaces, part.flag("cleanup", true));
  return {};
}

Status read_bpe_decoder(const JsonPart& part, TokenizerSpec& spec) {
  BRISK_ASSIGN(const std::string suffix, part.text("suffix", "</w>"));
  if (suffix != spec.end_of_word_suffix) {
    return part.field("suffix").wrong("the model's \"" + spec.end_of_word_suffix + "\"",
                                      "\"" + suffix + "\"");
  }
  spec.spelling = TokenSpelling::kPlain;
  return {};
}

Status read_byte_level_decoder(const JsonPart&, TokenizerSpec& spec) {
  spec.spelling = TokenSpelling::kByteAlphabet;
  return {};
}

Status read_replace_decoder(const JsonPart& part, TokenizerSpec& spec) {
  BRISK_ASSIGN(const JsonPattern pattern, read_pattern(part.field("pattern")));
  BRISK_ASSIGN(const std::string content, part.text("content"));
  if (pattern.regex || pattern.text != kMark || content != " ") {
    return part.wrong("U+2581 replaced by a space", "another replacement");
  }
  spec.spelling = TokenSpelling::kSpaceMark;
  return {};
}

Status read_strip_decoder(const JsonPart& part, TokenizerSpec& spec) {
  BRISK_ASSIGN(const std::string content, part.text("content", " "));
  BRISK_ASSIGN(const int64_t start, part.integer("start", 0, 0, INT32_MAX));
  BRISK_ASSIGN(const int64_t stop, part.integer("stop", 0, 0, INT32_MAX));
  if (content != " " || start > 1 || stop != 0) {
    return part.wrong("at most one space taken from the start", "other characters or another place");
  }
  spec.strip_first_space = start == 1;
  return {};
}

/// Bytes become characters, and tokens one text, in every tokenizer.
Status read_nothing(const JsonPart&, TokenizerSpec&) { return {}; }

struct DecoderReader {
  std::string_view type;
  Status (*read)(const JsonPart&, TokenizerSpec&);
};

constexpr DecoderReader kDecoders[] = {
    {"BPEDecoder", read_bpe_decoder},       {"ByteFallback", read_nothing},
    {"ByteLevel", read_byte_level_decoder}, {"Fuse", read_nothing},
    {"Metaspace", read_metaspace_decoder},  {"Replace", read_replace_decoder},
    {"Strip", read_strip_decoder},          {"WordPiece", read_word_piece_decoder},
};

// Recursion: a level of it is a level of the JSON, whose depth is limited.
Status read_decoder_steps(const JsonPart& part, TokenizerSpec& spec) {
  if (part.is_null()) return {};
  BRISK_ASSIGN(const std::string type, part.type());
  if (type == "Sequence") {
    BRISK_ASSIGN(const size_t count, part.count("decoders"));
    for (size_t i = 0; i < count; ++i) BRISK_TRY(read_decoder_steps(part.field("decoders").element(i), spec));
    return {};
  }
  for (const DecoderReader& reader : kDecoders) {
    if (reader.type == type) return reader.read(part, spec);
  }
  std::vector<std::string_view> known;
  for (const DecoderReader& reader : kDecoders) known.push_back(reader.type);
  known.push_back("Sequence");
  return part.unknown_type(type, known);
}

TokenSpelling default_spelling(const TokenizerSpec& spec, bool byte_level) {
  if (byte_level) return TokenSpelling::kByteAlphabet;
  return spec.model == WordModelKind::kWordPiece ? TokenSpelling::kWordPieces : TokenSpelling::kPlain;
}

}  // namespace

Status read_added_tokens(const JsonPart& part, TextRoom& room, TokenizerSpec& spec) {
  if (part.is_null()) return {};
  if (!part.json().is_array()) return part.wrong("a list", "something else");
  for (size_t i = 0; i < part.json().size(); ++i) {
    const JsonPart token = part.element(i);
    BRISK_ASSIGN(const int64_t id, token.field("id").integer(0, last_id(spec)));
    BRISK_TRY(add_token(token, id, room, spec));
  }
  return {};
}

Status read_added_tokens_decoder(const JsonPart& part, TextRoom& room, TokenizerSpec& spec) {
  if (part.is_null()) return {};
  if (!part.json().is_object()) return part.wrong("an object", "something else");
  std::unordered_set<std::string_view> known(spec.tokens.begin(), spec.tokens.end());
  for (const auto& [key, value] : part.json().items()) {
    const JsonPart token(value, part.where() + "." + key);
    int64_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0 || id > last_id(spec)) {
      return token.wrong("an id from 0 to " + std::to_string(last_id(spec)), "\"" + key.substr(0, 80) + "\"");
    }
    BRISK_ASSIGN(const std::string content, token.text("content"));
    if (known.contains(content)) continue;
    BRISK_TRY(add_token(token, id, room, spec));
    known.insert(spec.added.back().text);
  }
  return {};
}

Status read_post_processor(const JsonPart& part, TokenizerSpec& spec) {
  Affixes affixes;
  BRISK_TRY(wrap_in(part, spec, affixes));
  spec.prefix = std::move(affixes.prefix);
  spec.suffix = std::move(affixes.suffix);
  return {};
}

Status read_decoder(const JsonPart& part, bool byte_level, TokenizerSpec& spec) {
  spec.spelling = default_spelling(spec, byte_level);
  if (part.is_null()) return {};
  BRISK_TRY(read_decoder_steps(part, spec));
  if (byte_level == (spec.spelling == TokenSpelling::kByteAlphabet)) return {};
  return part.wrong(
      byte_level ? "ByteLevel, as the text is encoded" : "no ByteLevel, as the text is not encoded so",
      to_json_text(part.json()).substr(0, 80));
}

}  // namespace brisk::text
