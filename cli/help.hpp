// Help texts, made from the verbs' tables.
#pragma once

#include <string>

#include "cli/verb.hpp"

namespace brisk::cli {

/// What `brisk help` prints: the verbs by group.
std::string overview();
/// What `brisk VERB --help` prints.
std::string help_of(const Verb& verb);

}  // namespace brisk::cli
