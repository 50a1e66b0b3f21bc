// The probe of attention on F32x16: which entries rows look at. Two passes over the keys, the pairs of a
// batch together and a block at a time as in attention.inl: first every pair's log-sum-exp, then exp(score -
// log-sum-exp) of the same scores, brought together entry by entry in the order of rows and heads.
#include "kernels/attention/attention.inl"

namespace brisk::kernels::BRISK_ISA_NAMESPACE {
namespace {

/// Adds one pair's probabilities of a block to the entries' numbers; `key_scores` begins at the block.
void merge_block(const Pair& pair, float log_sum, int64_t block, KeyScore how, float* key_scores) noexcept {
  const Range seen = seen_of_block(pair, block);
  hide_unseen(pair, block, seen);
  const F32x16 shift = broadcast(log_sum == kNothing ? 0.0F : log_sum);
  for (int64_t at = seen.begin / 16 * 16; at < seen.end; at += 16) {
    const int64_t n = least(seen.end - at, 16);
    const F32x16 p = exp(sub(load(pair.scores + at), shift)), so_far = load_first(key_scores + at, n);
    store_first(key_scores + at, how == KeyScore::kSum ? add(so_far, p) : max(so_far, p), n);
  }
}

template <typename E>
void probe_pairs(const AttentionProbeArgs& args, const Source<E>& source, Pair* pairs, int64_t count,
                 float* copy) noexcept {
  for_blocks(pairs, count, [&](int64_t block, const Active& active) {
    score_block(source, active, block, args.scale, copy);
    for (int64_t p = 0; p < active.count; ++p) {
      softmax_block(*active.pairs[p], block, seen_of_block(*active.pairs[p], block));
    }
  });
  for (int64_t p = 0; p < count; ++p) *pairs[p].out = pairs[p].peak + __builtin_logf(pairs[p].total);
  if (args.key_scores == nullptr) return;
  float* key_scores = args.key_scores + args.kv_head * args.key_stride;
  for_blocks(pairs, count, [&](int64_t block, const Active& active) {
    score_block(source, active, block, args.scale, copy);
    for (int64_t p = 0; p < active.count; ++p) {
      merge_block(*active.pairs[p], *active.pairs[p]->out, block, args.score, key_scores + block);
    }
  });
}

template <typename E>
void probe(const AttentionProbeArgs& args) noexcept {
  if (args.key_scores != nullptr) {
    float* key_scores = args.key_scores + args.kv_head * args.key_stride;
    for (int64_t j = 0; j < args.key_stride; ++j) key_scores[j] = 0.0F;
  }
  if (args.row_count == 0) return;
  const KvGeometry& geometry = *args.geometry;
  const int64_t group = args.heads / geometry.kv_heads;
  const Source<E> source(geometry, args.rows[0].heads[args.kv_head]);
  const Scratch scratch(args.scratch, geometry, group);
  const int64_t all_pairs = args.row_count * group;
  for (int64_t done = 0; done < all_pairs; done += scratch.limit) {
    Pair pairs[kAttentionPairs];
    const int64_t count = least(scratch.limit, all_pairs - done);
    for (int64_t p = 0; p < count; ++p) {
      const int64_t row = (done + p) / group, head = args.kv_head * group + (done + p) % group;
      pairs[p] =
          new_pair(args.rows[row], source.head.shift, args.q + row * args.q_stride + head * geometry.k_dim,
                   scratch.scores + p * kScoreStride, nullptr, args.log_sums + row * args.heads + head);
    }
    probe_pairs(args, source, pairs, count, scratch.copy);
  }
}

}  // namespace
}  // namespace brisk::kernels::BRISK_ISA_NAMESPACE
