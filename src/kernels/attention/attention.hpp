// Attention over paged keys and values, with grouped query heads.
//
// Layout of one slab (kSlabTokens tokens of one layer), E = f32 or f16:
//     keys    E[kv_heads][kSlabTokens / 16][k_dim][16]   16 keys side by side: a key is a lane
//     values  E[kv_heads][kSlabTokens][v_dim]            a row per token
// Keys and values of tokens that were never stored are zero, so that masked lanes stay finite.
//
// The row law: row r, head h is computed in blocks of kAttentionBlock keys that start at fixed multiples
// (0, 256, 512, ...), whatever shares the call:
//     s[j]  = scale * sum over d in order of fma(q[d], K[d][j])
//     block maximum, new running maximum, p[j] = exp(s[j] - maximum), l and out rescaled, then
//     l    += sum of p in 16 fixed partial sums;  out[d] = fma(p[j], V[j][d], out[d]) for j in order
// and out / l at the end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.hpp"
#include "tensor/dtype.hpp"

namespace brisk::kernels {

inline constexpr int64_t kSlabTokens = 32;
inline constexpr int64_t kAttentionBlock = 256;

/// Geometry of the keys and values of one layer.
struct KvGeometry {
  int64_t kv_heads, k_dim, v_dim;
  DType type;                    ///< kF32 or kF16
  int64_t slab_bytes() const;    ///< of one slab, keys then values
  int64_t value_offset() const;  ///< where the values begin in a slab
};

/// The stored tokens of one sequence in one layer.
struct KvView {
  std::byte* slabs;      ///< slab i of the layer begins at slabs + i * geometry->slab_bytes()
  const int32_t* table;  ///< slab index of tokens [32 i, 32 i + 32)
  const KvGeometry* geometry;
};

/// Stores k and v of one row at `position` (an index into the sequence).
struct KvStoreArgs {
  KvView view;
  int64_t position;
  const float* k;  ///< [kv_heads, k_dim]
  const float* v;  ///< [kv_heads, v_dim]
};

/// What one query row sees: keys [first, last) of its own sequence; last > first.
struct AttentionRow {
  KvView view;
  int64_t first, last;
};

struct AttentionArgs {
  const float* q;  ///< [rows, q_stride], heads of k_dim each
  int64_t q_stride;
  const AttentionRow* rows;  ///< [row_count]
  int64_t row_count;
  int64_t heads;  ///< query heads; a multiple of geometry->kv_heads
  float scale;
  float* out;  ///< [rows, out_stride], heads of v_dim each
  int64_t out_stride;
  int64_t item_begin, item_end;  ///< of attention_items(): the share of this lane
  float* scratch;                ///< attention_scratch_floats() floats of this lane
};

/// Rows that one item holds; neighbouring rows of one sequence share the reading of their keys.
inline constexpr int64_t kAttentionRows = 16;
/// Items of work: a block of kAttentionRows rows and one key-value head each.
constexpr int64_t attention_items(int64_t rows, int64_t kv_heads) {
  return (rows + kAttentionRows - 1) / kAttentionRows * kv_heads;
}
/// Scratch of one lane, in floats.
int64_t attention_scratch_floats(int64_t heads, int64_t kv_heads, const KvGeometry& geometry);

struct AttentionVariant {
  const char* name;
  Isa isa;
  DType kv;  ///< kF32 or kF16
  void (*store)(const KvStoreArgs&) noexcept;
  void (*run)(const AttentionArgs&) noexcept;
};
const AttentionVariant* find_attention(DType kv, Isa isa);

}  // namespace brisk::kernels
