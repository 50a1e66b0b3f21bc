// The forms in which a product can read its activations. A weight form names the one it wants; a graph pass
// puts the node that makes it in front of the product. To add one: an enumerator here, the op that makes it
// (src/ops), and its line in graph/passes/quantize_activations.cpp.
#pragma once

#include <cstdint>

namespace brisk::quant {

enum class ActivationForm : uint8_t {
  kF32,  ///< rows of f32
  kQ8,   ///< rows of int8 with one f32 scale per 32 values (kernels/quantize)
};

}  // namespace brisk::quant
