// Token embedding: rows of a native weight, decoded to f32. It reads one row per token, so the formats'
// own decode (quant/block_format.hpp) is fast enough and there are no variants.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.hpp"

namespace brisk::kernels {

struct EmbedArgs {
  DType dtype;              ///< any weight format
  const std::byte* weight;  ///< [vocab, width] native blocks; width is whole blocks
  int64_t vocab, width;
  const int32_t* tokens;  ///< [rows], each in [0, vocab)
  int64_t rows;
  float* out;  ///< [rows, out_stride]
  int64_t out_stride;
};

void embed(const EmbedArgs& args) noexcept;

}  // namespace brisk::kernels
