// Elements in memory that no C++ type stands for. f16 is a bare uint16_t.
#pragma once

#include <cstdint>

namespace brisk::kernels {

/// bfloat16: the upper half of an f32.
struct Bf16 {
  uint16_t bits;
};

}  // namespace brisk::kernels
