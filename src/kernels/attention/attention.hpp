// Attention over paged keys and values, with grouped query heads.
//
// A *page* holds kPageTokens entries of one key-value head of one layer, keys then values, padded to 64
// bytes:
//   f32, f16, bf16 (E)   keys    E[kPageTokens / 16][k_dim][16]        16 keys side by side: a key is a lane
//                        values  E[kPageTokens][v_dim]                 a row per entry
//   q8_0, q4_0           keys    [kPageTokens / 16][k_dim / 32] of { f16 scale[16]; codes[32 dims][16 keys] }
//                        values  [kPageTokens][v_dim / 32] blocks as in a GGUF file (quant/q8_0, quant/q4_0)
//                        q4_0 keys: byte [d][key] of 16 x 16 holds dims d (low nibble) and d + 16 of a block
// The quantised types hold what quant's reference encoder gives for 32 neighbouring dimensions of one entry.
// A *slab* is the pages of all heads of one layer, side by side. Entries that were never stored are zero, so
// that masked lanes stay finite.
//
// The row law: row r, head h is computed in blocks of kAttentionBlock entries that start at fixed multiples
// (0, 256, 512, ...), whatever shares the call:
//     s[j]  = scale * sum over d in order of fma(q[d], K[d][j]);  -inf where the row does not see entry j
//     block maximum, new running maximum, p[j] = exp(s[j] - maximum), l and out rescaled, then
//     l    += sum of p in 16 fixed partial sums;  out[d] = fma(p[j], V[j][d], out[d]) for seen j in order
// and out / l at the end. K and V are what the stored type decodes to; exp takes the steps of
// simd/common.inl. So all levels, the reference included, give the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.hpp"
#include "tensor/dtype.hpp"

namespace brisk::kernels {

inline constexpr int64_t kPageTokens = 32;
inline constexpr int64_t kAttentionBlock = 256;

/// Geometry of the keys and values of one layer.
struct KvGeometry {
  int64_t kv_heads, k_dim, v_dim;
  DType type;                    ///< kF32, kF16, kBF16, kQ8_0 or kQ4_0 (dims then multiples of 32)
  int64_t page_bytes() const;    ///< of one page, a multiple of 64
  int64_t value_offset() const;  ///< where the values begin in a page
  int64_t slab_bytes() const { return kv_heads * page_bytes(); }
  friend bool operator==(const KvGeometry&, const KvGeometry&) = default;
};

/// The entries of one sequence in one layer and one key-value head: the one thing that kernels see, whatever
/// the store's mode.
struct KvHead {
  std::byte* base;       ///< page p begins at base + p * page_bytes
  const int32_t* pages;  ///< page of entries [32 i, 32 i + 32)
  int32_t shift;         ///< entry of a position = position + shift; 0 until a policy evicts, then <= 0
};

/// One layer of one sequence, as its store keeps it.
struct KvLayer {
  const KvGeometry* geometry = nullptr;        ///< null: the sequence holds nothing for this layer
  std::byte* base = nullptr;                   ///< of page 0 of the layer's group
  const int32_t* pages = nullptr;              ///< uniform: page of head 0; head h's stands h further on
  const int32_t* const* head_pages = nullptr;  ///< ragged: [kv_heads], else null
  const int32_t* head_shifts = nullptr;        ///< ragged: [kv_heads]

  KvHead head(int64_t h) const {
    if (head_pages != nullptr) return {base, head_pages[h], head_shifts[h]};
    return {base + h * geometry->page_bytes(), pages, 0};
  }
};

/// Stores k and v of one row.
struct KvStoreArgs {
  const KvGeometry* geometry;
  const KvHead* heads;  ///< [kv_heads]
  int64_t position;     ///< in the sequence
  const float* k;       ///< [kv_heads, k_dim]
  const float* v;       ///< [kv_heads, v_dim]
};

/// What one query row sees: positions [first, last) of its own sequence, last > first; in a ragged layer
/// first is 0. With a mask only the entries whose bit is set. Every head sees at least one entry. Blocks of
/// kAttentionBlock entries of which a row sees nothing are not read, nor the mask beyond the word of last
/// - 1.
struct AttentionRow {
  const KvHead* heads;             ///< [kv_heads]; rows of one sequence give the same pointer
  int64_t first, last;             ///< positions; entries are these plus the head's shift
  const uint64_t* mask = nullptr;  ///< bit j of the array is position j's (uniform layers only); null: all
};

struct AttentionArgs {
  const KvGeometry* geometry;
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

/// How the probabilities that rows give to one entry become one number.
enum class KeyScore : uint8_t { kMaximum, kSum };

/// What rows look at: a second look at the keys, asked for by a policy. For each row and query head the
/// log-sum-exp of its scores over the entries it sees, and for each key-value head and entry the maximum or
/// sum, over rows and the heads of the group, of exp(score - log-sum-exp): in the order of rows and heads, so
/// that all levels give the same bits.
struct AttentionProbeArgs {
  const KvGeometry* geometry;
  const float* q;
  int64_t q_stride;
  const AttentionRow* rows;  ///< all of one sequence
  int64_t row_count;
  int64_t heads;
  float scale;
  float* log_sums;  ///< [row_count, heads]
  KeyScore score;
  float* key_scores;   ///< [kv_heads, key_stride]: entry j's, 0 where no row looks; null: not wanted
  int64_t key_stride;  ///< at least the entries of the longest head
  int64_t kv_head;     ///< the share of this call: one key-value head
  float* scratch;      ///< attention_scratch_floats()
};

struct AttentionVariant {
  const char* name;
  Isa isa;
  DType kv;  ///< stored type
  void (*store)(const KvStoreArgs&) noexcept;
  void (*run)(const AttentionArgs&) noexcept;
  void (*probe)(const AttentionProbeArgs&) noexcept;
};
/// The best variant up to `isa`; null for a type that cannot hold keys and values.
const AttentionVariant* find_attention(DType kv, Isa isa);
/// Reads one entry back as f32 (tests, policies, other layouts): k [k_dim], v [v_dim]; either may be null.
void read_entry(const KvGeometry& geometry, const KvHead& head, int64_t entry, float* k, float* v) noexcept;
/// Copies entry `from` of one head to entry `to` of another, of the same geometry, bit by bit.
void copy_entry(const KvGeometry& geometry, const KvHead& source, int64_t from, const KvHead& target,
                int64_t to) noexcept;

}  // namespace brisk::kernels
