// Patterns of module names, as "re:" targets of compressed-tensors have them: a regular expression that must
// match from the start of a name, though not to its end (Python's re.match). Read here are characters, '.',
// classes "[a-z]" and "[^0-9]", \d \w \s and escaped signs, groups "(a|b)" and "(?:a|b)", the repeats * + ?
// (their lazy forms match the same names), '^' and '$'. Others ("{2}", look-ahead, back references) are
// refused. All ways through a pattern are followed at once, so time is the pattern's length times the
// name's, whatever the pattern.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace brisk::models {

class NamePattern {
 public:
  /// `where` names the setting in errors.
  static Result<NamePattern> compile(std::string_view pattern, const std::string& where);
  bool matches(std::string_view name) const;

 private:
  enum class Step : uint8_t { kOneOf, kSplit, kBegin, kEnd, kMatch };
  struct Instruction {
    Step step;
    std::bitset<256> bytes = {};  // of kOneOf
    size_t next = 0;
    size_t other = 0;  // of kSplit
  };
  class Compiler;

  NamePattern() = default;
  void follow(size_t at, size_t position, size_t end, std::vector<size_t>& list,
              std::vector<bool>& seen) const;

  std::vector<Instruction> program_;
  size_t start_ = 0;
};

}  // namespace brisk::models
