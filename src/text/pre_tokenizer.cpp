#include "text/pre_tokenizer.hpp"

#include <algorithm>
#include <iterator>

namespace brisk::text {

namespace {

constexpr SplitRule kGpt2[] = {split_gpt2};
constexpr SplitRule kNumbersThenGpt2[] = {split_each_number, split_gpt2};
constexpr SplitRule kLlama3[] = {split_llama3};
constexpr SplitRule kMiniCpm5[] = {split_numbers_by_three, split_minicpm5};
constexpr SplitRule kJais2[] = {split_jais2};
constexpr SplitRule kQwen2[] = {split_qwen2};
constexpr SplitRule kQwen35[] = {split_qwen35};
constexpr SplitRule kUfakzeka[] = {split_ufakzeka};
constexpr SplitRule kSeedCoder[] = {split_seed_coder};
constexpr SplitRule kExaoneMoe[] = {split_exaone_moe};
constexpr SplitRule kLaguna[] = {split_lines, split_qwen2};
constexpr SplitRule kGpt4o[] = {split_gpt4o};
constexpr SplitRule kTekken[] = {split_tekken};
constexpr SplitRule kGraniteEmbedding[] = {split_granite_embedding};
constexpr SplitRule kTinyAya[] = {split_after_triples, split_gpt4o_uncased};
constexpr SplitRule kYoutu[] = {split_youtu_scripts, split_youtu};
constexpr SplitRule kKimiK2[] = {split_kimi_k2_llama_cpp};
// Falcon's own tokenizer also parts numbers from the rest, after bytes became characters. No merge of its
// vocabulary joins the two, so that changes nothing, unless a byte that has no token is left out between.
constexpr SplitRule kFalcon[] = {split_punctuation, split_gpt2, split_three_digits};
constexpr SplitRule kDeepseekLlm[] = {
    split_line_ends,      split_deepseek_letters, split_deepseek_punctuation,
    split_trailing_space, split_deepseek_cjk,     split_each_number};
constexpr SplitRule kDeepseekCoder[] = {split_line_ends, split_space_letters, split_space_punctuation,
                                        split_deepseek_cjk, split_each_number};
constexpr SplitRule kDeepseekV3[] = {split_numbers_by_three, split_han_kana, split_deepseek_v3};
constexpr SplitRule kSpark[] = {split_numbers_by_three, split_han_kana, split_spark, split_each_number};
constexpr SplitRule kAfmoe[] = {split_after_triples, split_afmoe_scripts, split_deepseek_v3};
constexpr SplitRule kBloom[] = {split_bloom};
constexpr SplitRule kViking[] = {split_bloom, split_each_number};
constexpr SplitRule kSuperBpe[] = {split_numbers, split_before_triples};
constexpr SplitRule kChameleon[] = {split_sentinels,   split_image_tokens, split_indents,
                                    split_each_number, split_each_sign,    split_gpt2};
// For vocabularies whose merges run over characters, spaces written as U+2581.
constexpr SplitRule kLines[] = {split_lines};
constexpr SplitRule kNonSpace[] = {split_non_space};

struct Named {
  std::string_view name;
  std::span<const SplitRule> rules;
  bool whole_words = false;
};

// Sorted by name. The names are those of tokenizer.ggml.pre; what each stands for is stated by the model's
// own tokenizer or by llama.cpp (docs/design/pre-tokenizers.md says where the two differ, and which it is
// then).
constexpr Named kNamed[] = {
    {"", kGpt2},
    {"a.x-4.0", kGpt2},
    {"afmoe", kAfmoe},
    {"bailingmoe", kQwen2},
    {"bailingmoe2", kQwen2},
    {"bloom", kBloom},
    {"chameleon", kChameleon},
    {"chatglm-bpe", kLlama3},
    {"codeshell", kNumbersThenGpt2},
    {"cohere2moe", kTinyAya},
    {"command-r", kNumbersThenGpt2},
    {"dbrx", kLlama3},
    {"deepseek-coder", kDeepseekCoder},
    {"deepseek-llm", kDeepseekLlm},
    {"deepseek-r1-qwen", kQwen2},
    {"deepseek-v3", kDeepseekV3},
    {"default", kGpt2},
    {"exaone", kNumbersThenGpt2},
    {"exaone-moe", kExaoneMoe},
    {"exaone4", kGpt2},
    {"f2llmv2", kQwen2},
    {"falcon", kFalcon},
    {"falcon-h1", kLlama3, true},
    {"falcon3", kLlama3, true},
    {"gemma4", kLines},
    {"gigachat", kGpt2},
    {"glm4", kLlama3, true},
    {"glm5", kLlama3, true},
    {"gpt-2", kGpt2},
    {"gpt-4o", kGpt4o},
    {"gpt3-finnish", kBloom},
    {"granite-docling", kGpt2},
    {"granite-embed-multi-311m", kLines},
    {"granite-embed-multi-97m", kGraniteEmbedding, true},
    {"grok-2", kQwen2},
    {"hunyuan", kQwen2},
    {"hunyuan-dense", kDeepseekV3},
    {"hy_v4", kDeepseekV3},
    {"jais", kGpt2},
    {"jais-2", kJais2},
    {"jina-de", kGpt2},
    {"jina-es", kGpt2},
    {"jina-v1-en", kGpt2},
    {"jina-v2-code", kGpt2},
    {"jina-v2-de", kGpt2},
    {"jina-v2-es", kGpt2},
    {"jina-v5-nano", kLlama3, true},
    {"joyai-llm", kDeepseekV3},
    {"kanana2", kGpt4o},
    {"kimi-k2", kKimiK2},
    {"kormo", kQwen2},
    {"laguna", kLaguna},
    {"lfm2", kLlama3, true},
    {"llada-moe", kQwen2},
    {"llama-bpe", kLlama3, true},
    {"llama-v3", kLlama3, true},
    {"llama3", kLlama3, true},
    {"llama4", kGpt4o},
    {"megrez", kQwen2},
    {"mellum", kGpt2},
    {"mellum2", kNumbersThenGpt2},
    {"midm-2.0", kLlama3, true},
    {"minerva-7b", kNumbersThenGpt2},
    {"minicpm5", kMiniCpm5, true},
    {"minimax-m2", kGpt4o},
    {"modern-bert", kGpt2},
    {"mpt", kGpt2},
    {"olmo", kGpt2},
    {"phi-2", kGpt2},
    {"pixtral", kLlama3, true},
    {"poro-chat", kBloom},
    {"qwen2", kQwen2},
    {"qwen35", kQwen35},
    {"refact", kNumbersThenGpt2},
    {"roberta-bpe", kGpt2},
    {"sarvam-moe", kLines},
    {"seed-coder", kSeedCoder},
    {"smaug-bpe", kLlama3},
    {"smollm", kNumbersThenGpt2},
    {"solar-open", kQwen2},
    {"spark2_5", kSpark},
    {"stablelm2", kQwen2},
    {"starcoder", kNumbersThenGpt2},
    {"superbpe", kSuperBpe},
    {"talkie", kGpt4o},
    {"tekken", kTekken, true},
    {"tiny_aya", kTinyAya},
    {"trillion", kGpt2},
    {"ufakzeka", kUfakzeka},
    {"viking", kViking},
    {"whitespace", kNonSpace},
    {"youtu", kYoutu, true},
};

const Named* find_name(std::string_view name) {
  const auto* found =
      std::lower_bound(std::begin(kNamed), std::end(kNamed), name,
                       [](const Named& n, std::string_view wanted) { return n.name < wanted; });
  return found != std::end(kNamed) && found->name == name ? found : nullptr;
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
  const Named* found = find_name(name);
  if (found == nullptr) {
    return bad_input({where + ": pre-tokenizer", "one of " + known_names(), "'" + std::string(name) + "'",
                      "a file converted for one of these"});
  }
  return PreTokenizer({rules_step(found->rules)});
}

std::vector<std::string_view> PreTokenizer::names() {
  std::vector<std::string_view> names;
  for (const Named& entry : kNamed) names.push_back(entry.name);
  return names;
}

bool PreTokenizer::takes_whole_words(std::string_view name) {
  const Named* found = find_name(name);
  return found != nullptr && found->whole_words;
}

Status PreTokenizer::split(std::string_view text, bool first, Words& words) const {
  words.text = text;
  words.spans.clear();
  if (!text.empty()) words.spans.push_back({0, text.size()});
  for (const auto& step : steps_) BRISK_TRY(step->apply(first, words));
  return {};
}

}  // namespace brisk::text
