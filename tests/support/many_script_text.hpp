// A text of many scripts that is the same everywhere: tools/oracles/tokenizer_digests.py makes it too, and
// records what other tokenizers give for it. A change here needs the same change there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.hpp"

namespace brisk::test {

class ManyScriptText {
 public:
  /// At least `bytes` of text.
  static std::string make(uint64_t seed, size_t bytes) {
    ManyScriptText text(seed);
    while (text.out_.size() < bytes) text.add_word();
    return std::move(text.out_);
  }

 private:
  struct Range {
    char32_t first, last;
  };
  // Assigned letters, marks, numbers and symbols of many scripts.
  static constexpr Range kRanges[] = {
      {0x00C0, 0x024F},   {0x0250, 0x02AF},   {0x0300, 0x036F},   {0x0391, 0x03A1},   {0x03B1, 0x03C9},
      {0x0410, 0x044F},   {0x0561, 0x0586},   {0x05D0, 0x05EA},   {0x0620, 0x065F},   {0x0905, 0x0939},
      {0x0985, 0x098C},   {0x0B95, 0x0B95},   {0x0E01, 0x0E3A},   {0x0F40, 0x0F47},   {0x1000, 0x102A},
      {0x10D0, 0x10FA},   {0x1200, 0x1248},   {0x1780, 0x17B3},   {0x1E00, 0x1EFF},   {0x2010, 0x2027},
      {0x2030, 0x205E},   {0x20A0, 0x20BF},   {0x2190, 0x21FF},   {0x2200, 0x22FF},   {0x2500, 0x257F},
      {0x2600, 0x26FF},   {0x3041, 0x3096},   {0x30A1, 0x30FA},   {0x4E00, 0x9FA5},   {0xAC00, 0xD7A3},
      {0xFF01, 0xFF5E},   {0x10400, 0x1044F}, {0x1D400, 0x1D454}, {0x1F300, 0x1F5FF}, {0x1F600, 0x1F64F},
      {0x20000, 0x2A6D6},
  };
  static constexpr std::string_view kSpaces[] = {" ", "\n", "\t", "\r\n"};
  static constexpr std::string_view kOddWords[] = {
      "don't",
      "we'll",
      "I'M",
      "they'Ve",
      "...",
      "!!!",
      "http://a.example/b?c=d&e=1",
      "e\u0301",
      "\U0001F469\u200D\U0001F469\u200D\U0001F467",
      "\U0001F1EB\U0001F1F7",
      "\u2026",
      "<0x41>",
      "<s>",
      "</s>",
      "<|endoftext|>",
      "<|im_start|>",
      "<|im_end|>",
      "<|user|>",
      "<|end|>",
      "<start_of_turn>",
      "[SEP]",
      "int main() { return 0; }",
      "snake_case_name",
      "CamelCaseName",
      "\u2581",
  };

  explicit ManyScriptText(uint64_t seed) : state_(seed) {}

  // splitmix64
  uint64_t below(uint64_t n) {
    uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return (z ^ (z >> 31)) % n;
  }

  template <typename Table>
  const auto& any_of(const Table& table) {
    return table[below(std::size(table))];
  }

  void add_from(Range range, uint64_t count) {
    for (; count > 0; --count) {
      utf8_append(out_, range.first + static_cast<char32_t>(below(range.last - range.first + 1)));
    }
  }

  void add_word() {
    const uint64_t kind = below(100);
    if (kind < 50) {
      add_from({'a', 'z'}, 1 + below(10));
    } else if (kind < 55) {
      add_from({'A', 'Z'}, 1 + below(5));
    } else if (kind < 80) {
      const Range range = any_of(kRanges);
      add_from(range, 1 + below(8));
    } else if (kind < 86) {
      add_from({'0', '9'}, 1 + below(7));
    } else if (kind < 91) {
      add_from({'!', '/'}, 1 + below(3));
    } else if (kind < 95) {
      out_ += any_of(kOddWords);
    } else {
      const std::string_view space = any_of(kSpaces);
      for (uint64_t n = 1 + below(6); n > 0; --n) out_ += space;
    }
    if (below(10) < 6) out_ += ' ';
  }

  uint64_t state_;
  std::string out_;
};

}  // namespace brisk::test
