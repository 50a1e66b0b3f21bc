// A file mapped read-only, and the guard that turns "the file was cut while we read it" (SIGBUS) into an
// error: from the missing page on the mapping reads as zeros, the file is marked, and whoever used it asks
// damaged() or check_unchanged().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/status.hpp"

namespace brisk {

class MappedFile {
 public:
  /// Opens a regular file (following links) and maps all of it. Folders, FIFOs, devices, link loops and
  /// unreadable paths are environment errors; an empty file maps to an empty span.
  static Result<std::shared_ptr<MappedFile>> open(const std::string& path);
  /// Maps the regular file behind a readable descriptor, which it takes and closes; `path` names it.
  static Result<std::shared_ptr<MappedFile>> from_descriptor(int descriptor, const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }
  const std::string& path() const { return path_; }
  /// Ok until a page of the mapping turned out to be missing, or the file's size or modification time
  /// changed since open(): then an error with both sizes.
  Status check_unchanged() const;
  /// Whether a read met a missing page; cheap enough to ask after every step.
  bool damaged() const;

 private:
  MappedFile() = default;
  std::string path_;
  std::span<const std::byte> bytes_;
  int descriptor_ = -1;
  int64_t modified_ns_ = 0;
  int guard_slot_ = -1;
};

}  // namespace brisk
