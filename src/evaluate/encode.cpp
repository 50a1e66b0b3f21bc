#include "evaluate/encode.hpp"

#include <algorithm>

#include "base/signals.hpp"

namespace brisk::evaluate {

namespace {

constexpr text::EncodeOptions kNothingAdded = {.add_special = false, .parse_special = true};

/// BOS where the model wants one. (encode() with add_special may put EOS behind, which no prompt wants.)
Result<std::vector<int32_t>> beginning(const text::Tokenizer& tokenizer) {
  BRISK_ASSIGN(std::vector<int32_t> added,
               tokenizer.encode("", {.add_special = true, .parse_special = false}));
  const bool has_bos = !added.empty() && added.front() == tokenizer.bos();
  added.resize(has_bos ? 1 : 0);
  return added;
}

Result<std::vector<int32_t>> checked_tokens(const runtime::Model& model, std::vector<int32_t> tokens,
                                            const std::string& where) {
  const int64_t vocabulary = model.config().vocabulary;
  for (const int32_t token : tokens) {
    if (token < vocabulary) continue;
    return bad_input({where, "token ids from 0 to " + std::to_string(vocabulary - 1), std::to_string(token),
                      "ids of this model's tokenizer ('brisk tokenize')"});
  }
  return tokens;
}

/// A prompt and how answers are cut off behind it.
struct Prompt {
  const std::string* text = nullptr;  // null: given as tokens
  std::vector<int32_t> tokens;
};

Result<std::vector<int32_t>> answer_tokens(const runtime::Model& model, const Prompt& prompt,
                                           const std::string& answer) {
  const text::Tokenizer& tokenizer = model.tokenizer();
  if (prompt.text == nullptr) return tokenizer.encode(answer, kNothingAdded);
  BRISK_ASSIGN(std::vector<int32_t> whole, encode_prompt(model, *prompt.text + answer));
  const bool clean = whole.size() > prompt.tokens.size() &&
                     std::equal(prompt.tokens.begin(), prompt.tokens.end(), whole.begin());
  if (!clean) return tokenizer.encode(answer, kNothingAdded);
  whole.erase(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(prompt.tokens.size()));
  return whole;
}

/// The items of one line, as they are encoded one after the other.
class ItemEncoder {
 public:
  ItemEncoder(const runtime::Model& model, std::string where) : model_(model), where_(std::move(where)) {}

  Status prompt(const Text& text) {
    if (const auto* words = std::get_if<std::string>(&text)) {
      prompt_.text = words;
      BRISK_ASSIGN(prompt_.tokens, encode_prompt(model_, *words));
      return {};
    }
    BRISK_ASSIGN(prompt_.tokens,
                 checked_tokens(model_, std::get<std::vector<int32_t>>(text), where_ + ", prompt"));
    return {};
  }

  Status answers(const std::vector<Text>& texts, const std::string& key) {
    for (size_t i = 0; i < texts.size(); ++i) {
      if (interrupt_flag().load(std::memory_order_relaxed)) return cancelled();
      const std::string where = where_ + ", " + key + "[" + std::to_string(i) + "]";
      const auto* words = std::get_if<std::string>(&texts[i]);
      BRISK_ASSIGN(std::vector<int32_t> tokens,
                   words != nullptr
                       ? answer_tokens(model_, prompt_, *words)
                       : checked_tokens(model_, std::get<std::vector<int32_t>>(texts[i]), where));
      BRISK_TRY(check_length(tokens, where));
      answers_.push_back(std::move(tokens));
    }
    return {};
  }

  /// A model says nothing of the first token of all: without a prompt, that of each answer would not count.
  Status check_prompt() const {
    if (!prompt_.tokens.empty()) return {};
    return bad_input({where_ + ", prompt", "at least one token", "none", "a text before the answers"});
  }

  Status check_distinct() const {
    std::vector<std::vector<int32_t>> sorted = answers_;
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) == sorted.end()) return {};
    return bad_input({where_ + ", answers", "answers that all differ", "two with the same tokens",
                      "leaving one of them out"});
  }

  runtime::ScoreItem take() { return {std::move(prompt_.tokens), std::move(answers_)}; }

 private:
  Status check_length(const std::vector<int32_t>& tokens, const std::string& where) const {
    if (tokens.empty()) {
      return bad_input({where, "a text of at least one token", "none", "another text"});
    }
    const auto size = static_cast<int64_t>(prompt_.tokens.size() + tokens.size());
    if (size <= model_.context()) return {};
    return bad_input({where,
                      "at most " + std::to_string(model_.context()) + " tokens with the prompt (the context)",
                      std::to_string(size), "a shorter text or a larger context (--ctx-size)"});
  }

  const runtime::Model& model_;
  const std::string where_;
  Prompt prompt_;
  std::vector<std::vector<int32_t>> answers_;
};

}  // namespace

std::string place_of(const std::string& file, int64_t line) {
  return file + ", line " + std::to_string(line);
}

Result<std::vector<int32_t>> encode_prompt(const runtime::Model& model, const std::string& text) {
  BRISK_ASSIGN(std::vector<int32_t> tokens, beginning(model.tokenizer()));
  BRISK_ASSIGN(const std::vector<int32_t> words, model.tokenizer().encode(text, kNothingAdded));
  tokens.insert(tokens.end(), words.begin(), words.end());
  return tokens;
}

Result<runtime::ScoreItem> encode(const runtime::Model& model, const ContinuationItem& item,
                                  const std::string& where) {
  ItemEncoder encoder(model, where);
  BRISK_TRY(encoder.prompt(item.prompt));
  BRISK_TRY(encoder.answers(item.continuations, "continuations"));
  return encoder.take();
}

Result<runtime::ScoreItem> encode(const runtime::Model& model, const ChoiceItem& item,
                                  const std::string& where) {
  ItemEncoder encoder(model, where);
  BRISK_TRY(encoder.prompt(item.prompt));
  BRISK_TRY(encoder.check_prompt());
  BRISK_TRY(encoder.answers(item.correct, "correct"));
  BRISK_TRY(encoder.answers(item.incorrect, "incorrect"));
  BRISK_TRY(encoder.check_distinct());
  return encoder.take();
}

}  // namespace brisk::evaluate
