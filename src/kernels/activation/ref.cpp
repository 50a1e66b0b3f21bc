// Element-wise kernels, readable: the oracle of the other levels.
#include <cmath>

#include "kernels/activation/variants.hpp"

namespace brisk::kernels::ref {
namespace {

void silu_mul(const float* gate, const float* up, int64_t count, float* out) noexcept {
  for (int64_t i = 0; i < count; ++i) out[i] = gate[i] / (1.0F + std::exp(-gate[i])) * up[i];
}

void add(const float* a, const float* b, int64_t count, float* out) noexcept {
  for (int64_t i = 0; i < count; ++i) out[i] = a[i] + b[i];
}

}  // namespace

const ActivationVariant activation = {"activation_f32__ref", Isa::kRef, silu_mul, add};

}  // namespace brisk::kernels::ref
