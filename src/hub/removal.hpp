// Removing models: from Brisk's own folder, and from the Hugging Face cache, where links in snapshots go and
// those files that nothing else needs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "hub/names.hpp"

namespace brisk::hub {

/// What removing a model takes away.
struct Removal {
  std::vector<std::string> paths;  ///< files, links and folders
  uint64_t bytes = 0;              ///< given back to the disk
  bool whole_repo = false;
};

/// A name without quant and file means the whole repository, else only that model: its links in all
/// snapshots, and those blobs to which no other link leads. A name with a revision is a usage error.
Result<Removal> plan_removal(const std::string& cache, const RepoName& name);

/// The same for a name of Brisk's own folder: all parts of a GGUF, or a folder.
Result<Removal> plan_own_removal(const std::string& name);

/// Removes the paths; links are removed, never followed.
Status remove_paths(const Removal& removal);

}  // namespace brisk::hub
