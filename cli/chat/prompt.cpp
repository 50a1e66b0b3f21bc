// How special tokens in the user's text are disarmed: before the template runs, each control token written
// in a message is replaced by a mark (its number between two noncharacters of Unicode, which no text should
// hold). What the template makes is then cut at the marks; the pieces between are encoded with special
// tokens, the marked ones as plain text. A conversation without such tokens is encoded in one piece.
#include "cli/chat/prompt.hpp"

#include <algorithm>
#include <charconv>

#include "base/paths.hpp"
#include "cli/input.hpp"

namespace brisk::cli {
namespace {

constexpr std::string_view kMarkBegin = "\uFDD0";
constexpr std::string_view kMarkEnd = "\uFDD1";
constexpr std::string_view kReplacement = "\uFFFD";
constexpr uint64_t kMaxTemplateBytes = 1U << 20;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string mark(size_t number) {
  return std::string(kMarkBegin) + std::to_string(number) + std::string(kMarkEnd);
}

std::vector<std::string> control_tokens_of(const text::Tokenizer& tokenizer) {
  std::vector<std::string> tokens;
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    if (tokenizer.token_type(id) != text::TokenType::kControl) continue;
    if (const std::string_view token = tokenizer.token_text(id); !token.empty()) tokens.emplace_back(token);
  }
  std::sort(tokens.begin(), tokens.end(),
            [](const auto& a, const auto& b) { return a.size() != b.size() ? a.size() > b.size() : a < b; });
  return tokens;
}

std::string token_text_or_nothing(const text::Tokenizer& tokenizer, int32_t id) {
  return id < 0 ? "" : std::string(tokenizer.token_text(id));
}

void append(std::vector<int32_t>& ids, const std::vector<int32_t>& more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

}  // namespace

Result<ChatPrompt> ChatPrompt::create(std::shared_ptr<const runtime::Model> model,
                                      const std::string& template_file) {
  ChatPrompt prompt(std::move(model));
  prompt.control_tokens_ = control_tokens_of(prompt.model_->tokenizer());
  if (template_file.empty()) return prompt;
  BRISK_ASSIGN(const std::string source, read_text(expand_home(template_file), kMaxTemplateBytes));
  BRISK_ASSIGN(prompt.template_, text::ChatTemplate::parse(source, template_file));
  return prompt;
}

std::string ChatPrompt::without_control_tokens(std::string text) const {
  const bool holds_one =
      std::any_of(control_tokens_.begin(), control_tokens_.end(),
                  [&](const std::string& token) { return text.find(token) != std::string::npos; });
  // Marks are ours alone, also those that somebody types.
  replace_all(text, kMarkBegin, kReplacement);
  replace_all(text, kMarkEnd, kReplacement);
  if (!holds_one) return text;
  for (size_t i = 0; i < control_tokens_.size(); ++i) replace_all(text, control_tokens_[i], mark(i));
  return text;
}

Result<std::string> ChatPrompt::render(const Json& messages) const {
  if (!template_) return model_->render_chat(messages, true);
  const text::Tokenizer& tokenizer = model_->tokenizer();
  return template_->render({{"messages", messages},
                            {"add_generation_prompt", true},
                            {"bos_token", token_text_or_nothing(tokenizer, tokenizer.bos())},
                            {"eos_token", token_text_or_nothing(tokenizer, tokenizer.eos())}});
}

Result<std::vector<int32_t>> ChatPrompt::encode(const Json& messages) const {
  Json disarmed = messages;
  for (Json& message : disarmed) {
    Json& content = message["content"];
    if (content.is_string()) content = without_control_tokens(content.get<std::string>());
  }
  BRISK_ASSIGN(const std::string text, render(disarmed));
  // The template writes BOS itself where the model wants one.
  const text::EncodeOptions with_tokens{.add_special = false, .parse_special = true};
  const text::EncodeOptions plain{.add_special = false, .parse_special = false};
  const text::Tokenizer& tokenizer = model_->tokenizer();
  std::vector<int32_t> ids;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t begin = std::min(rest.find(kMarkBegin), rest.size());
    BRISK_ASSIGN(const std::vector<int32_t> between, tokenizer.encode(rest.substr(0, begin), with_tokens));
    append(ids, between);
    rest.remove_prefix(begin);
    if (rest.empty()) break;
    const size_t end = rest.find(kMarkEnd);
    size_t number = control_tokens_.size();
    if (end != std::string_view::npos) {
      std::from_chars(rest.data() + kMarkBegin.size(), rest.data() + end, number);
    }
    if (number >= control_tokens_.size()) {
      // Only a template that takes texts apart could do this.
      return bad_input({"chat template", "to keep the texts of messages whole", "a text cut in pieces",
                        "a text without special tokens"});
    }
    BRISK_ASSIGN(const std::vector<int32_t> disarmed_token, tokenizer.encode(control_tokens_[number], plain));
    append(ids, disarmed_token);
    rest.remove_prefix(end + kMarkEnd.size());
  }
  return ids;
}

}  // namespace brisk::cli
