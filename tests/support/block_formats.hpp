// All block formats, for tests that hold for each of them.
#pragma once

#include <vector>

#include "quant/weight_form.hpp"

namespace brisk::test {

inline std::vector<quant::BlockFormat> block_formats() {
  std::vector<quant::BlockFormat> formats;
  for (const quant::WeightForm& form : quant::all_forms()) {
    if (form.blocks) formats.push_back(*form.blocks);
  }
  return formats;
}

}  // namespace brisk::test
