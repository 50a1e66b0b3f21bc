#include "text/char_class.hpp"

#include <iterator>

#include "base/utf8.hpp"

namespace brisk::text {

namespace {

// kBlockOf[c / 128] names a block of 128 characters; kBlocks holds, block after block, the number of each
// character's set of classes; kClassSets holds the sets.
#include "text/char_class_tables.inc"

constexpr char32_t kBlockSize = 128;
static_assert(std::size(kBlockOf) * kBlockSize == 0x110000);

}  // namespace

uint16_t classes_of(char32_t code) {
  if (code > 0x10FFFF) return 0;
  return kClassSets[kBlocks[kBlockOf[code / kBlockSize] * kBlockSize + code % kBlockSize]];
}

Char detail::wide_char_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const size_t left = text.size() - at;
  const uint8_t first = byte(0);
  if (first < 0xE0 && left >= 2) {
    const char32_t code = (first & 0x1FU) << 6 | (byte(1) & 0x3FU);
    return {code, 2, classes_of(code)};
  }
  if (first < 0xF0 && left >= 3) {
    const char32_t code = (first & 0xFU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
    return {code, 3, classes_of(code)};
  }
  const Utf8Char c = utf8_decode(text, at);
  return {c.code_point, c.length, classes_of(c.code_point)};
}

}  // namespace brisk::text
