// Element-wise kernels on F32x16, once for every level.
#include "kernels/activation/variants.hpp"

namespace brisk::kernels::BRISK_ISA_NAMESPACE {
namespace {

/// out[i] = op(a[i], b[i]); the last, partial vector goes through the same operations.
template <typename Op>
[[gnu::always_inline]] inline void map_pairs(const float* a, const float* b, int64_t count, float* out,
                                             Op op) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) store(out + i, op(load(a + i), load(b + i)));
  const int64_t left = count - i;
  if (left > 0) store_first(out + i, op(load_first(a + i, left), load_first(b + i, left)), left);
}

void silu_mul(const float* gate, const float* up, int64_t count, float* out) noexcept {
  map_pairs(gate, up, count, out, [](F32x16 g, F32x16 u) {
    const F32x16 divisor = add(broadcast(1.0F), exp(sub(broadcast(0.0F), g)));
    return mul(div(g, divisor), u);
  });
}

void add_all(const float* a, const float* b, int64_t count, float* out) noexcept {
  map_pairs(a, b, count, out, [](F32x16 x, F32x16 y) { return add(x, y); });
}

}  // namespace

const ActivationVariant activation = {"activation_f32__" BRISK_ISA_NAME, BRISK_ISA_LEVEL, silu_mul, add_all};

}  // namespace brisk::kernels::BRISK_ISA_NAMESPACE
