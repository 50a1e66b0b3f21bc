// Pulling a model while telling how far it is: what `brisk pull` and -hf share.
#pragma once

#include "base/status.hpp"
#include "hub/pull.hpp"

namespace brisk::cli {

struct PullShow {
  int jobs = 4;
  bool quiet = false;  ///< no lines of progress
};

/// Pulls a model, with a bar on a terminal and a line now and then elsewhere. Ctrl-C stops it; what came is
/// kept, and a note says so.
Result<hub::PullReport> pull_showing(const hub::Settings& settings, const hub::RepoName& name,
                                     const PullShow& show);

}  // namespace brisk::cli
