// RMS normalisation on F32x16, once for every level. One register holds the 16 partial sums; its chain of
// additions (4 cycles per 16 values) is what bounds a row, and data sit in L1 anyway.
#include "kernels/norm/variants.hpp"

namespace brisk::kernels::BRISK_ISA_NAMESPACE {
namespace {

F32x16 squares(const float* x, int64_t width) noexcept {
  F32x16 sum = broadcast(0.0F);
  int64_t i = 0;
  for (; i + 16 <= width; i += 16) {
    const F32x16 v = load(x + i);
    sum = fma(v, v, sum);
  }
  const F32x16 rest = load_first(x + i, width - i);
  return fma(rest, rest, sum);
}

void run(const RmsNormArgs& args) noexcept {
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* x = args.x + row * args.x_stride;
    float* y = args.y + row * args.y_stride;
    const float mean = sum_lanes(squares(x, args.width)) / static_cast<float>(args.width);
    const F32x16 factor = broadcast(1.0F / __builtin_sqrtf(mean + args.eps));
    int64_t i = 0;
    for (; i + 16 <= args.width; i += 16) store(y + i, mul(mul(load(x + i), factor), load(args.weight + i)));
    const int64_t left = args.width - i;
    store_first(y + i, mul(mul(load_first(x + i, left), factor), load_first(args.weight + i, left)), left);
  }
}

}  // namespace

const RmsNormVariant rms_norm = {"rms_norm_f32__" BRISK_ISA_NAME, BRISK_ISA_LEVEL, run};

}  // namespace brisk::kernels::BRISK_ISA_NAMESPACE
