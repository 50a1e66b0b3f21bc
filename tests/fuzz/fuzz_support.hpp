// What the fuzz targets share.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "base/status.hpp"

namespace brisk::fuzz {

/// Ends the program, which libFuzzer reports, unless the belief holds.
inline void require(bool holds, const char* belief) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: believed that %s\n", belief);
  std::abort();
}

/// An error of bad data is one, has four parts and is not long.
inline void check_error(const Status& status) {
  require(status.code() == StatusCode::kBadInput, "a bad file is a bad input");
  const ErrorParts& parts = status.parts();
  require(!parts.where.empty() && !parts.expected.empty() && !parts.got.empty() && !parts.hint.empty(),
          "an error has four parts");
  require(status.message().size() <= 2048, "a message has at most 2 KiB");
}

/// Whether BRISK_FUZZ_PARSE_ONLY asks that what was accepted is not used: many times as many files in the
/// same time.
inline bool parse_only() {
  static const bool asked = std::getenv("BRISK_FUZZ_PARSE_ONLY") != nullptr;
  return asked;
}

}  // namespace brisk::fuzz
