// A folder whose files are opened by name beneath it, and never outside: the one way in which a name that
// came out of a file (a shard in an index, external data of a graph) becomes an open file.
//
// A name is relative, of parts between '/' that are neither empty nor "." nor ".."; backslashes, colons
// before a slash ("file:", "C:"), control characters and zero bytes are refused. Links are followed while
// they stay beneath the root; the root is the folder itself, or for a snapshot in a Hugging Face cache
// (CACHE/models--OWNER--NAME/snapshots/REVISION) the cache, since snapshots are links to blobs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.hpp"
#include "base/status.hpp"

namespace brisk {

class Folder {
 public:
  /// An environment error when `path` is no readable folder.
  static Result<Folder> open(const std::string& path);
  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&& other) noexcept;
  ~Folder();

  const std::string& path() const { return path_; }
  /// Whether a file (or a link that leads to one beneath the root) of this name is there.
  bool has(std::string_view name) const;
  /// Whether anything of this name lies directly in it, even what reading would refuse: a link that leads
  /// nowhere or outside, a file without leave to read. For files that need not be there, so that one that
  /// cannot be read is an error and not left out.
  bool has_entry(std::string_view name) const;
  /// Reads a regular file of at most `limit` bytes.
  Result<std::string> read(std::string_view name, uint64_t limit) const;
  /// Maps a regular file.
  Result<std::shared_ptr<MappedFile>> map(std::string_view name) const;
  /// Names of the regular files (and links to such beneath the root) directly in it, sorted.
  Result<std::vector<std::string>> files() const;

 private:
  Folder() = default;
  /// A readable descriptor of the regular file `name`; the caller closes it. A name that leads outside is a
  /// bad-input error, a missing file an environment error.
  Result<int> open_beneath(std::string_view name) const;
  std::string full_name(std::string_view name) const;
  /// A descriptor of the folder itself, or a negative errno; the caller closes it.
  int open_itself() const;

  std::string path_;
  std::string inner_;  // from the root to the folder, "" when they are the same
  int root_ = -1;      // a descriptor of the root
};

/// Tests walk by hand even where the kernel could resolve a name beneath a folder itself (openat2).
void set_walk_by_hand(bool by_hand);

}  // namespace brisk
