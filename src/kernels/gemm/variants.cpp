// All matrix products, best ISA level first, and the choice among them.
#include "kernels/gemm/variants.hpp"

#include <string_view>
#include <vector>

#include "quant/weight_form.hpp"

namespace brisk::kernels {

std::span<const GemmVariant> gemm_variants() {
  static const std::vector<GemmVariant> all = [] {
    std::vector<GemmVariant> list;
    for (const auto part : {avx512::gemm_q8_list(), avx512::gemm_f32_list(), avx2::gemm_q8_list(),
                            avx2::gemm_f32_list(), ref::gemm_list()}) {
      list.insert(list.end(), part.begin(), part.end());
    }
    for (const GemmVariant* any : {&avx512::gemm_decoded, &avx2::gemm_decoded, &ref::gemm_decoded}) {
      list.push_back(*any);
    }
    return list;
  }();
  return all;
}

const GemmVariant* find_gemm(const quant::WeightForm& form, ActivationForm activations, Isa isa) {
  for (const GemmVariant& variant : gemm_variants()) {
    const bool serves = variant.form == nullptr || std::string_view(variant.form) == form.name;
    if (serves && variant.activations == activations && variant.isa <= isa) return &variant;
  }
  return nullptr;
}

int64_t decoded_scratch_floats(int64_t k) noexcept { return kGemmColumns * k; }

void decode_to_scratch(const GemmArgs& args, int64_t n, int64_t rows) noexcept {
  args.weight->form->decode_rows(*args.weight, n, rows, args.scratch);
}

}  // namespace brisk::kernels
