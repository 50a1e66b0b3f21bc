// Where Brisk keeps things on this machine, by the XDG base directory rules: models and other things that
// can be fetched again in the cache folder, what a user would miss (history of the chat) in the state folder.
#pragma once

#include <string>
#include <string_view>

#include "base/status.hpp"

namespace brisk {

/// $HOME, else the home folder of the user database; an environment error when there is neither.
Result<std::string> home_folder();
/// $XDG_CACHE_HOME/brisk, else ~/.cache/brisk. Relative values of the variable are ignored, as the rules say.
Result<std::string> cache_folder();
/// $XDG_STATE_HOME/brisk, else ~/.local/state/brisk.
Result<std::string> state_folder();
/// Where models are looked up by name: models/ in the cache folder.
Result<std::string> models_folder();

/// Makes a folder and those above it, each for this user only; one that exists is left as it is.
Status make_folders(const std::string& path);

/// The part after the last '/'.
std::string_view base_name(std::string_view path);
/// "~/x" with the home folder put in; all else as it is.
std::string expand_home(const std::string& path);

}  // namespace brisk
