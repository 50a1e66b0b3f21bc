// Element-wise work of a transformer layer: silu(gate) * up, and addition.
#pragma once

#include <cstdint>

#include "base/cpu.hpp"

namespace brisk::kernels {

/// out[i] = gate[i] / (1 + exp(-gate[i])) * up[i]; out may be gate or up.
using SiluMulFn = void (*)(const float* gate, const float* up, int64_t count, float* out) noexcept;
/// out[i] = a[i] + b[i]; out may be a or b.
using AddFn = void (*)(const float* a, const float* b, int64_t count, float* out) noexcept;

struct ActivationVariant {
  const char* name;
  Isa isa;
  SiluMulFn silu_mul;
  AddFn add;
};
const ActivationVariant& find_activation(Isa isa);

}  // namespace brisk::kernels
