// Rotary position embedding, readable: the oracle of the other levels, which give the same bits.
#include <cmath>

#include "kernels/rope/variants.hpp"

namespace brisk::kernels::ref {
namespace {

void apply(const RopeArgs& args) noexcept {
  const int64_t half = args.rotated / 2;
  const bool neighbours = args.style == RopeStyle::kInterleaved;
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* cosines = args.table + row * args.rotated;
    const float* sines = cosines + half;
    for (int64_t head = 0; head < args.heads; ++head) {
      float* x = args.x + row * args.x_stride + head * args.head_dim;
      for (int64_t i = 0; i < half; ++i) {
        float& first = x[neighbours ? 2 * i : i];
        float& second = x[neighbours ? 2 * i + 1 : i + half];
        const float a = first, b = second;
        first = std::fma(a, cosines[i], -(b * sines[i]));
        second = std::fma(b, cosines[i], a * sines[i]);
      }
    }
  }
}

}  // namespace

const RopeVariant rope = {"rope_f32__ref", Isa::kRef, rope_table, apply};

}  // namespace brisk::kernels::ref
