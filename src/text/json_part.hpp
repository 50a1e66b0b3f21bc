// A part of a tokenizer.json (a normalizer, a decoder, ...) with its place, and its fields by type. Every
// error names the place: "FILE: normalizer.normalizers[1].pattern".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/status.hpp"

namespace brisk::text {

class JsonPart {
 public:
  /// `value` must outlive the part. `where` is "FILE: " for a whole file.
  JsonPart(const Json& value, std::string where) : value_(&value), where_(std::move(where)) {}

  const Json& json() const { return *value_; }
  const std::string& where() const { return where_; }
  bool is_null() const { return value_->is_null(); }
  /// Whether a field is there and not null.
  bool has(std::string_view key) const;
  /// The field as a part; null when it is not there.
  JsonPart field(std::string_view key) const;
  JsonPart element(size_t i) const;

  /// The field "type". A part that is no object, or has none, is an error.
  Result<std::string> type() const;
  /// An error that says that `type` is not among the known ones, and lists those.
  Status unknown_type(const std::string& type, std::span<const std::string_view> known) const;
  Status wrong(std::string expected, std::string got) const;

  // The value of this part, or of one of its fields; the fallback when the field is not there or null.
  Result<std::string> text() const;
  Result<std::string> text(std::string_view key) const { return field(key).text(); }
  Result<std::string> text(std::string_view key, std::string fallback) const;
  Result<bool> flag(std::string_view key, bool fallback) const;
  /// Within [least, most].
  Result<int64_t> integer(int64_t least, int64_t most) const;
  Result<int64_t> integer(std::string_view key, int64_t fallback, int64_t least, int64_t most) const;
  /// The field must be an array; its size.
  Result<size_t> count(std::string_view key) const;

 private:
  const Json* value_;
  std::string where_;
};

/// What a "pattern" says: {"String": "..."} or {"Regex": "..."}; a bare string is taken literally.
struct JsonPattern {
  std::string text;
  bool regex = false;
};
Result<JsonPattern> read_pattern(const JsonPart& part);

}  // namespace brisk::text
