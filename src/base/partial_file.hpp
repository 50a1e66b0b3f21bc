// A file that grows over several runs of the program, as a download does: opened under a name of its own,
// appended to, and renamed to its final name once it is whole. What a killed program leaves is a shorter file
// that the next one goes on with. Beside it: the lock that keeps two programs from writing to it at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/status.hpp"

namespace brisk {

class PartialFile {
 public:
  /// Opens the regular file `path` (links are not followed), or makes an empty one.
  static Result<PartialFile> open(const std::string& path);
  PartialFile(PartialFile&& other) noexcept;
  PartialFile& operator=(PartialFile&& other) noexcept;
  ~PartialFile();

  uint64_t size() const { return size_; }
  /// Hands the whole file to `take`, piece by piece, until it fails.
  Status read(const std::function<Status(std::span<const std::byte>)>& take) const;
  Status append(std::span<const std::byte> bytes);
  /// Cuts it to nothing.
  Status restart();
  /// Flushes, syncs, renames to `path`, syncs the folder. The file is closed then.
  Status commit(const std::string& path);
  /// Closes and removes it.
  void remove() noexcept;

 private:
  PartialFile() = default;
  void close_file() noexcept;

  std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

/// An exclusive lock (flock) on a file of its own, held until the object or the process ends. The file stays:
/// removing it would let two programs hold locks on two files of one name.
class FileLock {
 public:
  /// Nothing when somebody else holds it.
  static Result<std::optional<FileLock>> try_lock(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

/// Bytes that this user may still write on the disk that holds the folder `path`; nothing when unknown.
std::optional<uint64_t> free_disk_bytes(const std::string& path);

}  // namespace brisk
