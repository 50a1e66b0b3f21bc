// Typed key-value pairs, as GGUF files carry them in front of their tensors. They are also what the
// configuration of a Hugging Face folder is translated to, so that architectures read one kind of thing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.hpp"

namespace brisk::formats {

/// Numbered as in the file.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};
std::string_view gguf_type_name(GgufType type);

/// An array of numbers or booleans stays where it lies in the file (unaligned); strings are views of it.
struct GgufArray {
  GgufType element;
  uint64_t count;
  std::span<const std::byte> bytes;       ///< of numbers and booleans
  std::vector<std::string_view> strings;  ///< of strings
};

struct GgufValue {
  GgufType type;
  std::variant<uint64_t, int64_t, double, bool, std::string_view, GgufArray> value;
};

/// Finds the positions of names: sorted, so that no choice of names can make it slow.
class GgufIndex {
 public:
  /// Two positions with the same name, or nothing. `names` are viewed, not copied.
  std::optional<std::pair<size_t, size_t>> build(std::vector<std::string_view> names);
  std::optional<size_t> find(std::string_view name) const;

 private:
  std::vector<std::pair<std::string_view, size_t>> sorted_;
};

/// A name from a file as messages show it: quoted, cut when long.
std::string shown_name(std::string_view name);

class GgufMetadata {
 public:
  using Entry = std::pair<std::string_view, GgufValue>;

  GgufMetadata() = default;
  /// `where` names the file in errors.
  explicit GgufMetadata(std::string where) : where_(std::move(where)) {}

  /// Takes all entries at once. Returns the positions of two with the same key, or nothing. What their views
  /// point to must outlive this, or be `storage`.
  std::optional<std::pair<size_t, size_t>> set_entries(std::vector<Entry> entries,
                                                       std::shared_ptr<const void> storage = nullptr);

  const std::string& where() const { return where_; }
  /// In file order.
  const std::vector<Entry>& entries() const { return entries_; }
  const GgufValue* find(std::string_view key) const;

  /// Typed lookups. A missing key or another type is a bad-input error naming key and types; integers of
  /// any width convert when the value fits.
  Result<int64_t> get_int(std::string_view key) const;
  Result<double> get_float(std::string_view key) const;
  Result<bool> get_bool(std::string_view key) const;
  Result<std::string_view> get_string(std::string_view key) const;
  Result<const GgufArray*> get_array(std::string_view key, GgufType element) const;
  /// As above, with a value for a missing key; a wrong type is still an error.
  Result<int64_t> get_int_or(std::string_view key, int64_t otherwise) const;
  Result<double> get_float_or(std::string_view key, double otherwise) const;
  Result<bool> get_bool_or(std::string_view key, bool otherwise) const;

 private:
  Status wrong_value(std::string_view key, std::string expected, std::string got) const;

  std::string where_;
  std::vector<Entry> entries_;
  GgufIndex index_;
  std::shared_ptr<const void> storage_;
};

/// Builds metadata that owns its keys and texts.
class GgufMetadataBuilder {
 public:
  void add(std::string key, uint32_t value);
  void add(std::string key, float value);
  void add(std::string key, bool value);
  void add(std::string key, std::string value);
  void add(std::string key, const char* value) { add(std::move(key), std::string(value)); }
  /// The keys must differ.
  GgufMetadata build(std::string where) &&;

 private:
  std::string_view keep(std::string text);

  std::shared_ptr<std::deque<std::string>> storage_ = std::make_shared<std::deque<std::string>>();
  std::vector<GgufMetadata::Entry> entries_;
};

}  // namespace brisk::formats
