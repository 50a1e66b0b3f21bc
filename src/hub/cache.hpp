// The cache of Hugging Face's tools, which we fill and read as they do, so that a file is on the disk once:
//
//   CACHE/models--OWNER--NAME/          one folder for each repository
//     blobs/HASH                        the files, named by SHA-256 or git's SHA-1
//     blobs/HASH.incomplete             a file on its way (ours)
//     snapshots/COMMIT/PATH             links to ../../blobs/HASH, one tree for each commit
//     refs/REVISION                     a file that holds the commit of a branch or tag
//   CACHE/.locks/models--OWNER--NAME/HASH.lock   held (flock) while a file is fetched
//
// Newer tools keep a blob that several repositories have in CACHE/blobs/XX/HASH; models--.../blobs/HASH is a
// link to it then.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "hub/names.hpp"
#include "hub/stores.hpp"
#include "hub/walk.hpp"

namespace brisk::hub {

/// Paths of one repository in the cache.
class RepoFolder {
 public:
  /// `repo` is a checked name.
  RepoFolder(std::string cache, std::string_view repo);

  const std::string& path() const { return path_; }
  std::string blob(const std::string& hash) const { return path_ + "/blobs/" + hash; }
  std::string lock(const std::string& hash) const { return locks() + "/" + hash + ".lock"; }
  std::string locks() const { return cache_ + "/.locks/" + folder_; }
  std::string snapshot(const std::string& commit) const { return path_ + "/snapshots/" + commit; }
  /// The commit that a revision stands for; empty when the cache does not know.
  std::string commit_of(const std::string& revision) const;
  /// The commits with a snapshot: that of `revision` first; for "main" the others behind it, newest first.
  std::vector<std::string> commits(const std::string& revision) const;

  /// Makes snapshots/COMMIT/NAME lead to the blob.
  Status link(const std::string& commit, const std::string& name, const std::string& hash) const;
  /// Notes the commit of a branch or tag.
  Status write_ref(const std::string& revision, const std::string& commit) const;

 private:
  std::string cache_;
  std::string folder_;
  std::string path_;
};

/// How deep files lie in the folders of a repository.
inline constexpr int kRepoDepth = 6;

/// Makes a folder and those above it, readable as the user's umask says: a cache may be shared.
Status make_shared_folders(const std::string& path);

/// The path of the model that `name` means: a GGUF (its first part) or a folder with safetensors.
/// An environment error when it is not in the cache, or not wholly; `offline`: the error says that this mode
/// is on.
Result<std::string> find_in_cache(const std::string& cache, const RepoName& name, bool offline);

/// All models of the cache.
std::vector<StoredModel> list_cache(const std::string& cache, Warnings& warnings);

}  // namespace brisk::hub
