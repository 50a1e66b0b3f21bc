// The chat at the terminal: turns, commands, and stopping an answer without leaving.
#pragma once

#include "base/status.hpp"
#include "cli/options.hpp"

namespace brisk::cli {

/// Loads the model and talks until the user leaves. `arguments` are of a verb with generation_options().
Status chat(const Arguments& arguments);

}  // namespace brisk::cli
