// The variants of attention that are compiled in; each is defined in the file of its level.
#pragma once

#include "kernels/attention/attention.hpp"

namespace brisk::kernels {

inline constexpr int64_t kStoredTypes = 5;  // f32, f16, bf16, q8_0, q4_0
namespace ref {
extern const AttentionVariant attention[kStoredTypes];
}
namespace avx2 {
extern const AttentionVariant attention[kStoredTypes];
}
namespace avx512 {
extern const AttentionVariant attention[kStoredTypes];
}

/// What one item stands for: rows [row_begin, row_end) and one key-value head.
struct AttentionItem {
  int64_t kv_head, row_begin, row_end;
};
/// All row blocks of a head follow each other, so that its keys and values stay in a level-2 cache; blocks
/// are taken from both ends in turn (0, last, 1, last - 1, ...), because in a causal prompt late rows see
/// more keys: lanes that share the items in equal runs get equal work.
AttentionItem attention_item(int64_t item, int64_t rows) noexcept;

/// Pairs (query row, head) that the vector levels work on at once; more are taken in turns. It bounds the
/// scratch: 64 pairs of 256 scores and a head's output stay inside a level-2 cache.
inline constexpr int64_t kAttentionPairs = 64;
/// Floats from one pair's scores to the next: a block and a cache line, so that pairs use different sets.
inline constexpr int64_t kScoreStride = kAttentionBlock + 16;
/// Keys whose f32 copy is held at a time: with 64 dimensions they fill a third of a level-1 cache.
inline constexpr int64_t kAttentionChunk = 64;

}  // namespace brisk::kernels
