#include "evaluate/items.hpp"

#include <algorithm>
#include <limits>

#include "base/json.hpp"

namespace brisk::evaluate {

namespace {

constexpr int kDepth = 8;  // items are flat; keys that we leave alone may nest a little

/// One line of a file, for errors.
struct Line {
  const std::string& file;
  int64_t number;
  std::string where(std::string_view key = {}) const {
    return file + ", line " + std::to_string(number) + (key.empty() ? "" : ", " + std::string(key));
  }
};

std::string kind_of(const Json& value) {
  return value.is_null() ? "null" : "a value of type " + std::string(value.type_name());
}

std::string place_in(std::string_view key, size_t index) {
  return std::string(key) + "[" + std::to_string(index) + "]";
}

Result<std::vector<int32_t>> read_tokens(const Json& value, const Line& line, std::string_view key) {
  std::vector<int32_t> tokens;
  tokens.reserve(value.size());
  for (const Json& token : value) {
    const bool whole = token.is_number_unsigned();
    const uint64_t id = whole ? token.get<uint64_t>() : 0;
    if (!whole || id > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
      return bad_input({line.where(key), "token ids, whole numbers from 0 on",
                        token.is_number() ? to_json_text(token) : kind_of(token), "a string for plain text"});
    }
    tokens.push_back(static_cast<int32_t>(id));
  }
  return tokens;
}

Result<Text> read_text(const Json& value, const Line& line, std::string_view key) {
  if (value.is_string()) return Text(value.get<std::string>());
  if (!value.is_array()) {
    return bad_input({line.where(key), "a string or a list of token ids", kind_of(value), "\"...\""});
  }
  BRISK_ASSIGN(std::vector<int32_t> tokens, read_tokens(value, line, key));
  return Text(std::move(tokens));
}

bool is_empty(const Text& text) {
  return std::visit([](const auto& value) { return value.empty(); }, text);
}

Result<const Json*> find_key(const Json& item, const Line& line, std::string_view key) {
  const auto found = item.find(std::string(key));
  if (found == item.end()) {
    return bad_input({line.where(), "the key \"" + std::string(key) + "\"", "an object without it",
                      "an item as the guide describes it"});
  }
  return &*found;
}

Result<Text> read_prompt(const Json& item, const Line& line) {
  BRISK_ASSIGN(const Json* value, find_key(item, line, "prompt"));
  return read_text(*value, line, "prompt");
}

/// The list at `key`: at least one text, none empty.
Result<std::vector<Text>> read_texts(const Json& item, const Line& line, std::string_view key) {
  BRISK_ASSIGN(const Json* list, find_key(item, line, key));
  if (!list->is_array() || list->empty() || list->size() > kMostAnswers) {
    return bad_input({line.where(key), "a list of 1 to " + std::to_string(kMostAnswers) + " texts",
                      list->is_array() ? std::to_string(list->size()) : kind_of(*list), "[\"...\"]"});
  }
  std::vector<Text> texts;
  for (size_t i = 0; i < list->size(); ++i) {
    BRISK_ASSIGN(Text text, read_text((*list)[i], line, place_in(key, i)));
    if (is_empty(text)) {
      return bad_input({line.where(place_in(key, i)), "a text", "an empty one", "leaving it out"});
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

Status check_distinct(const ChoiceItem& item, const Line& line) {
  std::vector<const Text*> answers;
  for (const Text& text : item.correct) answers.push_back(&text);
  for (const Text& text : item.incorrect) answers.push_back(&text);
  const auto before = [](const Text* a, const Text* b) { return *a < *b; };
  std::ranges::sort(answers, before);
  const auto same =
      std::ranges::adjacent_find(answers, [](const Text* a, const Text* b) { return *a == *b; });
  if (same == answers.end()) return {};
  const auto* text = std::get_if<std::string>(*same);
  return bad_input({line.where("answers"), "answers that all differ",
                    text != nullptr ? "twice '" + *text + "'" : "the same token ids twice",
                    "leaving one of them out"});
}

Result<ChoiceItem> read_choice(const Json& value, const Line& line) {
  ChoiceItem item{.line = line.number, .prompt = {}, .correct = {}, .incorrect = {}};
  BRISK_ASSIGN(item.prompt, read_prompt(value, line));
  BRISK_ASSIGN(item.correct, read_texts(value, line, "correct"));
  BRISK_ASSIGN(item.incorrect, read_texts(value, line, "incorrect"));
  BRISK_TRY(check_distinct(item, line));
  return item;
}

Result<ContinuationItem> read_continuations(const Json& value, const Line& line) {
  ContinuationItem item{.line = line.number, .prompt = std::vector<int32_t>(), .continuations = {}};
  const auto whole = value.find("text");
  if (whole == value.end()) {
    BRISK_ASSIGN(item.prompt, read_prompt(value, line));
    BRISK_ASSIGN(item.continuations, read_texts(value, line, "continuations"));
    return item;
  }
  if (value.contains("prompt") || value.contains("continuations")) {
    return bad_input({line.where(), "either \"text\" or \"prompt\" and \"continuations\"", "both",
                      "one of the two forms"});
  }
  BRISK_ASSIGN(Text text, read_text(*whole, line, "text"));
  if (is_empty(text)) return bad_input({line.where("text"), "a text", "an empty one", "leaving it out"});
  if (std::holds_alternative<std::string>(text)) item.prompt = std::string();  // with BOS, if there is one
  item.continuations.push_back(std::move(text));
  return item;
}

/// Calls `read` for the object of each line that is not empty.
template <typename Item>
Result<std::vector<Item>> read_lines(std::string_view content, const std::string& file,
                                     Result<Item> (*read)(const Json&, const Line&)) {
  std::vector<Item> items;
  for (Line line{file, 1}; !content.empty(); ++line.number) {
    const size_t end = content.find('\n');
    const std::string_view text = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    BRISK_ASSIGN(const Json value,
                 parse_json(text, line.where(), {.depth = kDepth, .bytes = kMostLineBytes}));
    if (!value.is_object()) {
      return bad_input({line.where(), "an object", kind_of(value), "one JSON object on each line"});
    }
    if (items.size() == kMostItems) {
      return bad_input({line.where(), "at most " + std::to_string(kMostItems) + " items", "more",
                        "cutting the file in pieces"});
    }
    BRISK_ASSIGN(Item item, read(value, line));
    items.push_back(std::move(item));
  }
  if (items.empty()) {
    return bad_input({file, "at least one item", "none", "one JSON object on each line"});
  }
  return items;
}

}  // namespace

Result<std::vector<ChoiceItem>> read_choice_items(std::string_view content, const std::string& where) {
  return read_lines<ChoiceItem>(content, where, read_choice);
}

Result<std::vector<ContinuationItem>> read_continuation_items(std::string_view content,
                                                              const std::string& where) {
  return read_lines<ContinuationItem>(content, where, read_continuations);
}

}  // namespace brisk::evaluate
