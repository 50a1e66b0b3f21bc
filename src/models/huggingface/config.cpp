#include "models/huggingface/config.hpp"

#include <cmath>
#include <limits>

namespace brisk::models {

namespace {

// A value as messages show it.
std::string shown(const Json& value) {
  if (value.is_string()) return "'" + value.get<std::string>().substr(0, 80) + "'";
  if (value.is_structured()) return value.is_object() ? "an object" : "a list";
  return to_json_text(value);
}

}  // namespace

const Json* ConfigReader::find(std::string_view key) const {
  const auto found = config_->find(key);
  return found == config_->end() || found->is_null() ? nullptr : &*found;
}

Status ConfigReader::wrong(std::string_view key, std::string expected, std::string got) const {
  return bad_input({where_ + ": " + std::string(key), std::move(expected), std::move(got),
                    "the config.json that belongs to these weights"});
}

Result<int64_t> ConfigReader::integer(std::string_view key) const {
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
  const std::string expected = "an integer from 0 to " + std::to_string(kMost);
  const Json* value = find(key);
  if (value == nullptr) return wrong(key, expected, "none");
  if (!value->is_number_unsigned() || value->get<uint64_t>() > kMost)
    return wrong(key, expected, shown(*value));
  return static_cast<int64_t>(value->get<uint64_t>());
}

Result<int64_t> ConfigReader::integer_or(std::string_view key, int64_t otherwise) const {
  return find(key) != nullptr ? integer(key) : Result<int64_t>(otherwise);
}

Result<double> ConfigReader::number(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return wrong(key, "a number", "none");
  if (!value->is_number()) return wrong(key, "a number", shown(*value));
  return value->get<double>();
}

Result<double> ConfigReader::number_or(std::string_view key, double otherwise) const {
  return find(key) != nullptr ? number(key) : Result<double>(otherwise);
}

Result<bool> ConfigReader::flag_or(std::string_view key, bool otherwise) const {
  const Json* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) return wrong(key, "true or false", shown(*value));
  return value->get<bool>();
}

Result<std::string> ConfigReader::text_or(std::string_view key, std::string otherwise) const {
  const Json* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_string()) return wrong(key, "a text", shown(*value));
  return value->get<std::string>();
}

Result<ConfigReader> ConfigReader::object(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) return wrong(key, "an object", "none");
  if (!value->is_object()) return wrong(key, "an object", shown(*value));
  return ConfigReader(*value, where_ + ": " + std::string(key));
}

}  // namespace brisk::models
