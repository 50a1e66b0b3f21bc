// The variants of one level.
#include "kernels/attention/pages.hpp"
#include "kernels/attention/probe.inl"

namespace brisk::kernels::BRISK_ISA_NAMESPACE {

#define BRISK_ATTENTION(text, dtype, element, store) \
  {"attention_f32_kv" text "__" BRISK_ISA_NAME, BRISK_ISA_LEVEL, dtype, store, run<element>, probe<element>}
const AttentionVariant attention[kStoredTypes] = {
    BRISK_ATTENTION("f32", DType::kF32, float, store_plain<float>),
    BRISK_ATTENTION("f16", DType::kF16, uint16_t, store_plain<uint16_t>),
    BRISK_ATTENTION("bf16", DType::kBF16, Bf16, store_plain<Bf16>),
    BRISK_ATTENTION("q8_0", DType::kQ8_0, Q8, store_entry),
    BRISK_ATTENTION("q4_0", DType::kQ4_0, Q4, store_entry),
};
#undef BRISK_ATTENTION

}  // namespace brisk::kernels::BRISK_ISA_NAMESPACE
