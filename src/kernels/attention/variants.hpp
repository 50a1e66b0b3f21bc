// The variants of attention that are compiled in; each is defined in the file of its level.
#pragma once

#include "kernels/attention/attention.hpp"

namespace brisk::kernels {

namespace ref {
extern const AttentionVariant attention_f32, attention_f16;
}
namespace avx2 {
extern const AttentionVariant attention_f32, attention_f16;
}
namespace avx512 {
extern const AttentionVariant attention_f32, attention_f16;
}

/// Pairs (query row, head) that the vector levels work on at once; more are taken in turns. It bounds the
/// scratch: 64 pairs of 256 scores and a head's output stay inside a level-2 cache.
inline constexpr int64_t kAttentionPairs = 64;
/// Floats from one pair's scores to the next: a block and a cache line, so that pairs use different sets.
inline constexpr int64_t kScoreStride = kAttentionBlock + 16;
/// Keys whose f32 copy is held at a time: with 64 dimensions they fill a third of a level-1 cache.
inline constexpr int64_t kAttentionChunk = 64;

}  // namespace brisk::kernels
