// How attention is cut into work, and the scratch that a lane of it needs.
#include "kernels/attention/attention.hpp"

#include <algorithm>

#include "base/checked.hpp"
#include "kernels/attention/variants.hpp"

namespace brisk::kernels {
int64_t attention_scratch_floats(int64_t heads, int64_t kv_heads, const KvGeometry& geometry) {
  const int64_t pairs = std::min(kAttentionPairs, kAttentionRows * (heads / kv_heads));
  const int64_t width = round_up(geometry.v_dim, 16);
  return pairs * (kScoreStride + width) + kAttentionChunk * std::max(geometry.k_dim, width);
}

AttentionItem attention_item(int64_t item, int64_t rows) noexcept {
  const int64_t blocks = div_up(rows, kAttentionRows);
  const int64_t turn = item % blocks;
  const int64_t begin = (turn % 2 == 0 ? turn / 2 : blocks - 1 - turn / 2) * kAttentionRows;
  return {item / blocks, begin, std::min(begin + kAttentionRows, rows)};
}

}  // namespace brisk::kernels
