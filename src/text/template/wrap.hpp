// Breaks text into lines as Python's textwrap does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brisk::text::tmpl {

struct WrapOptions {
  int64_t width = 79;  ///< in characters, at least 1
  bool break_long_words = true;
  bool break_on_hyphens = true;
};

/// The lines of one paragraph, without the white space around them. Linear in the text.
std::vector<std::string> wrapped_lines(std::string_view text, const WrapOptions& options);

}  // namespace brisk::text::tmpl
