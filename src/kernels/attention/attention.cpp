// Geometry of the stored keys and values, and the scratch of attention.
#include "kernels/attention/attention.hpp"

#include <algorithm>

#include "base/checked.hpp"
#include "kernels/attention/variants.hpp"

namespace brisk::kernels {
namespace {

int64_t element_bytes(DType type) { return dtype_info(type).block_bytes; }

}  // namespace

int64_t KvGeometry::value_offset() const { return kv_heads * kSlabTokens * k_dim * element_bytes(type); }
int64_t KvGeometry::slab_bytes() const {
  return kv_heads * kSlabTokens * (k_dim + v_dim) * element_bytes(type);
}

int64_t attention_scratch_floats(int64_t heads, int64_t kv_heads, const KvGeometry& geometry) {
  const int64_t pairs = std::min(kAttentionPairs, kAttentionRows * (heads / kv_heads));
  const int64_t width = round_up(geometry.v_dim, 16);
  return pairs * (kScoreStride + width) + kAttentionChunk * std::max(geometry.k_dim, width);
}

}  // namespace brisk::kernels
