// f32 rows to int8 rows with a scale per 32 values: what the integer products read.
//     scale = max |x| / 127,  q = round to nearest even(x / scale), computed as x * (127 / max |x|)
// A block whose every magnitude is below 2^-96 counts as zeros and has scale 0. Not-a-number or infinite
// inputs make the scale NaN (and the block's values 0), so that they show in the output, not vanish.
#pragma once

#include <cstdint>

#include "base/cpu.hpp"

namespace brisk::kernels {

struct QuantizeArgs {
  const float* x;  ///< [rows, k], k a multiple of 32
  int64_t x_stride;
  int64_t rows, k;
  int8_t* values;  ///< [rows, q8_value_stride(k)]
  float* scales;   ///< [rows, k / 32]
  int32_t* sums;   ///< [rows, k / 16]
};

/// What the quantised row leaves over: out[i] = x[i] - scale * q[i], by one fma. Quantised again, it makes a
/// second row: the pair holds about 16 bits of each value.
struct ResidualArgs {
  const float* x;        ///< [k], k a multiple of 32
  const int8_t* values;  ///< [k]
  const float* scales;   ///< [k / 32]
  int64_t k;
  float* out;  ///< [k]
};

struct QuantizeVariant {
  const char* name;
  Isa isa;
  void (*run)(const QuantizeArgs&) noexcept;
  void (*residual)(const ResidualArgs&) noexcept;
};
const QuantizeVariant& find_quantize(Isa isa);

}  // namespace brisk::kernels
