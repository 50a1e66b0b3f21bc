// safetensors files: named tensors behind a header of JSON, read in place out of a mapping.
//
// Layout:
//     u64 N, little-endian                    length of the header, at most 100,000,000
//     N bytes of JSON, UTF-8, an object; white space may stand before and behind it:
//         "__metadata__": {name: text, ...}   optional
//         name: {"dtype": "F16", "shape": [2, 3], "data_offsets": [begin, end]}   for each tensor
//     data                                    offsets count from here; tensors are row-major, little-endian
//
// The tensors fill the data without gaps or overlaps, to its end, in whole bytes, and may begin at any
// address. We accept what the reference library (safetensors 0.8 for Python) accepts, oddities included; the
// table in docs/design/files.md names them and the few files on which we differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.hpp"
#include "base/status.hpp"
#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

namespace brisk::formats {

/// An element type of the format.
struct SafetensorsType {
  std::string_view name;       ///< as in the file: "BF16"
  int32_t bits;                ///< of one element
  std::optional<DType> dtype;  ///< ours, where we have it
};
/// All that the format knows.
std::span<const SafetensorsType> safetensors_types();
/// Null for names that the format does not know.
const SafetensorsType* find_safetensors_type(std::string_view name);
/// The format's name of one of our types; null where it has none.
const SafetensorsType* find_safetensors_type(DType dtype);

/// Bytes of a tensor; nothing when its elements do not fill whole bytes, or on overflow.
std::optional<uint64_t> safetensors_bytes(const SafetensorsType& type, const Shape& shape);

struct SafetensorsTensor {
  std::string name;
  const SafetensorsType* type = nullptr;
  Shape shape;                      ///< outermost first; empty: a scalar. A dimension may be 0
  std::span<const std::byte> data;  ///< begins at any address
};

struct SafetensorsLimits {
  uint64_t header_bytes = 100'000'000;
};

using SafetensorsMetadata = std::map<std::string, std::string, std::less<>>;
struct SafetensorsHeader;

class SafetensorsFile {
 public:
  using Metadata = SafetensorsMetadata;

  /// Maps the file and checks the whole header: after this no read can leave the file.
  static Result<std::shared_ptr<SafetensorsFile>> open(const std::string& path,
                                                       SafetensorsLimits limits = {});
  /// The same for a file that is mapped already.
  static Result<std::shared_ptr<SafetensorsFile>> open(const std::shared_ptr<MappedFile>& mapping,
                                                       SafetensorsLimits limits = {});
  /// The same over bytes in memory, which must outlive the file; `where` names them in errors.
  static Result<std::shared_ptr<SafetensorsFile>> parse(std::span<const std::byte> bytes,
                                                        const std::string& where,
                                                        SafetensorsLimits limits = {});

  const std::string& where() const { return where_; }
  const Metadata& metadata() const { return metadata_; }
  /// In the order of their data.
  const std::vector<SafetensorsTensor>& tensors() const { return tensors_; }
  /// Null when there is none.
  const SafetensorsTensor* find(std::string_view name) const;
  /// As find(), with a bad-input error for a missing tensor, another type or another shape.
  Result<const SafetensorsTensor*> get(std::string_view name, DType dtype, const Shape& shape) const;

  /// The mapping, or null after parse().
  const std::shared_ptr<MappedFile>& mapping() const { return mapping_; }

 private:
  SafetensorsFile() = default;
  Status read(std::span<const std::byte> bytes, SafetensorsLimits limits);
  Status take(SafetensorsHeader header, std::span<const std::byte> data);
  Status check_places(std::span<const std::byte> data) const;
  Status refuse(const std::string& place, std::string expected, std::string got) const;

  std::string where_;
  Metadata metadata_;
  std::vector<SafetensorsTensor> tensors_;
  std::vector<uint32_t> by_name_;  // indices of tensors_
  std::shared_ptr<MappedFile> mapping_;
};

}  // namespace brisk::formats
