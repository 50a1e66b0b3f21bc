// What the judges share: each reads many files from standard input, a 64-bit length before each, and writes
// one line of JSON per file, so that one process can judge a hundred thousand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace brisk::differential {

/// Calls judge(bytes), which gives a Json, for every file; the exit code of the program.
template <typename Judge>
int judge_all(Judge judge) {
  std::vector<std::byte> bytes;
  uint64_t length = 0;
  while (std::fread(&length, sizeof(length), 1, stdin) == 1) {
    constexpr uint64_t kMost = uint64_t{1} << 30;
    if (length > kMost) return 2;
    bytes.assign(length, std::byte{});
    bytes.shrink_to_fit();  // of exactly this size: a sanitizer sees every byte read beyond it
    if (std::fread(bytes.data(), 1, length, stdin) != length) return 2;
    const Json verdict = judge(std::span<const std::byte>(bytes));
    std::puts(to_json_text(verdict).c_str());
  }
  return 0;
}

inline std::string to_hex(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<size_t>(byte) / 16];
    text += kDigits[std::to_integer<size_t>(byte) % 16];
  }
  return text;
}

}  // namespace brisk::differential
