// Rotary position embedding (Su et al. 2021, eq. 15), from a table of cosines and sines that one step
// makes once and all layers share.
#pragma once

#include <cstdint>

#include "base/cpu.hpp"

namespace brisk::kernels {

/// Which dimensions of a head form a pair.
enum class RopeStyle : uint8_t {
  kInterleaved,  ///< (0, 1), (2, 3), ... as in GGUF files of Llama
  kHalves,       ///< (0, r/2), (1, r/2 + 1), ... as in Hugging Face and GPT-NeoX
};

/// table[row] = rotated/2 cosines, then rotated/2 sines of position * frequency, computed in f32 as
/// transformers does.
struct RopeTableArgs {
  const int32_t* positions;  ///< [rows]
  const float* frequencies;  ///< [rotated / 2]
  int64_t rows, rotated;
  float* table;  ///< [rows, rotated]
};

struct RopeArgs {
  float* x;  ///< [rows, x_stride], heads of head_dim each; rotated in place
  int64_t x_stride;
  const float* table;  ///< [rows, rotated]
  int64_t rows, heads, head_dim;
  int64_t rotated;  ///< leading dimensions of each head that are rotated; even, <= head_dim
  RopeStyle style;
};

struct RopeVariant {
  const char* name;
  Isa isa;
  void (*table)(const RopeTableArgs&) noexcept;
  void (*apply)(const RopeArgs&) noexcept;
};
const RopeVariant& find_rope(Isa isa);

}  // namespace brisk::kernels
