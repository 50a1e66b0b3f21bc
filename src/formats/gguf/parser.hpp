// Reads a GGUF header into a GgufFile, believing nothing: each count is compared with the bytes that remain
// (and with a limit, because an entry in memory is larger than its claim in the file) before anything is
// allocated; sums and products are checked; a tensor's bytes are placed inside the file in one function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/reader.hpp"
#include "base/status.hpp"
#include "formats/gguf/gguf.hpp"

namespace brisk::formats {

class GgufParser {
 public:
  /// What GgufFile::parse() promises, but for std::bad_alloc.
  static Result<std::shared_ptr<GgufFile>> parse(std::span<const std::byte> bytes, const std::string& where);

 private:
  /// A tensor as the header describes it; `offset` counts from where the data begins.
  struct Claim {
    std::string_view name;
    DType dtype;
    Shape shape;
    uint64_t bytes;
    uint64_t offset;
  };

  GgufParser(std::span<const std::byte> bytes, const std::string& where, GgufFile& file)
      : bytes_(bytes), reader_(bytes, where), file_(file) {}

  Status run();
  Status read_magic();
  Status read_version();
  Status read_counts();
  Status read_metadata();
  Status read_value(std::string_view key, GgufValue& value);
  Status read_array(std::string_view key, GgufArray& array);
  Status read_strings(GgufArray& array);
  Status read_alignment();
  Status read_claims();
  Status read_shape(const std::string& place, Claim& claim);
  Status read_dtype(const std::string& place, Claim& claim);
  Status place_tensors();
  Status place(const Claim& claim, uint64_t data_begin);
  Status check_overlaps() const;

  Result<std::string_view> read_string(std::string_view what);
  Result<std::string_view> read_name(std::string_view what);
  Result<GgufType> read_type(const std::string& place);
  Status check_bools(const std::string& place, std::span<const std::byte> bytes) const;
  /// A bad-input error at `place`, which follows the file's name.
  Status refuse(const std::string& place, std::string expected, std::string got, std::string hint = {}) const;

  std::span<const std::byte> bytes_;
  ByteReader reader_;
  GgufFile& file_;
  uint64_t n_tensors_ = 0;
  uint64_t n_keys_ = 0;
  std::vector<Claim> claims_;
};

}  // namespace brisk::formats
