#include "text/json_part.hpp"

namespace brisk::text {

namespace {

const Json kNull;

constexpr const char* kHint = "a tokenizer.json as Hugging Face's tokenizers 0.23 writes it";

/// A value in a message: numbers and words as they are, the rest by kind.
std::string described(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (value.is_string()) return "\"" + value.get_ref<const std::string&>().substr(0, 80) + "\"";
  return to_json_text(value);
}

}  // namespace

bool JsonPart::has(std::string_view key) const { return !field(key).is_null(); }

JsonPart JsonPart::field(std::string_view key) const {
  const std::string place = where_ + (where_.ends_with(": ") ? "" : ".") + std::string(key);
  if (!value_->is_object()) return {kNull, place};
  const auto found = value_->find(key);
  return {found == value_->end() ? kNull : *found, place};
}

JsonPart JsonPart::element(size_t i) const {
  const std::string place = where_ + "[" + std::to_string(i) + "]";
  return {value_->is_array() && i < value_->size() ? (*value_)[i] : kNull, place};
}

Status JsonPart::wrong(std::string expected, std::string got) const {
  return bad_input({where_, std::move(expected), std::move(got), kHint});
}

Result<std::string> JsonPart::type() const {
  if (!value_->is_object()) return wrong("an object with a \"type\"", described(*value_));
  return text("type");
}

Status JsonPart::unknown_type(const std::string& type, std::span<const std::string_view> known) const {
  std::string list = "one of";
  for (const std::string_view name : known) (list += name == known.front() ? " " : ", ") += name;
  return bad_input({where_ + ".type", std::move(list), "\"" + type.substr(0, 80) + "\"", kHint});
}

Result<std::string> JsonPart::text() const {
  if (!value_->is_string()) return wrong("a string", described(*value_));
  return value_->get<std::string>();
}

Result<std::string> JsonPart::text(std::string_view key, std::string fallback) const {
  const JsonPart part = field(key);
  if (part.is_null()) return fallback;
  return part.text();
}

Result<bool> JsonPart::flag(std::string_view key, bool fallback) const {
  const JsonPart part = field(key);
  if (part.is_null()) return fallback;
  if (!part.json().is_boolean()) return part.wrong("true or false", described(part.json()));
  return part.json().get<bool>();
}

Result<int64_t> JsonPart::integer(int64_t least, int64_t most) const {
  const bool fits =
      value_->is_number_integer() && (!value_->is_number_unsigned() || value_->get<uint64_t>() <= INT64_MAX);
  const int64_t value = fits ? value_->get<int64_t>() : 0;
  if (!fits || value < least || value > most) {
    return wrong("a whole number from " + std::to_string(least) + " to " + std::to_string(most),
                 described(*value_));
  }
  return value;
}

Result<int64_t> JsonPart::integer(std::string_view key, int64_t fallback, int64_t least, int64_t most) const {
  const JsonPart part = field(key);
  if (part.is_null()) return fallback;
  return part.integer(least, most);
}

Result<size_t> JsonPart::count(std::string_view key) const {
  const JsonPart part = field(key);
  if (!part.json().is_array()) return part.wrong("an array", described(part.json()));
  return part.json().size();
}

Result<JsonPattern> read_pattern(const JsonPart& part) {
  if (part.json().is_string()) return JsonPattern{part.json().get<std::string>(), false};
  if (!part.json().is_object())
    return part.wrong("{\"String\": ...} or {\"Regex\": ...}", described(part.json()));
  const bool regex = part.has("Regex");
  BRISK_ASSIGN(std::string text, part.text(regex ? "Regex" : "String"));
  return JsonPattern{std::move(text), regex};
}

}  // namespace brisk::text
