// Rotary position embedding on F32x16, once for every level: 16 pairs at a time.
#include "kernels/rope/variants.hpp"

namespace brisk::kernels::BRISK_ISA_NAMESPACE {
namespace {

/// The firsts and seconds of 16 pairs.
struct Pairs {
  F32x16 a, b;
};

[[gnu::always_inline]] inline Pairs rotate(Pairs p, F32x16 c, F32x16 s) {
  return {fma(p.a, c, sub(broadcast(0.0F), mul(p.b, s))), fma(p.b, c, mul(p.a, s))};
}

void rotate_halves(float* x, const float* cosines, const float* sines, int64_t half) noexcept {
  for (int64_t i = 0; i < half; i += 16) {
    const int64_t n = half - i < 16 ? half - i : 16;
    const Pairs p = rotate({load_first(x + i, n), load_first(x + half + i, n)}, load_first(cosines + i, n),
                           load_first(sines + i, n));
    store_first(x + i, p.a, n);
    store_first(x + half + i, p.b, n);
  }
}

void rotate_neighbours(float* x, const float* cosines, const float* sines, int64_t half) noexcept {
  for (int64_t i = 0; i < half; i += 16) {
    const int64_t n = half - i < 16 ? half - i : 16;
    // The 2 n floats of n pairs, as a first and a second vector.
    const int64_t n_first = 2 * n < 16 ? 2 * n : 16, n_second = 2 * n - n_first;
    float* at = x + 2 * i;
    Pairs p;
    deinterleave(load_first(at, n_first), load_first(at + n_first, n_second), p.a, p.b);
    p = rotate(p, load_first(cosines + i, n), load_first(sines + i, n));
    F32x16 first, second;
    interleave(p.a, p.b, first, second);
    store_first(at, first, n_first);
    store_first(at + n_first, second, n_second);
  }
}

void apply(const RopeArgs& args) noexcept {
  const int64_t half = args.rotated / 2;
  const auto rotate_head = args.style == RopeStyle::kInterleaved ? rotate_neighbours : rotate_halves;
  for (int64_t row = 0; row < args.rows; ++row) {
    const float* cosines = args.table + row * args.rotated;
    for (int64_t head = 0; head < args.heads; ++head) {
      rotate_head(args.x + row * args.x_stride + head * args.head_dim, cosines, cosines + half, half);
    }
  }
}

}  // namespace

const RopeVariant rope = {"rope_f32__" BRISK_ISA_NAME, BRISK_ISA_LEVEL, rope_table, apply};

}  // namespace brisk::kernels::BRISK_ISA_NAMESPACE
