// Judges pre-tokenizers (test_pre_tokenizer.py). A file that begins with 'c' chooses one, as JSON:
//   {"name": GGUF's name}
//   {"rule": regex, "behavior": number, "invert": bool}   the hand-written rule of a known expression
//   {"pattern": regex, "behavior": ..., "invert": ...}    PCRE2, whether a rule is known or not
//   {"step": name, ...}                                   one step by its maker
// and gives {"refused": message} or {}. Any other file is a text after one byte: {"words": [...]}.
#include <string_view>

#include "differential/judge.hpp"
#include "text/known_patterns.hpp"
#include "text/pattern.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/pre_tokenizer_steps.hpp"

namespace {

using namespace brisk;
using namespace brisk::text;

PreTokenizer chosen;

Status wrong(const Json& value) {
  return usage_error({"judge", "a pre-tokenizer", to_json_text(value), "a look at the top of the file"});
}

Result<StepPtr> make_step(const Json& value) {
  const auto name = value["step"].get<std::string>();
  const auto flag = [&](const char* key) { return value[key].get<bool>(); };
  const auto text = [&](const char* key) { return value[key].get<std::string>(); };
  const auto behavior = [&] { return static_cast<SplitBehavior>(value["behavior"].get<int>()); };
  if (name == "byte_level") return byte_level_step(flag("add_prefix_space"), flag("use_regex"));
  if (name == "metaspace") {
    return metaspace_step(text("replacement"), static_cast<PrependScheme>(value["scheme"].get<int>()),
                          flag("split"));
  }
  if (name == "literal") return literal_split_step(text("literal"), behavior(), flag("invert"));
  if (name == "digits") return digits_step(flag("individual"));
  if (name == "punctuation") return punctuation_step(behavior());
  if (name == "whitespace") return whitespace_step();
  if (name == "whitespace_split") return whitespace_split_step();
  if (name == "bert") return bert_words_step();
  if (name == "char_delimiter") return char_delimiter_step(text("delimiter"));
  if (name == "unicode_scripts") return unicode_scripts_step();
  if (name == "fixed_length") return fixed_length_step(value["length"].get<int64_t>());
  return wrong(value);
}

Result<PreTokenizer> make(const Json& value) {
  if (value.contains("name")) return PreTokenizer::named(value["name"].get<std::string>(), "file");
  if (value.contains("step")) {
    BRISK_ASSIGN(StepPtr step, make_step(value));
    return PreTokenizer({std::move(step)});
  }
  const auto behavior = static_cast<SplitBehavior>(value["behavior"].get<int>());
  const bool invert = value["invert"].get<bool>();
  if (value.contains("rule")) {
    const SplitRule rule = find_known_rule(value["rule"].get<std::string>());
    if (rule == nullptr) return wrong(value);
    return PreTokenizer({rule_split_step(rule, behavior, invert)});
  }
  BRISK_ASSIGN(Pattern pattern, Pattern::compile(value["pattern"].get<std::string>(), "file"));
  return PreTokenizer({compiled_split_step(std::move(pattern), behavior, invert)});
}

Json choose(std::string_view json) {
  const auto value = parse_json(json, "file");
  if (!value.ok()) return {{"refused", value.status().message()}};
  auto made = make(*value);
  if (!made.ok()) return {{"refused", made.status().message()}};
  chosen = std::move(made).value();
  return Json::object();
}

Json judge(std::span<const std::byte> bytes) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (file.starts_with('c')) return choose(file.substr(1));
  Words words;
  if (const Status status = chosen.split(file.substr(1), true, words); !status.ok()) {
    return {{"refused", status.message()}};
  }
  Json list = Json::array();
  for (const Words::Span& span : words.spans) {
    list.push_back(std::string(words.text.substr(span.begin, span.end - span.begin)));
  }
  return {{"words", list}};
}

}  // namespace

int main() { return differential::judge_all(judge); }
