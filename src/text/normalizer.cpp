#include "text/normalizer.hpp"

#include "text/base64.hpp"
#include "text/json_part.hpp"
#include "text/normalizer_steps.hpp"

namespace brisk::text {

namespace {

using Steps = std::vector<NormalizerStepPtr>;

/// Each step reads the text once; a real normalizer has fewer than ten.
constexpr size_t kMostSteps = 64;

Result<NormalizerStepPtr> read_bert(const JsonPart& part) {
  BertRules rules;
  BRISK_ASSIGN(rules.clean_text, part.flag("clean_text", true));
  BRISK_ASSIGN(rules.chinese_characters, part.flag("handle_chinese_chars", true));
  BRISK_ASSIGN(rules.lowercase, part.flag("lowercase", true));
  BRISK_ASSIGN(rules.strip_accents, part.flag("strip_accents", rules.lowercase));
  return bert_step(rules);
}

Result<NormalizerStepPtr> read_strip(const JsonPart& part) {
  BRISK_ASSIGN(const bool left, part.flag("strip_left", true));
  BRISK_ASSIGN(const bool right, part.flag("strip_right", true));
  return strip_step(left, right);
}

Result<NormalizerStepPtr> read_prepend(const JsonPart& part) {
  BRISK_ASSIGN(std::string text, part.text("prepend"));
  return prepend_step(std::move(text));
}

Result<NormalizerStepPtr> read_replace(const JsonPart& part) {
  BRISK_ASSIGN(const JsonPattern pattern, read_pattern(part.field("pattern")));
  BRISK_ASSIGN(std::string content, part.text("content"));
  if (pattern.text.empty()) return part.field("pattern").wrong("something to look for", "nothing");
  if (pattern.regex) return replace_regex_step(pattern.text, std::move(content), part.where());
  return replace_step(pattern.text, std::move(content));
}

Result<NormalizerStepPtr> read_precompiled(const JsonPart& part) {
  BRISK_ASSIGN(const std::string encoded, part.text("precompiled_charsmap"));
  const auto blob = decode_base64(encoded);
  if (!blob) return part.field("precompiled_charsmap").wrong("base64", "other characters");
  return chars_map_step(*blob, part.where(), true);
}

template <UnicodeForm kForm>
Result<NormalizerStepPtr> read_unicode(const JsonPart&) {
  return unicode_step(kForm);
}

template <NormalizerStepPtr (*kMake)()>
Result<NormalizerStepPtr> read_plain(const JsonPart&) {
  return kMake();
}

struct Reader {
  std::string_view type;
  Result<NormalizerStepPtr> (*read)(const JsonPart&);
};

constexpr Reader kReaders[] = {
    {"BertNormalizer", read_bert},
    {"ByteLevel", read_plain<byte_alphabet_step>},
    {"Lowercase", read_plain<lowercase_step>},
    {"NFC", read_unicode<UnicodeForm::kNfc>},
    {"NFD", read_unicode<UnicodeForm::kNfd>},
    {"NFKC", read_unicode<UnicodeForm::kNfkc>},
    {"NFKD", read_unicode<UnicodeForm::kNfkd>},
    {"Nmt", read_plain<nmt_step>},
    {"Precompiled", read_precompiled},
    {"Prepend", read_prepend},
    {"Replace", read_replace},
    {"Strip", read_strip},
    {"StripAccents", read_plain<strip_accents_step>},
};

Status unknown_type(const JsonPart& part, const std::string& type) {
  std::vector<std::string_view> known;
  for (const Reader& reader : kReaders) known.push_back(reader.type);
  known.push_back("Sequence");
  return part.unknown_type(type, known);
}

// Recursion: a level of it is a level of the JSON, whose depth is limited.
Status read_steps(const JsonPart& part, Steps& steps) {
  if (part.is_null()) return {};
  BRISK_ASSIGN(const std::string type, part.type());
  if (type == "Sequence") {
    BRISK_ASSIGN(const size_t count, part.count("normalizers"));
    for (size_t i = 0; i < count; ++i) BRISK_TRY(read_steps(part.field("normalizers").element(i), steps));
    return {};
  }
  if (steps.size() == kMostSteps)
    return part.wrong("at most " + std::to_string(kMostSteps) + " steps", "more");
  for (const Reader& reader : kReaders) {
    if (reader.type != type) continue;
    BRISK_ASSIGN(NormalizerStepPtr step, reader.read(part));
    steps.push_back(std::move(step));
    return {};
  }
  return unknown_type(part, type);
}

}  // namespace

Result<Normalizer> Normalizer::from_json(const Json& value, const std::string& where) {
  Steps steps;
  BRISK_TRY(read_steps(JsonPart(value, where + ": normalizer"), steps));
  return Normalizer(std::move(steps));
}

std::string_view Normalizer::apply(std::string_view text, Scratch& scratch) const {
  const size_t most = most_normalized_bytes(text.size());
  std::string_view result = text;
  for (const NormalizerStepPtr& step : steps_) {
    scratch.b.clear();
    scratch.status = step->apply(result, scratch.b);
    if (scratch.status.ok() && scratch.b.size() > most) scratch.status = grown_too_far(text.size());
    if (!scratch.status.ok()) return text;
    scratch.a.swap(scratch.b);
    result = scratch.a;
  }
  return result;
}

}  // namespace brisk::text
