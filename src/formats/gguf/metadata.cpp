#include "formats/gguf/metadata.hpp"

#include <algorithm>
#include <limits>

#include "base/check.hpp"
#include "base/utf8.hpp"

namespace brisk::formats {

namespace {

std::string describe(const GgufValue& value) {
  if (value.type != GgufType::kArray) return std::string(gguf_type_name(value.type));
  return "array of " + std::string(gguf_type_name(std::get<GgufArray>(value.value).element));
}

}  // namespace

std::string_view gguf_type_name(GgufType type) {
  switch (type) {
    case GgufType::kU8: return "u8";
    case GgufType::kI8: return "i8";
    case GgufType::kU16: return "u16";
    case GgufType::kI16: return "i16";
    case GgufType::kU32: return "u32";
    case GgufType::kI32: return "i32";
    case GgufType::kF32: return "f32";
    case GgufType::kBool: return "bool";
    case GgufType::kString: return "string";
    case GgufType::kArray: return "array";
    case GgufType::kU64: return "u64";
    case GgufType::kI64: return "i64";
    case GgufType::kF64: return "f64";
  }
  return "unknown";
}

std::string shown_name(std::string_view name) {
  constexpr size_t kMost = 80;
  if (name.size() <= kMost) return "'" + std::string(name) + "'";
  return "'" + std::string(name.substr(0, utf8_floor(name, kMost))) + "...'";
}

std::optional<std::pair<size_t, size_t>> GgufIndex::build(std::vector<std::string_view> names) {
  sorted_.clear();
  sorted_.reserve(names.size());
  for (size_t i = 0; i < names.size(); ++i) sorted_.emplace_back(names[i], i);
  std::sort(sorted_.begin(), sorted_.end());
  for (size_t i = 1; i < sorted_.size(); ++i) {
    if (sorted_[i - 1].first == sorted_[i].first) return std::pair(sorted_[i - 1].second, sorted_[i].second);
  }
  return std::nullopt;
}

std::optional<size_t> GgufIndex::find(std::string_view name) const {
  const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), name,
                                   [](const auto& entry, std::string_view n) { return entry.first < n; });
  if (at == sorted_.end() || at->first != name) return std::nullopt;
  return at->second;
}

std::optional<std::pair<size_t, size_t>> GgufMetadata::set_entries(std::vector<Entry> entries,
                                                                   std::shared_ptr<const void> storage) {
  entries_ = std::move(entries);
  storage_ = std::move(storage);
  std::vector<std::string_view> keys;
  keys.reserve(entries_.size());
  for (const Entry& entry : entries_) keys.push_back(entry.first);
  return index_.build(std::move(keys));
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto at = index_.find(key);
  return at ? &entries_[*at].second : nullptr;
}

Status GgufMetadata::wrong_value(std::string_view key, std::string expected, std::string got) const {
  return bad_input({where_ + ": key " + shown_name(key), std::move(expected), std::move(got),
                    "converting the model again"});
}

Result<int64_t> GgufMetadata::get_int(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return wrong_value(key, "an integer", "no such key");
  if (const auto* number = std::get_if<int64_t>(&value->value)) return *number;
  const auto* number = std::get_if<uint64_t>(&value->value);
  if (number == nullptr) return wrong_value(key, "an integer", describe(*value));
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  if (*number > static_cast<uint64_t>(kMost)) {
    return wrong_value(key, "an integer up to " + std::to_string(kMost), std::to_string(*number));
  }
  return static_cast<int64_t>(*number);
}

Result<double> GgufMetadata::get_float(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return wrong_value(key, "a floating-point number", "no such key");
  if (const auto* number = std::get_if<double>(&value->value)) return *number;
  return wrong_value(key, "a floating-point number", describe(*value));
}

Result<bool> GgufMetadata::get_bool(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return wrong_value(key, "a bool", "no such key");
  if (const auto* truth = std::get_if<bool>(&value->value)) return *truth;
  return wrong_value(key, "a bool", describe(*value));
}

Result<std::string_view> GgufMetadata::get_string(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return wrong_value(key, "a string", "no such key");
  if (const auto* text = std::get_if<std::string_view>(&value->value)) return *text;
  return wrong_value(key, "a string", describe(*value));
}

Result<const GgufArray*> GgufMetadata::get_array(std::string_view key, GgufType element) const {
  const std::string expected = "an array of " + std::string(gguf_type_name(element));
  const GgufValue* value = find(key);
  if (value == nullptr) return wrong_value(key, expected, "no such key");
  const auto* array = std::get_if<GgufArray>(&value->value);
  if (array == nullptr || array->element != element) return wrong_value(key, expected, describe(*value));
  return array;
}

Result<int64_t> GgufMetadata::get_int_or(std::string_view key, int64_t otherwise) const {
  return find(key) != nullptr ? get_int(key) : Result<int64_t>(otherwise);
}

Result<double> GgufMetadata::get_float_or(std::string_view key, double otherwise) const {
  return find(key) != nullptr ? get_float(key) : Result<double>(otherwise);
}

Result<bool> GgufMetadata::get_bool_or(std::string_view key, bool otherwise) const {
  return find(key) != nullptr ? get_bool(key) : Result<bool>(otherwise);
}

std::string_view GgufMetadataBuilder::keep(std::string text) {
  return storage_->emplace_back(std::move(text));
}

void GgufMetadataBuilder::add(std::string key, uint32_t value) {
  entries_.emplace_back(keep(std::move(key)), GgufValue{GgufType::kU32, uint64_t{value}});
}

void GgufMetadataBuilder::add(std::string key, float value) {
  entries_.emplace_back(keep(std::move(key)), GgufValue{GgufType::kF32, double{value}});
}

void GgufMetadataBuilder::add(std::string key, bool value) {
  entries_.emplace_back(keep(std::move(key)), GgufValue{GgufType::kBool, value});
}

void GgufMetadataBuilder::add(std::string key, std::string value) {
  const std::string_view kept = keep(std::move(value));
  entries_.emplace_back(keep(std::move(key)), GgufValue{GgufType::kString, kept});
}

GgufMetadata GgufMetadataBuilder::build(std::string where) && {
  GgufMetadata metadata(std::move(where));
  const auto same = metadata.set_entries(std::move(entries_), std::move(storage_));
  BRISK_ASSERT(!same, "keys are added once");
  return metadata;
}

}  // namespace brisk::formats
