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
// other than 0 and 1; an alignment that is no power of two from 8 to 1 MiB; more than four dimensions;
// tensors that overlap. A tensor without dimensions is a scalar, one with a dimension of 0 is empty. Gaps
// between tensors and bytes after the last are allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.hpp"
#include "base/status.hpp"
#include "formats/gguf/metadata.hpp"
#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

namespace brisk::formats {

struct GgufTensor {
  std::string_view name;
  DType dtype;
  Shape shape;  ///< outermost first
  std::span<const std::byte> data;
  uint64_t file_offset;
};

class GgufFile {
 public:
  /// Maps and checks the whole header: after this no read can leave the file.
  static Result<std::shared_ptr<GgufFile>> open(const std::string& path);
  /// The same for a file that is mapped already.
  static Result<std::shared_ptr<GgufFile>> open(std::shared_ptr<MappedFile> mapping);
  /// The same over bytes in memory (tests, fuzzing); `where` names them in errors. The bytes must outlive
  /// the file.
  static Result<std::shared_ptr<GgufFile>> parse(std::span<const std::byte> bytes, const std::string& where);

  const std::string& where() const { return where_; }
  uint32_t version() const { return version_; }
  uint64_t alignment() const { return alignment_; }
  uint64_t file_bytes() const { return file_bytes_; }
  const GgufMetadata& metadata() const { return metadata_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }

  const GgufTensor* find_tensor(std::string_view name) const;

  /// The mapping, or null after parse().
  const std::shared_ptr<MappedFile>& mapping() const { return mapping_; }

 private:
  GgufFile() = default;
  friend class GgufParser;
  std::string where_;
  uint32_t version_ = 0;
  uint64_t alignment_ = 32;
  uint64_t file_bytes_ = 0;
  GgufMetadata metadata_;
  std::vector<GgufTensor> tensors_;
  GgufIndex tensor_index_;
  std::shared_ptr<MappedFile> mapping_;
};

}  // namespace brisk::formats
