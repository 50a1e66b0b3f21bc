// Token embedding: rows of a weight, decoded to f32. It reads one row per token, so the form's own decode
// (quant/weight_form.hpp) is fast enough and there are no variants.
#pragma once

#include <cstdint>

#include "tensor/weight.hpp"

namespace brisk::kernels {

struct EmbedArgs {
  const Weight* table;    ///< [vocab, width] of any form, checked by it
  const int32_t* tokens;  ///< [rows], each in [0, vocab)
  int64_t rows;
  float* out;  ///< [rows, out_stride]
  int64_t out_stride;
};

void embed(const EmbedArgs& args) noexcept;

}  // namespace brisk::kernels
