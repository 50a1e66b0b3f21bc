// Which rotary embedding serves which level, and the table that all levels share.
#include <cmath>

#include "kernels/rope/variants.hpp"

namespace brisk::kernels {

void rope_table(const RopeTableArgs& args) noexcept {
  const int64_t half = args.rotated / 2;
  for (int64_t row = 0; row < args.rows; ++row) {
    float* cosines = args.table + row * args.rotated;
    float* sines = cosines + half;
    const float position = static_cast<float>(args.positions[row]);
    for (int64_t i = 0; i < half; ++i) {
      const float angle = position * args.frequencies[i];
      cosines[i] = std::cos(angle);
      sines[i] = std::sin(angle);
    }
  }
}

const RopeVariant& find_rope(Isa isa) {
  switch (isa) {
    case Isa::kAvx512: return avx512::rope;
    case Isa::kAvx2: return avx2::rope;
    case Isa::kRef: break;
  }
  return ref::rope;
}

}  // namespace brisk::kernels
