#include "text/pre_tokenizer_json.hpp"

#include <algorithm>
#include <utility>

#include "text/byte_alphabet.hpp"
#include "text/char_class.hpp"
#include "text/pre_tokenizer_steps.hpp"

namespace brisk::text {

namespace {

/// Each step reads the text once; a real pre-tokenizer has fewer than ten.
constexpr size_t kMostSteps = 64;

/// Rewrites each word by `rewrite(word, out)`, and drops what lies between words.
template <typename Rewrite>
class RewriteStep final : public PreTokenizerStep {
 public:
  explicit RewriteStep(Rewrite rewrite) : rewrite_(rewrite) {}
  Status apply(bool, Words& words) const override {
    words.spare_text.clear();
    for (Words::Span& span : words.spans) {
      const std::string_view word = words.text.substr(span.begin, span.end - span.begin);
      span.begin = words.spare_text.size();
      rewrite_(word, words.spare_text);
      span.end = words.spare_text.size();
    }
    words.rewritten.swap(words.spare_text);
    words.text = words.rewritten;
    return {};
  }

 private:
  Rewrite rewrite_;
};

template <typename Rewrite>
StepPtr rewrite_step(Rewrite rewrite) {
  return std::make_shared<RewriteStep<Rewrite>>(rewrite);
}

StepPtr to_alphabet_step() {
  return rewrite_step([](std::string_view word, std::string& out) { append_alphabet(out, word); });
}

StepPtr from_alphabet_step() {
  return rewrite_step([](std::string_view word, std::string& out) { append_alphabet_bytes(out, word); });
}

Result<SplitBehavior> read_behavior(const JsonPart& part) {
  constexpr std::pair<std::string_view, SplitBehavior> kBehaviors[] = {
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  };
  BRISK_ASSIGN(const std::string name, part.text("behavior", "Isolated"));
  for (const auto& [known, behavior] : kBehaviors) {
    if (known == name) return behavior;
  }
  return part.field("behavior")
      .wrong("Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous", "\"" + name + "\"");
}

Result<StepPtr> read_byte_level(const JsonPart& part) {
  BRISK_ASSIGN(const bool add_prefix_space, part.flag("add_prefix_space", true));
  BRISK_ASSIGN(const bool use_regex, part.flag("use_regex", true));
  return byte_level_step(add_prefix_space, use_regex);
}

Result<PrependScheme> read_prepend_scheme(const JsonPart& part) {
  BRISK_ASSIGN(const bool add_prefix_space, part.flag("add_prefix_space", true));
  BRISK_ASSIGN(const std::string name, part.text("prepend_scheme", add_prefix_space ? "always" : "never"));
  if (name == "never") return PrependScheme::kNever;
  if (!add_prefix_space)
    return part.field("prepend_scheme").wrong("\"never\" without add_prefix_space", name);
  if (name == "always") return PrependScheme::kAlways;
  if (name == "first") return PrependScheme::kFirst;
  return part.field("prepend_scheme").wrong("always, first or never", "\"" + name + "\"");
}

/// A field that holds one character.
Result<std::string> read_character(const JsonPart& part) {
  BRISK_ASSIGN(std::string text, part.text());
  if (!text.empty() && char_at(text, 0).length == text.size()) return text;
  return part.wrong("one character", "\"" + text.substr(0, 80) + "\"");
}

Result<StepPtr> read_metaspace(const JsonPart& part) {
  BRISK_ASSIGN(std::string replacement, read_character(part.field("replacement")));
  BRISK_ASSIGN(const PrependScheme scheme, read_prepend_scheme(part));
  BRISK_ASSIGN(const bool split, part.flag("split", true));
  return metaspace_step(std::move(replacement), scheme, split);
}

Result<StepPtr> read_split(const JsonPart& part) {
  BRISK_ASSIGN(JsonPattern pattern, read_pattern(part.field("pattern")));
  BRISK_ASSIGN(const SplitBehavior behavior, read_behavior(part));
  BRISK_ASSIGN(const bool invert, part.flag("invert", false));
  if (pattern.text.empty()) return part.field("pattern").wrong("something to look for", "nothing");
  if (pattern.regex) return pattern_split_step(pattern.text, behavior, invert, part.where());
  return literal_split_step(std::move(pattern.text), behavior, invert);
}

Result<StepPtr> read_digits(const JsonPart& part) {
  BRISK_ASSIGN(const bool individual, part.flag("individual_digits", false));
  return digits_step(individual);
}

Result<StepPtr> read_punctuation(const JsonPart& part) {
  BRISK_ASSIGN(const SplitBehavior behavior, read_behavior(part));
  return punctuation_step(behavior);
}

Result<StepPtr> read_char_delimiter(const JsonPart& part) {
  BRISK_ASSIGN(std::string delimiter, read_character(part.field("delimiter")));
  return char_delimiter_step(std::move(delimiter));
}

Result<StepPtr> read_fixed_length(const JsonPart& part) {
  BRISK_ASSIGN(const int64_t length, part.integer("length", 5, 1, INT64_MAX));
  return fixed_length_step(length);
}

template <StepPtr (*kMake)()>
Result<StepPtr> read_plain(const JsonPart&) {
  return kMake();
}

struct Reader {
  std::string_view type;
  Result<StepPtr> (*read)(const JsonPart&);
};

constexpr Reader kReaders[] = {
    {"BertPreTokenizer", read_plain<bert_words_step>},
    {"ByteLevel", read_byte_level},
    {"CharDelimiterSplit", read_char_delimiter},
    {"Digits", read_digits},
    {"FixedLength", read_fixed_length},
    {"Metaspace", read_metaspace},
    {"Punctuation", read_punctuation},
    {"Split", read_split},
    {"UnicodeScripts", read_plain<unicode_scripts_step>},
    {"Whitespace", read_plain<whitespace_step>},
    {"WhitespaceSplit", read_plain<whitespace_split_step>},
};

Status unknown_type(const JsonPart& part, const std::string& type) {
  std::vector<std::string_view> known;
  for (const Reader& reader : kReaders) known.push_back(reader.type);
  known.push_back("Sequence");
  return part.unknown_type(type, known);
}

/// The parts inside Sequences, in order. Recursion: a level of it is a level of the JSON, whose depth is
/// limited.
Status flatten(const JsonPart& part, std::vector<JsonPart>& out) {
  if (part.is_null()) return {};
  BRISK_ASSIGN(const std::string type, part.type());
  if (type != "Sequence") {
    if (out.size() == kMostSteps)
      return part.wrong("at most " + std::to_string(kMostSteps) + " steps", "more");
    out.push_back(part);
    return {};
  }
  BRISK_ASSIGN(const size_t count, part.count("pretokenizers"));
  for (size_t i = 0; i < count; ++i) BRISK_TRY(flatten(part.field("pretokenizers").element(i), out));
  return {};
}

Result<StepPtr> read_step(const JsonPart& part, const std::string& type) {
  const auto* reader =
      std::find_if(std::begin(kReaders), std::end(kReaders), [&](const Reader& r) { return r.type == type; });
  if (reader == std::end(kReaders)) return unknown_type(part, type);
  return reader->read(part);
}

}  // namespace

bool has_part(const Json& value, std::string_view type) {
  if (!value.is_object() || !value.contains("type")) return false;
  if (value["type"] == type) return true;
  for (const std::string_view list : {"normalizers", "pretokenizers", "decoders"}) {
    if (!value.contains(list) || !value[list].is_array()) continue;
    const Json& parts = value[list];
    if (std::any_of(parts.begin(), parts.end(), [&](const Json& p) { return has_part(p, type); }))
      return true;
  }
  return false;
}

Result<PreTokenizerSteps> read_pre_tokenizer(const JsonPart& part, bool in_alphabet) {
  std::vector<JsonPart> parts;
  BRISK_TRY(flatten(part, parts));
  PreTokenizerSteps steps;
  bool byte_level = in_alphabet;  // the words are, or are to be, in the alphabet
  for (const JsonPart& step : parts) {
    BRISK_ASSIGN(const std::string type, step.type());
    if (byte_level && type == "ByteLevel") {
      return step.wrong("ByteLevel once, in the normalizer or the pre-tokenizer", "a second one");
    }
    if (byte_level && !in_alphabet) {
      steps.push_back(to_alphabet_step());
      in_alphabet = true;
    }
    BRISK_ASSIGN(StepPtr made, read_step(step, type));
    steps.push_back(std::move(made));
    byte_level = byte_level || type == "ByteLevel";
  }
  if (in_alphabet) steps.push_back(from_alphabet_step());
  return steps;
}

Result<PreTokenizer> PreTokenizer::from_json(const Json& value, const std::string& where) {
  BRISK_ASSIGN(PreTokenizerSteps steps,
               read_pre_tokenizer(JsonPart(value, where + ": pre_tokenizer"), false));
  return PreTokenizer(std::move(steps));
}

}  // namespace brisk::text
