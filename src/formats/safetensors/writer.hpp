// Writes a safetensors file (layout: safetensors.hpp) as a stream: all names and sizes first, then the data
// in that order, a piece at a time, so that nothing needs to be held whole. Nothing is left behind unless
// commit() succeeds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
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
    std::variant<DType, const SafetensorsType*> type;  ///< ours, or one of the format's that we lack
    Shape shape;
  };

  /// Writes the header. Usage errors: a name twice, none or not UTF-8, a type that the format lacks, tensors
  /// that would not begin at a multiple of their element's size (put larger types first).
  static Result<SafetensorsWriter> create(const std::string& path, const std::vector<Entry>& tensors,
                                          const SafetensorsFile::Metadata& metadata, bool overwrite);

  /// Bytes of data that are still to come.
  uint64_t missing() const { return missing_; }
  /// The next bytes of the data.
  Status write(std::span<const std::byte> bytes);
  /// Flushes, syncs and closes, so that commit() only renames; a usage error when bytes are missing.
  Status finish();
  /// Finishes and renames.
  Status commit();
  /// Whether commit() has given the file its name, also when it failed after that.
  bool named() const { return file_.named(); }

 private:
  explicit SafetensorsWriter(AtomicFile file, uint64_t bytes) : file_(std::move(file)), missing_(bytes) {}

  AtomicFile file_;
  uint64_t missing_;
  bool finished_ = false;
};

/// Bytes of an entry's data. Usage errors: a type that the format lacks, a size that does not fit 64 bits or
/// whole bytes.
Result<uint64_t> safetensors_entry_bytes(const SafetensorsWriter::Entry& entry);

}  // namespace brisk::formats
