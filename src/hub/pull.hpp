// Pulling a model: which files, is there room, fetch them side by side, then show them in the cache.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "hub/listing.hpp"
#include "hub/names.hpp"
#include "hub/settings.hpp"

namespace brisk::hub {

/// How far a pull is; all of it counts, also what was there before.
struct PullProgress {
  uint64_t done = 0, total = 0;  ///< bytes
  uint64_t fetched = 0;          ///< bytes that came in this run
};

struct PullOptions {
  int jobs = 4;                                            ///< files at a time
  std::function<bool()> stopped = [] { return false; };    ///< true: stop; what came is kept
  std::function<void(const PullProgress&)> progress = {};  ///< from any thread, one at a time
};

struct PulledFile {
  RemoteFile file;
  bool fetched = false;  ///< in this run; else it was there
};
struct PullReport {
  std::string commit;
  std::string path;  ///< the model: a GGUF (its first part) or a folder
  std::vector<PulledFile> files;
  uint64_t fetched = 0;  ///< bytes that came in this run
};

/// Fetches what `name` means into the cache and returns where it is. Offline it only looks it up.
/// The files appear in the snapshot when all of them are there, so half a model is never found.
Result<PullReport> pull(const Settings& settings, const RepoName& name, const PullOptions& options);

}  // namespace brisk::hub
