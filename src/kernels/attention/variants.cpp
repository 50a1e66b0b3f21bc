// Which attention serves which level.
#include "kernels/attention/variants.hpp"

namespace brisk::kernels {

const AttentionVariant* find_attention(DType kv, Isa isa) {
  if (kv != DType::kF32 && kv != DType::kF16) return nullptr;
  const bool f32 = kv == DType::kF32;
  switch (isa) {
    case Isa::kAvx512: return f32 ? &avx512::attention_f32 : &avx512::attention_f16;
    case Isa::kAvx2: return f32 ? &avx2::attention_f32 : &avx2::attention_f16;
    case Isa::kRef: break;
  }
  return f32 ? &ref::attention_f32 : &ref::attention_f16;
}

}  // namespace brisk::kernels
