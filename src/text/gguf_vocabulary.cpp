#include "text/gguf_vocabulary.hpp"

#include <algorithm>
#include <limits>

#include "text/generation_ends.hpp"
#include "text/mark_cuts.hpp"

namespace brisk::text {

namespace {

using Steps = std::vector<std::shared_ptr<const NormalizerStep>>;

// Files of these families that say nothing about BOS mean it to be added.
constexpr std::string_view kAddBos[] = {
    "chameleon",    "falcon-h1", "falcon3",   "gemma4",   "granite-embed-multi-311m",
    "jina-v5-nano", "lfm2",      "llama-bpe", "llama-v3", "llama3",
    "midm-2.0",     "pixtral",   "tekken"};
// BPE over characters with U+2581 for spaces, where the others of model "gpt2" work on bytes.
constexpr std::string_view kMarkSpaces[] = {"gemma4", "granite-embed-multi-311m", "sarvam-moe"};

template <size_t N>
bool is_one_of(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

TokenType type_of(const Vocabulary& v, size_t id) {
  return v.types.empty() ? TokenType::kNormal : v.types[id];
}

/// The id that the file gives, else what the family has by custom, where the vocabulary is that large.
int32_t id_or(const Vocabulary& v, int32_t given, int32_t custom) {
  if (given != -1) return given;
  return static_cast<size_t>(custom) < v.tokens.size() ? custom : -1;
}

// --- Space marks ---

// SentencePiece's handling of spaces before Unigram. Merging: every stretch of other characters gets one mark
// in front, whatever spaces there are. Else each space becomes a mark, and one more stands before the first
// other character where a prefix is wanted.
class UnigramSpaces final : public NormalizerStep {
 public:
  UnigramSpaces(bool prefix, bool merge) : prefix_(prefix), merge_(merge) {}

  Status apply(std::string_view text, std::string& out) const override {
    bool prefix_due = prefix_, after_space = true;
    for (const char c : text) {
      if (c == ' ') {
        after_space = true;
        if (!merge_) out += kSpaceMark;
        continue;
      }
      if (after_space && (merge_ || prefix_due)) {
        out += kSpaceMark;
        prefix_due = false;
      }
      after_space = false;
      out += c;
    }
    return {};
  }

 private:
  const bool prefix_, merge_;
};

Steps marks_for_spaces(bool prefix) {
  Steps steps;
  if (prefix) steps.push_back(prepend_step(" "));
  steps.push_back(replace_step(" ", std::string(kSpaceMark)));
  return steps;
}

// --- Special tokens ---

// A name that ends turns is a control token, also where the file calls it user-defined: else the text of a
// user could end the user's turn.
void set_control_types(TokenizerSpec& spec) {
  if (spec.types.size() != spec.tokens.size()) return;
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    if (spec.types[id] == TokenType::kUserDefined && is_end_name(spec.tokens[id])) {
      spec.types[id] = TokenType::kControl;
    }
  }
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string lower_case(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// Files do not say which tokens take white space along; these are the models known to.
void set_strips(const Vocabulary& v, AddedToken& token) {
  const std::string name = lower_case(v.name);
  if (is_one_of({"jina-v2-code", "jina-v2-de", "jina-v2-es"}, v.pre_tokenizer)) {
    token.strip_left = token.text == "<mask>";
  } else if (contains(name, "phi-3") || contains(name, "phi3")) {
    token.strip_right = !is_one_of({"<s>", "<unk>", "<|endoftext|>"}, token.text);
  } else if (contains(name, "modern-bert")) {
    token.strip_left = token.text == "[MASK]";
  }
}

void add_special_tokens(const Vocabulary& v, TokenizerSpec& spec) {
  if (spec.types.size() != spec.tokens.size()) return;  // refused when the tokenizer is created
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    const TokenType type = spec.types[id];
    const bool special = type == TokenType::kControl || type == TokenType::kUnknown;
    if (!special && type != TokenType::kUserDefined) continue;
    AddedToken token{.id = static_cast<int32_t>(id), .text = spec.tokens[id], .special = special};
    set_strips(v, token);
    spec.added.push_back(token);
  }
}

// --- BOS, EOS ---

Status no_such_id(const Vocabulary& v, const char* name) {
  return bad_input({v.where + ": " + name + " token", "an id below " + std::to_string(v.tokens.size()),
                    "none, though texts are to get one", "converting the file anew"});
}

/// What the file says, else the custom of the family, where the vocabulary has the tokens.
Status put_around(const Vocabulary& v, bool bos_by_custom, bool eos_by_custom, TokenizerSpec& spec) {
  const bool add_bos = v.add_bos.value_or(bos_by_custom && spec.bos != -1);
  const bool add_eos = v.add_eos.value_or(eos_by_custom && spec.eos != -1);
  if (add_bos && spec.bos == -1) return no_such_id(v, "BOS");
  if (add_eos && spec.eos == -1) return no_such_id(v, "EOS");
  if (add_bos) spec.prefix = {spec.bos};
  if (add_eos) spec.suffix = {spec.eos};
  return {};
}

// --- Models ---

Status read_merges(const Vocabulary& v, TokenizerSpec& spec) {
  spec.merges.reserve(v.merges.size());
  for (size_t i = 0; i < v.merges.size(); ++i) {
    const std::string_view text = v.merges[i];
    const size_t space = text.find(' ');
    if (space == std::string_view::npos || space == 0 || space + 1 == text.size() ||
        text.find(' ', space + 1) != std::string_view::npos) {
      return bad_input({v.where + ": merge " + std::to_string(i), "two tokens with one space between",
                        "'" + std::string(text) + "'", "converting the file anew"});
    }
    spec.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
  }
  return {};
}

/// "gpt2", and "gemma4" with `pre` of that name.
Status byte_pair_encoding(const Vocabulary& v, std::string_view pre, TokenizerSpec& spec) {
  spec.model = WordModelKind::kBpe;
  BRISK_ASSIGN(spec.pre_tokenizer, PreTokenizer::named(pre, v.where));
  spec.whole_words = PreTokenizer::takes_whole_words(pre);
  spec.bos = v.bos;
  spec.eos = v.eos;
  if (is_one_of(kMarkSpaces, pre)) {
    spec.spelling = TokenSpelling::kSpaceMark;
    spec.byte_fallback = true;
    spec.normalizer = Normalizer(marks_for_spaces(false));
  }
  BRISK_TRY(read_merges(v, spec));
  return put_around(v, is_one_of(kAddBos, pre), false, spec);
}

Status gpt2(const Vocabulary& v, TokenizerSpec& spec) { return byte_pair_encoding(v, v.pre_tokenizer, spec); }

// Runs of line ends that are tokens have no merges in GGUF files: they are taken whole wherever they stand.
Status gemma4(const Vocabulary& v, TokenizerSpec& spec) {
  for (size_t id = 0; id < v.tokens.size(); ++id) {
    const std::string_view text = v.tokens[id];
    if (text.empty() || text.find_first_not_of('\n') != std::string_view::npos) continue;
    if (v.types.size() != v.tokens.size() || type_of(v, id) != TokenType::kNormal) continue;
    spec.added.push_back({.id = static_cast<int32_t>(id), .text = text});
  }
  return byte_pair_encoding(v, "gemma4", spec);
}

Status llama(const Vocabulary& v, TokenizerSpec& spec) {
  spec.model = WordModelKind::kScoredBpe;
  spec.spelling = TokenSpelling::kSpaceMark;
  spec.scores = v.scores;
  spec.byte_fallback = true;
  spec.bos = id_or(v, v.bos, 1);
  spec.eos = id_or(v, v.eos, 2);
  spec.unknown = id_or(v, v.unknown, 0);
  const bool prefix = v.add_space_prefix.value_or(true);
  spec.normalizer = Normalizer(marks_for_spaces(prefix));
  spec.strip_first_space = prefix;
  return put_around(v, true, false, spec);
}

Status t5(const Vocabulary& v, TokenizerSpec& spec) {
  spec.model = WordModelKind::kUnigram;
  spec.spelling = TokenSpelling::kSpaceMark;
  spec.scores = v.scores;
  spec.byte_fallback = true;
  spec.fuse_unknown = true;
  spec.bos = v.bos;
  spec.eos = id_or(v, v.eos, 1);
  spec.unknown = id_or(v, v.unknown, 2);
  for (size_t id = 0; id < std::min(v.types.size(), spec.scores.size()); ++id) {
    if (v.types[id] == TokenType::kUserDefined) spec.scores[id] = 0;  // better than any word
  }
  const bool prefix = v.add_space_prefix.value_or(false);
  const bool merge = v.remove_extra_whitespaces.value_or(false);
  Steps steps;
  if (!v.chars_map.empty()) {
    BRISK_ASSIGN(steps.emplace_back(), chars_map_step(v.chars_map, v.where + ": precompiled_charsmap"));
  }
  steps.push_back(std::make_shared<UnigramSpaces>(prefix, merge));
  spec.normalizer = Normalizer(std::move(steps));
  spec.strip_first_space = prefix || merge;
  return put_around(v, false, true, spec);
}

// Words carry U+2581 in front, parts of words nothing, where vocab.txt has nothing and "##".
Status bert(const Vocabulary& v, TokenizerSpec& spec) {
  spec.model = WordModelKind::kWordPiece;
  spec.spelling = TokenSpelling::kSpaceMark;
  spec.word_prefix = kSpaceMark;
  spec.longest_word = std::numeric_limits<int64_t>::max();
  spec.strip_first_space = true;
  spec.clean_up_spaces = true;
  spec.bos = id_or(v, v.bos != -1 ? v.bos : v.classification, 101);
  spec.eos = v.eos;
  spec.unknown = id_or(v, v.unknown, 100);
  const bool lowercase = v.lowercase.value_or(true);
  const BertRules rules{.strip_accents = v.strip_accents.value_or(lowercase), .lowercase = lowercase};
  spec.normalizer = Normalizer({bert_step(rules)});
  spec.pre_tokenizer = PreTokenizer({bert_words_step()});
  const int32_t separator = id_or(v, v.separator, 102);
  if (spec.bos != -1) spec.prefix = {spec.bos};
  if (separator != -1) spec.suffix = {separator};
  return {};
}

struct Model {
  std::string_view name;
  Status (*read)(const Vocabulary& vocabulary, TokenizerSpec& spec);
};
constexpr Model kModels[] = {
    {"bert", bert}, {"gemma4", gemma4}, {"gpt2", gpt2}, {"llama", llama}, {"t5", t5}};

}  // namespace

Result<TokenizerSpec> specification_of(const Vocabulary& vocabulary) {
  const Vocabulary& v = vocabulary;
  TokenizerSpec spec;
  spec.where = v.where;
  spec.tokens = v.tokens;
  spec.types = v.types;
  spec.ends = v.ends;
  for (const Model& model : kModels) {
    if (model.name != v.model) continue;
    BRISK_TRY(model.read(v, spec));
    set_control_types(spec);
    add_special_tokens(v, spec);
    return spec;
  }
  return bad_input({v.where + ": tokenizer model",
                    "gpt2 (byte-level BPE), llama (SentencePiece BPE), t5 (SentencePiece Unigram), bert "
                    "(WordPiece) or gemma4",
                    "'" + v.model + "'", "a model file with one of these"});
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::create(const Vocabulary& vocabulary) {
  BRISK_ASSIGN(TokenizerSpec spec, specification_of(vocabulary));
  return create_tokenizer(std::move(spec));
}

}  // namespace brisk::text
