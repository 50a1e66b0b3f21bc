// The files below a folder of a store, gathered with limits: stores are other programs' folders, and what
// lies in them is not ours to trust.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.hpp"

namespace brisk::hub {

/// Lines for the user about what was left out, each once.
using Warnings = std::vector<std::string>;

struct FoundFile {
  std::string name;      ///< relative to the folder, parts between '/'
  uint64_t bytes = 0;    ///< of what a link leads to
  int64_t modified = 0;  ///< seconds since 1970
};

/// Whether `path`, all links followed, lies in the folder `root`.
bool leads_beneath(const std::string& path, const std::string& root);

/// The regular files, and the links to such, at most `depth` folders below `folder` (0: directly in it), by
/// name. Links to folders are not followed. A link that leads out of `root` is left out with a warning, any
/// link is taken when `root` is empty. A folder that is not there holds nothing.
std::vector<FoundFile> walk(const std::string& folder, int depth, const std::string& root,
                            Warnings& warnings);

/// The names of the folders directly in `folder` (no links), sorted.
std::vector<std::string> folders_of(const std::string& folder);

/// The names of the files.
std::vector<std::string> names_of(const std::vector<FoundFile>& files);

}  // namespace brisk::hub
