// Whole files: bounded reading, and atomic writing (beside the target, synced, then renamed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.hpp"

namespace brisk {

/// A readable descriptor of a regular file (links followed), never waiting: folders, FIFOs, sockets, devices
/// and link loops are environment errors that say so. The caller closes it.
Result<int> open_regular_file(const std::string& path);

/// The same check for a descriptor that somebody opened (without waiting): it, or an error, and then it is
/// closed. `path` names it in errors.
Result<int> require_regular(int descriptor, const std::string& path);

/// What went wrong with a file, from an errno: an environment error with a hint that fits.
Status file_error(const std::string& path, std::string expected, int error);

/// Reads what is left of a descriptor, at most `limit` bytes, and leaves it open.
Result<std::string> read_descriptor(int descriptor, const std::string& path, uint64_t limit);

/// Reads a regular file of at most `limit` bytes. "-" reads standard input.
Result<std::string> read_file(const std::string& path, uint64_t limit);

/// Writes a file beside `path` and renames it on commit(). Without commit() nothing is left behind,
/// also after SIGINT or SIGTERM (the temporary's name is known to the signal handler of the command line).
class AtomicFile {
 public:
  /// An existing `path` is refused (environment error) unless `overwrite`.
  /// What exists there and is no regular file is always refused: a rename would replace a device.
  static Result<AtomicFile> create(const std::string& path, bool overwrite);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) noexcept;
  ~AtomicFile();

  Status write(std::span<const std::byte> bytes);
  Status write(std::string_view text);
  /// Flushes, syncs and closes, so that commit() only renames: a writer of several files finishes each, and
  /// names them when all are there.
  Status finish();
  /// Finishes and renames.
  Status commit();
  /// Whether commit() has given the file its name, also when it failed after that.
  bool named() const { return named_; }

 private:
  AtomicFile() = default;
  void abandon() noexcept;
  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
  int slot_ = -1;  // in the table that remove_open_temporaries() reads
  bool overwrite_ = false;
  bool named_ = false;
};

/// Removes a file; that it is not there is no error.
Status remove_file(const std::string& path);

/// Removes the temporaries of all AtomicFiles that are open; async-signal-safe, for signal handlers.
void remove_open_temporaries() noexcept;

}  // namespace brisk
