// GGUF files, versions 2 and 3: reading, bounded and checked, straight out of a mapping.
//
// Layout (all little-endian):
//     "GGUF"  u32 version  u64 n_tensors  u64 n_kv
//     n_kv times:       string key, u32 value type, value
//     n_tensors times:  string name, u32 n_dims, u64 dims[n_dims] (innermost first), u32 type, u64 offset
//     padding to general.alignment (default 32), then the tensors' data, each at an aligned offset
// A string is a u64 length and that many bytes; an array is a u32 element type, a u64 count and elements.
//
// What is refused, beyond what the layout makes necessary: keys and names that are empty, longer than
// 65,535 bytes, not UTF-8 or with control characters; a key or name twice; arrays of arrays; a boolean
// other than 0 and 1; an alignment that is no power of two from 8 to 1 MiB; more than four dimensions; a
// dimension of 0; tensors that overlap. A tensor without dimensions is a scalar. Gaps between tensors and
// bytes after the last are allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/mapped_file.hpp"
#include "base/status.hpp"
#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

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

struct GgufTensor {
  std::string_view name;
  DType dtype;
  Shape shape;  ///< outermost first
  std::span<const std::byte> data;
  uint64_t file_offset;
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

class GgufFile {
 public:
  /// Maps and checks the whole header: after this no read can leave the file.
  static Result<std::shared_ptr<GgufFile>> open(const std::string& path);
  /// The same over bytes in memory (tests, fuzzing); `where` names them in errors. The bytes must outlive
  /// the file.
  static Result<std::shared_ptr<GgufFile>> parse(std::span<const std::byte> bytes, const std::string& where);

  const std::string& where() const { return where_; }
  uint32_t version() const { return version_; }
  uint64_t alignment() const { return alignment_; }
  uint64_t file_bytes() const { return file_bytes_; }
  /// Keys in file order.
  const std::vector<std::pair<std::string_view, GgufValue>>& metadata() const { return metadata_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }

  const GgufValue* find(std::string_view key) const;
  const GgufTensor* find_tensor(std::string_view name) const;

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

  /// The mapping, or null after parse().
  const std::shared_ptr<MappedFile>& mapping() const { return mapping_; }

 private:
  GgufFile() = default;
  Status wrong_value(std::string_view key, std::string expected, std::string got) const;
  friend class GgufParser;
  std::string where_;
  uint32_t version_ = 0;
  uint64_t alignment_ = 32;
  uint64_t file_bytes_ = 0;
  std::vector<std::pair<std::string_view, GgufValue>> metadata_;
  GgufIndex metadata_index_;
  std::vector<GgufTensor> tensors_;
  GgufIndex tensor_index_;
  std::shared_ptr<MappedFile> mapping_;
};

}  // namespace brisk::formats
