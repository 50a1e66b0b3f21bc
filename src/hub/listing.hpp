// What a repository of the hub holds: asked by one request,
//   GET {endpoint}/api/models/{repo}/revision/{revision}?blobs=true
// whose answer is {"sha": COMMIT, "siblings": [{"rfilename", "size", "blobId", "lfs": {"sha256", "size"}}]}.
// The answer is hostile input: bounded, and every name and hash in it checked before it is used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "hub/http.hpp"
#include "hub/names.hpp"
#include "hub/settings.hpp"

namespace brisk::hub {

/// A file of a repository. Its hash names it in the cache: SHA-256 of a large one, git's SHA-1 of a small
/// one.
struct RemoteFile {
  std::string name;  ///< a checked relative path
  uint64_t size = 0;
  std::string hash;
};

struct Listing {
  std::string commit;
  std::vector<RemoteFile> files;  ///< by name
};

/// Reads an answer of the hub. `where` stands in errors.
Result<Listing> parse_listing(std::string_view json, const std::string& where);

/// Asks the hub for the files of a repository.
Result<Listing> fetch_listing(Client& client, const Settings& settings, const RepoName& name,
                              const std::function<bool()>& stopped);

/// The error that a status of 400 or above means. `what` is the file that was asked for; empty: the
/// repository.
Status refused(const Settings& settings, const RepoName& name, const std::string& what,
               const Response& response);
/// Whether asking again may help: 408, 429 and 5xx.
bool is_passing(int64_t status);

/// The members of `known` that look most like `word`, as "a, b, c"; all of them when they are few.
std::string near_names(std::string_view word, std::vector<std::string> known);

}  // namespace brisk::hub
