// Text that comes to a verb by an option, from a file or through a pipe.
#pragma once

#include <string>

#include "base/status.hpp"
#include "cli/options.hpp"

namespace brisk::cli {

/// Most bytes of a prompt or a text to tokenize.
inline constexpr uint64_t kMaxTextBytes = 256U << 20;

/// Reads a file ("-" is standard input) of at most `limit` bytes. Waiting for input ends with Ctrl-C.
Result<std::string> read_text(const std::string& path, uint64_t limit = kMaxTextBytes);

/// The same, and the text must be UTF-8: else an error that names the byte.
Result<std::string> read_utf8(const std::string& path);

/// The text of --prompt or --file; else standard input, unless that is a terminal: then a usage error that
/// says how to give `what`. Both options at once are a usage error.
Result<std::string> text_argument(const Arguments& arguments, const std::string& what);

}  // namespace brisk::cli
