#include "text/pre_tokenizer.hpp"

#include <algorithm>
#include <iterator>

namespace brisk::text {

namespace {

constexpr SplitRule kGpt2[] = {split_gpt2};
constexpr SplitRule kNumbersThenGpt2[] = {split_each_number, split_gpt2};
constexpr SplitRule kLlama3[] = {split_llama3};
constexpr SplitRule kQwen2[] = {split_qwen2};
constexpr SplitRule kQwen35[] = {split_qwen35};
constexpr SplitRule kGpt4o[] = {split_gpt4o};
constexpr SplitRule kTekken[] = {split_tekken};
// Falcon's own tokenizer also parts numbers from the rest, after bytes became characters. No merge of its
// vocabulary joins the two, so that changes nothing, unless a byte that has no token is left out between.
constexpr SplitRule kFalcon[] = {split_punctuation, split_gpt2, split_three_digits};
constexpr SplitRule kDeepseekLlm[] = {
    split_line_ends,      split_deepseek_letters, split_deepseek_punctuation,
    split_trailing_space, split_deepseek_cjk,     split_each_number};
constexpr SplitRule kDeepseekCoder[] = {split_line_ends, split_space_letters, split_space_punctuation,
                                        split_deepseek_cjk, split_each_number};
constexpr SplitRule kDeepseekV3[] = {split_numbers_by_three, split_han_kana, split_deepseek_v3};

struct Named {
  std::string_view name;
  std::span<const SplitRule> rules;
  bool whole_words = false;
};

// Sorted by name. The names are those of tokenizer.ggml.pre; what each stands for is stated by the
// pre_tokenizer of the model's tokenizer.json.
constexpr Named kNamed[] = {
    {"", kGpt2},
    {"a.x-4.0", kGpt2},
    {"chatglm-bpe", kLlama3},
    {"codeshell", kNumbersThenGpt2},
    {"command-r", kNumbersThenGpt2},
    {"dbrx", kLlama3},
    {"deepseek-coder", kDeepseekCoder},
    {"deepseek-llm", kDeepseekLlm},
    {"deepseek-r1-qwen", kQwen2},
    {"deepseek-v3", kDeepseekV3},
    {"default", kGpt2},
    {"exaone", kNumbersThenGpt2},
    {"exaone4", kGpt2},
    {"falcon", kFalcon},
    {"falcon-h1", kLlama3, true},
    {"falcon3", kLlama3, true},
    {"gigachat", kGpt2},
    {"glm4", kLlama3, true},
    {"gpt-2", kGpt2},
    {"gpt-4o", kGpt4o},
    {"grok-2", kQwen2},
    {"hunyuan", kQwen2},
    {"hunyuan-dense", kDeepseekV3},
    {"jais", kGpt2},
    {"lfm2", kLlama3, true},
    {"llama-bpe", kLlama3, true},
    {"llama-v3", kLlama3, true},
    {"llama3", kLlama3, true},
    {"llama4", kGpt4o},
    {"megrez", kQwen2},
    {"mellum", kGpt2},
    {"midm-2.0", kLlama3, true},
    {"minerva-7b", kNumbersThenGpt2},
    {"modern-bert", kGpt2},
    {"mpt", kGpt2},
    {"olmo", kGpt2},
    {"phi-2", kGpt2},
    {"pixtral", kLlama3, true},
    {"qwen2", kQwen2},
    {"qwen35", kQwen35},
    {"refact", kNumbersThenGpt2},
    {"smaug-bpe", kLlama3},
    {"smollm", kNumbersThenGpt2},
    {"stablelm2", kQwen2},
    {"starcoder", kNumbersThenGpt2},
    {"tekken", kTekken, true},
    {"trillion", kGpt2},
};

// Appends the ends of the pieces into which `rule` cuts text[begin, end).
void cut(SplitRule rule, std::string_view text, size_t begin, size_t end, std::vector<size_t>& ends) {
  const std::string_view piece = text.substr(begin, end - begin);
  for (size_t at = 0; at < piece.size();) {
    const Match match = rule(piece, at);
    if (match.begin != at) ends.push_back(begin + match.begin);
    if (match.end != match.begin) ends.push_back(begin + match.end);
    at = match.end;
  }
}

std::string known_names() {
  std::string list;
  for (const std::string_view name : PreTokenizer::names()) {
    if (name.empty()) continue;
    if (!list.empty()) list += ", ";
    list += name;
  }
  return list;
}

}  // namespace

Result<PreTokenizer> PreTokenizer::named(std::string_view name, const std::string& where) {
  const auto* found =
      std::lower_bound(std::begin(kNamed), std::end(kNamed), name,
                       [](const Named& n, std::string_view wanted) { return n.name < wanted; });
  if (found == std::end(kNamed) || found->name != name) {
    return bad_input({where + ": pre-tokenizer", "one of " + known_names(), "'" + std::string(name) + "'",
                      "a file converted for one of these"});
  }
  return PreTokenizer(found->rules, found->whole_words);
}

std::vector<std::string_view> PreTokenizer::names() {
  std::vector<std::string_view> names;
  for (const Named& entry : kNamed) names.push_back(entry.name);
  return names;
}

void PreTokenizer::split(std::string_view text, std::vector<size_t>& ends,
                         std::vector<size_t>& scratch) const {
  ends.clear();
  if (!text.empty()) ends.push_back(text.size());
  for (const SplitRule rule : rules_) {
    scratch.swap(ends);
    ends.clear();
    size_t begin = 0;
    for (const size_t end : scratch) {
      cut(rule, text, begin, end, ends);
      begin = end;
    }
  }
}

}  // namespace brisk::text
