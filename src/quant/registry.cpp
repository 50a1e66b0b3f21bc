// The list of block formats, written by the build from the files of this folder.
#include <array>

#include "quant/block_format.hpp"

namespace brisk::quant {

#define BRISK_ITEM(name) BlockFormat name();
#include "quant_formats.inc"
#undef BRISK_ITEM

std::span<const BlockFormat> all_formats() {
  static const std::array formats = {
#define BRISK_ITEM(name) name(),
#include "quant_formats.inc"
#undef BRISK_ITEM
  };
  return formats;
}

const BlockFormat* find_format(DType dtype) {
  for (const BlockFormat& format : all_formats()) {
    if (format.dtype == dtype) return &format;
  }
  return nullptr;
}

}  // namespace brisk::quant
