// Reference of the quantiser (definition: quantize.hpp).
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/gemm/gemm.hpp"
#include "kernels/quantize/variants.hpp"

namespace brisk::kernels::ref {
namespace {

constexpr uint32_t kInfinity = 0x7f800000;

/// Bits of the largest magnitude; from kInfinity on the block holds an infinity or not-a-number.
uint32_t largest_magnitude(const float* x) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < kQ8Block; ++i) {
    const uint32_t bits = std::bit_cast<uint32_t>(x[i]) & 0x7fffffff;
    if (bits > largest) largest = bits;
  }
  return largest;
}

void quantize_block(const float* x, int8_t* values, float& scale, int32_t* sums) {
  const uint32_t bits = largest_magnitude(x);
  const float largest = std::bit_cast<float>(bits);
  const bool finite = bits < kInfinity;
  const bool zero = finite && largest < kSmallestMagnitude;
  scale = zero ? 0.0f : finite ? largest / 127.0f : std::numeric_limits<float>::quiet_NaN();
  const float inverse = finite && !zero ? 127.0f / largest : 0.0f;
  for (int half = 0; half < 2; ++half) {
    int32_t sum = 0;
    for (int i = 16 * half; i < 16 * half + 16; ++i) {
      const int32_t q = finite ? static_cast<int32_t>(std::nearbyint(x[i] * inverse)) : 0;
      values[i] = static_cast<int8_t>(q);
      sum += q;
    }
    sums[half] = sum;
  }
}

}  // namespace

void quantize(const QuantizeArgs& args) noexcept {
  const int64_t blocks = args.k / kQ8Block;
  for (int64_t r = 0; r < args.rows; ++r) {
    for (int64_t b = 0; b < blocks; ++b) {
      quantize_block(args.x + r * args.x_stride + b * kQ8Block,
                     args.values + r * q8_value_stride(args.k) + b * kQ8Block, args.scales[r * blocks + b],
                     args.sums + (r * blocks + b) * 2);
    }
  }
}

void residual(const ResidualArgs& args) noexcept {
  for (int64_t i = 0; i < args.k; ++i) {
    args.out[i] = std::fma(-args.scales[i / kQ8Block], static_cast<float>(args.values[i]), args.x[i]);
  }
}

}  // namespace brisk::kernels::ref
