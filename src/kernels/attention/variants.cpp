// Which attention serves which level.
#include "kernels/attention/variants.hpp"

namespace brisk::kernels {
namespace {

const AttentionVariant* variants_of(Isa isa) {
  switch (isa) {
    case Isa::kAvx512: return avx512::attention;
    case Isa::kAvx2: return avx2::attention;
    case Isa::kRef: break;
  }
  return ref::attention;
}

}  // namespace

const AttentionVariant* find_attention(DType kv, Isa isa) {
  const AttentionVariant* variants = variants_of(isa);
  for (int64_t i = 0; i < kStoredTypes; ++i) {
    if (variants[i].kv == kv) return &variants[i];
  }
  return nullptr;
}

}  // namespace brisk::kernels
