// Quantising kernels by ISA level, best first.
#include "kernels/quantize/variants.hpp"

namespace brisk::kernels {
namespace {
constexpr QuantizeVariant kVariants[] = {
    {"quantize_f32_q8__avx512", Isa::kAvx512, avx512::quantize, avx512::residual},
    {"quantize_f32_q8__avx2", Isa::kAvx2, avx2::quantize, avx2::residual},
    {"quantize_f32_q8__ref", Isa::kRef, ref::quantize, ref::residual},
};
}  // namespace

const QuantizeVariant& find_quantize(Isa isa) {
  for (const QuantizeVariant& variant : kVariants) {
    if (variant.isa <= isa) return variant;
  }
  return kVariants[2];
}

}  // namespace brisk::kernels
