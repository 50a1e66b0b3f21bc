// All matrix products, best ISA level first.
#include "kernels/gemm/variants.hpp"

#include <vector>

namespace brisk::kernels {

std::span<const GemmVariant> gemm_variants() {
  static const std::vector<GemmVariant> all = [] {
    std::vector<GemmVariant> list;
    for (const auto part : {avx512::gemm_q8_list(), avx512::gemm_f32_list(), avx2::gemm_q8_list(),
                            avx2::gemm_f32_list(), ref::gemm_list()}) {
      list.insert(list.end(), part.begin(), part.end());
    }
    return list;
  }();
  return all;
}

const GemmVariant* find_gemm(DType weight, ActivationForm activations, Isa isa) {
  for (const GemmVariant& variant : gemm_variants()) {
    if (variant.weight == weight && variant.activations == activations && variant.isa <= isa) return &variant;
  }
  return nullptr;
}

}  // namespace brisk::kernels
