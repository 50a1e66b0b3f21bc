// Writes a safetensors file (layout: safetensors.hpp) as a stream: all names and sizes first, then the data
// in that order, a piece at a time, so that nothing needs to be held whole. Nothing is left behind unless
// commit() succeeds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/status.hpp"
#include "formats/safetensors/safetensors.hpp"

namespace brisk::formats {

class SafetensorsWriter {
 public:
  /// A tensor that will be written.
  struct Entry {
    std::string name;
    DType dtype;
    Shape shape;
  };

  /// Writes the header. Usage errors: a name twice, none or not UTF-8, a type that the format lacks, tensors
  /// that would not begin at a multiple of their element's size (put larger types first).
  static Result<SafetensorsWriter> create(const std::string& path, const std::vector<Entry>& tensors,
                                          const SafetensorsFile::Metadata& metadata, bool overwrite);

  /// The next bytes of the data.
  Status write(std::span<const std::byte> bytes);
  /// Flushes, syncs and renames; a usage error when bytes are missing.
  Status commit();

 private:
  explicit SafetensorsWriter(AtomicFile file, uint64_t bytes) : file_(std::move(file)), missing_(bytes) {}

  AtomicFile file_;
  uint64_t missing_;  // bytes of data still to come
};

}  // namespace brisk::formats
