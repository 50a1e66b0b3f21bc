// Attention on F32x16, once for every level.
//
// Work is done on *pairs* (a query row and one of its heads). All pairs of an item look at the same keys, so
// what is read from memory is used by all: the heads of a group in decode, kAttentionRows x heads in prefill.
// Per block of 256 keys:
//   1. scores:  register tile of up to 6 pairs x 64 keys (16 on AVX2). A key is a lane, so no sum across
//      lanes is needed and each score is one chain of fma along k_dim, whatever the tile.
//   2. softmax: maximum, exp, sum, one pair after the other.
//   3. values:  register tile of up to 6 pairs x 64 dimensions, keys in order.
// With more than one tile of pairs, f16 keys and values are first copied as f32 to scratch, 64 keys at a time
// (they stay in L1): converting takes a port that fma needs. With one tile they are read where they are.
//
// Pairs see different keys (causal masks, windows). Scores outside are replaced by -inf, whatever they were;
// the value tile runs over the keys that all of its pairs see, and the few at the edges pair by pair: a key
// that a row does not see must not touch it, not even multiplied by zero.
#include <limits>
#include <type_traits>

#include "kernels/attention/variants.hpp"

namespace brisk::kernels::BRISK_ISA_NAMESPACE {
namespace {

constexpr int64_t kTilePairs = 6;
constexpr int kPairOfVectors = kTileVectors < 2 ? kTileVectors : 2;
constexpr int64_t kChunkTiles = kAttentionChunk / 16;
constexpr float kNothing = -std::numeric_limits<float>::infinity();

struct Pair {
  const float* q;  // [k_dim]
  float* scores;   // [kAttentionBlock], then the probabilities
  float* sum;      // [width] probabilities times values so far
  float* out;      // [v_dim]
  int64_t first, last;
  float peak;   // greatest score so far
  float total;  // sum of probabilities so far
};

/// Keys [begin, end).
struct Range {
  int64_t begin, end;
  bool empty() const { return begin >= end; }
};
[[gnu::always_inline]] inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
[[gnu::always_inline]] inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
[[gnu::always_inline]] inline Range common(Range a, Range b) {
  return {most(a.begin, b.begin), least(a.end, b.end)};
}

/// What is read: one key-value head of one sequence.
template <typename E>
struct Source {
  KvView view;
  int64_t head;
  int64_t k_dim, v_dim;
  int64_t slab_bytes, value_offset;

  const std::byte* slab(int64_t token) const {
    return view.slabs + view.table[token / kSlabTokens] * slab_bytes;
  }
  /// The 16 keys [16][k_dim] of which `token` is the first.
  const E* key_tile(int64_t token) const {
    const int64_t tile = head * (kSlabTokens / 16) + token % kSlabTokens / 16;
    return reinterpret_cast<const E*>(slab(token)) + tile * k_dim * 16;
  }
  const E* value_row(int64_t token) const {
    return reinterpret_cast<const E*>(slab(token) + value_offset) +
           (head * kSlabTokens + token % kSlabTokens) * v_dim;
  }
};

// ---- scores ----

template <int kPairs, int kVectors, typename E>
void score_tile(Pair* const* pairs, const E* const* tiles, int64_t k_dim, float scale, int64_t at) noexcept {
  F32x16 acc[kPairs][kVectors];
#pragma GCC unroll 8
  for (int p = 0; p < kPairs; ++p) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) acc[p][v] = broadcast(0.0F);
  }
  const float* q[kPairs];
#pragma GCC unroll 8
  for (int p = 0; p < kPairs; ++p) q[p] = pairs[p]->q;
  const E* tile[kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) tile[v] = tiles[v];

  for (int64_t d = 0; d < k_dim; ++d) {
    F32x16 key[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) key[v] = load(tile[v] + d * 16);
#pragma GCC unroll 8
    for (int p = 0; p < kPairs; ++p) {
      const F32x16 x = broadcast(q[p][d]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) acc[p][v] = fma(x, key[v], acc[p][v]);
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < kPairs; ++p) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v)
      store(pairs[p]->scores + at + 16 * v, mul(acc[p][v], broadcast(scale)));
  }
}

template <int kVectors, typename E>
void score_pairs(Pair* const* pairs, int64_t count, const E* const* tiles, int64_t k_dim, float scale,
                 int64_t at) noexcept {
  switch (count) {
    case 1: return score_tile<1, kVectors>(pairs, tiles, k_dim, scale, at);
    case 2: return score_tile<2, kVectors>(pairs, tiles, k_dim, scale, at);
    case 3: return score_tile<3, kVectors>(pairs, tiles, k_dim, scale, at);
    case 4: return score_tile<4, kVectors>(pairs, tiles, k_dim, scale, at);
    case 5: return score_tile<5, kVectors>(pairs, tiles, k_dim, scale, at);
    default: return score_tile<6, kVectors>(pairs, tiles, k_dim, scale, at);
  }
}

/// Scores of up to 6 pairs and `tile_count` tiles of 16 keys, in the widest register tiles that fit.
template <typename E>
void score_tiles(Pair* const* pairs, int64_t count, const E* const* tiles, int64_t tile_count, int64_t k_dim,
                 float scale, int64_t at) noexcept {
  for (int64_t t = 0; t < tile_count;) {
    const int64_t left = tile_count - t;
    if (kTileVectors >= 4 && left >= 4) {
      score_pairs<kTileVectors>(pairs, count, tiles + t, k_dim, scale, at + 16 * t);
      t += 4;
    } else if (kTileVectors >= 2 && left >= 2) {
      score_pairs<kPairOfVectors>(pairs, count, tiles + t, k_dim, scale, at + 16 * t);
      t += 2;
    } else {
      score_pairs<1>(pairs, count, tiles + t, k_dim, scale, at + 16 * t);
      t += 1;
    }
  }
}

/// Calls body(first pair, count) for even shares of at most 6 pairs.
template <typename Body>
[[gnu::always_inline]] inline void for_pair_tiles(int64_t pair_count, Body body) {
  const int64_t tiles = (pair_count + kTilePairs - 1) / kTilePairs;
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t begin = pair_count * i / tiles, end = pair_count * (i + 1) / tiles;
    body(begin, end - begin);
  }
}

/// The scores of one chunk: keys of `range`, which lies in the chunk and in the block that begins at `block`.
template <typename E>
void score_chunk(const Source<E>& source, Pair* const* pairs, int64_t pair_count, Range range, int64_t block,
                 float scale, float* copy) noexcept {
  const int64_t begin = range.begin / 16 * 16;
  const int64_t tile_count = (range.end - begin + 15) / 16;
  const E* tiles[kChunkTiles];
  for (int64_t t = 0; t < tile_count; ++t) tiles[t] = source.key_tile(begin + 16 * t);
  const auto score_from = [&](const auto* const* from) {
    for_pair_tiles(pair_count, [&](int64_t p, int64_t count) {
      score_tiles(pairs + p, count, from, tile_count, source.k_dim, scale, begin - block);
    });
  };
  if (std::is_same_v<E, float> || pair_count <= kTilePairs) return score_from(tiles);

  const float* copies[kChunkTiles];
  for (int64_t t = 0; t < tile_count; ++t) {
    float* to = copy + t * source.k_dim * 16;
    for (int64_t d = 0; d < source.k_dim; ++d) store(to + d * 16, load(tiles[t] + d * 16));
    copies[t] = to;
  }
  score_from(copies);
}

// ---- softmax ----

/// Replaces the scores beside `seen` by -inf in its first and last vector; others are never looked at.
void hide_unseen(float* scores, Range seen) noexcept {
  const auto hide = [&](int64_t at) {
    const Mask16 inside = lanes_between(most(seen.begin - at, 0), least(seen.end - at, 16));
    store(scores + at, select(inside, load(scores + at), broadcast(kNothing)));
  };
  if (seen.begin % 16 != 0) hide(seen.begin / 16 * 16);
  if (seen.end % 16 != 0) hide(seen.end / 16 * 16);
}

/// Turns the scores of one block into probabilities relative to the new peak, and rescales what came before.
void softmax_block(Pair& pair, int64_t block, int64_t width) noexcept {
  const Range seen = common({pair.first - block, pair.last - block}, {0, kAttentionBlock});
  const int64_t begin = seen.begin / 16 * 16;
  float* scores = pair.scores;
  hide_unseen(scores, seen);
  F32x16 greatest = broadcast(kNothing);
  for (int64_t at = begin; at < seen.end; at += 16) greatest = max(greatest, load(scores + at));
  const float block_peak = max_lane(greatest);
  const float peak = block_peak > pair.peak ? block_peak : pair.peak;
  // Until something is seen, nothing minus nothing must not become not-a-number.
  const float shift = peak == kNothing ? 0.0F : peak;

  F32x16 parts = broadcast(0.0F);
  for (int64_t at = begin; at < seen.end; at += 16) {
    const F32x16 p = exp(sub(load(scores + at), broadcast(shift)));
    store(scores + at, p);
    parts = add(parts, p);
  }
  const float factor = first_lane(exp(broadcast(pair.peak - shift)));
  pair.total = pair.total * factor + sum_lanes(parts);
  pair.peak = peak;
  if (factor == 1.0F) return;  // the usual case once the peak is found; multiplying would change no bit
  for (int64_t d = 0; d < width; d += 16) store(pair.sum + d, mul(load(pair.sum + d), broadcast(factor)));
}

// ---- values ----

/// The values of one chunk, as two runs of 32 rows; a run that holds no seen key may be null.
template <typename E>
struct Values {
  const E* half[2];
  int64_t stride;
};

/// Adds keys `range` (counted from the chunk's first) to `kVectors` x 16 columns of each pair's sum.
template <int kPairs, int kVectors, typename E>
void value_tile(Pair* const* pairs, Values<E> values, Range range, int64_t score_at,
                int64_t column) noexcept {
  F32x16 acc[kPairs][kVectors];
  const float* probability[kPairs];
#pragma GCC unroll 8
  for (int p = 0; p < kPairs; ++p) {
    probability[p] = pairs[p]->scores + score_at;
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) acc[p][v] = load(pairs[p]->sum + column + 16 * v);
  }
  for (int64_t h = 0; h < 2; ++h) {
    const Range run = common(range, {h * kSlabTokens, (h + 1) * kSlabTokens});
    if (run.empty()) continue;
    const E* row = values.half[h] + (run.begin - h * kSlabTokens) * values.stride + column;
    for (int64_t j = run.begin; j < run.end; ++j, row += values.stride) {
      F32x16 value[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) value[v] = load(row + 16 * v);
#pragma GCC unroll 8
      for (int p = 0; p < kPairs; ++p) {
        const F32x16 x = broadcast(probability[p][j]);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) acc[p][v] = fma(x, value[v], acc[p][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < kPairs; ++p) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) store(pairs[p]->sum + column + 16 * v, acc[p][v]);
  }
}

template <int kPairs, typename E>
void value_columns(Pair* const* pairs, Values<E> values, Range range, int64_t score_at,
                   int64_t width) noexcept {
  for (int64_t column = 0; column < width;) {
    const int64_t left = (width - column) / 16;
    if (kTileVectors >= 4 && left >= 4) {
      value_tile<kPairs, kTileVectors>(pairs, values, range, score_at, column);
      column += 64;
    } else if (kTileVectors >= 2 && left >= 2) {
      value_tile<kPairs, kPairOfVectors>(pairs, values, range, score_at, column);
      column += 32;
    } else {
      value_tile<kPairs, 1>(pairs, values, range, score_at, column);
      column += 16;
    }
  }
}

template <typename E>
void value_pairs(Pair* const* pairs, int64_t count, Values<E> values, Range range, int64_t score_at,
                 int64_t width) noexcept {
  if (range.empty()) return;
  switch (count) {
    case 1: return value_columns<1>(pairs, values, range, score_at, width);
    case 2: return value_columns<2>(pairs, values, range, score_at, width);
    case 3: return value_columns<3>(pairs, values, range, score_at, width);
    case 4: return value_columns<4>(pairs, values, range, score_at, width);
    case 5: return value_columns<5>(pairs, values, range, score_at, width);
    default: return value_columns<6>(pairs, values, range, score_at, width);
  }
}

/// One tile of pairs over a chunk that begins at token `chunk`: the keys that all see together, the keys at
/// the edges pair by pair, each pair's in order.
template <typename E>
void value_tile_pairs(Pair* const* pairs, int64_t count, Values<E> values, int64_t chunk, int64_t score_at,
                      int64_t width) noexcept {
  Range all = {0, kAttentionChunk};
  for (int64_t p = 0; p < count; ++p) {
    all = common(all, {pairs[p]->first - chunk, pairs[p]->last - chunk});
  }
  if (all.empty()) all = {0, 0};  // every pair on its own: all of its keys come "after"
  for (int64_t p = 0; p < count; ++p) {
    const Range before = {most(pairs[p]->first - chunk, 0), all.begin};
    value_pairs(pairs + p, 1, values, before, score_at, width);
  }
  value_pairs(pairs, count, values, all, score_at, width);
  for (int64_t p = 0; p < count; ++p) {
    const Range own = common({pairs[p]->first - chunk, pairs[p]->last - chunk}, {0, kAttentionChunk});
    value_pairs(pairs + p, 1, values, {most(own.begin, all.end), own.end}, score_at, width);
  }
}

/// The values of one chunk: keys of `range`, which lies in the chunk that begins at token `chunk`.
template <typename E>
void value_chunk(const Source<E>& source, Pair* const* pairs, int64_t pair_count, Range range, int64_t chunk,
                 int64_t block, int64_t width, float* copy) noexcept {
  const auto add_from = [&](auto values) {
    for_pair_tiles(pair_count, [&](int64_t p, int64_t count) {
      value_tile_pairs(pairs + p, count, values, chunk, chunk - block, width);
    });
  };
  if (width == source.v_dim && (std::is_same_v<E, float> || pair_count <= kTilePairs)) {
    Values<E> values = {{nullptr, nullptr}, source.v_dim};
    for (int64_t h = 0; h < 2; ++h) {
      const int64_t token = chunk + h * kSlabTokens;
      const bool seen = token < range.end && token + kSlabTokens > range.begin;
      if (seen) values.half[h] = source.value_row(token);
    }
    return add_from(values);
  }
  // Also for rows that are no whole vectors: the copy is padded, so the tile needs no special end.
  for (int64_t token = range.begin; token < range.end; ++token) {
    const E* from = source.value_row(token);
    float* to = copy + (token - chunk) * width;
    int64_t d = 0;
    for (; d + 16 <= source.v_dim; d += 16) store(to + d, load(from + d));
    if (d < source.v_dim) store(to + d, load_first(from + d, source.v_dim - d));
  }
  add_from(Values<float>{{copy, copy + kSlabTokens * width}, width});
}

// ---- items ----

/// All pairs over all of their keys.
template <typename E>
void attend(const Source<E>& source, Pair* pairs, int64_t pair_count, float scale, int64_t width,
            float* copy) noexcept {
  Range all = {std::numeric_limits<int64_t>::max(), 0};
  for (int64_t p = 0; p < pair_count; ++p) {
    all = {least(all.begin, pairs[p].first), most(all.end, pairs[p].last)};
  }
  for (int64_t block = all.begin / kAttentionBlock * kAttentionBlock; block < all.end;
       block += kAttentionBlock) {
    Pair* active[kAttentionPairs];
    int64_t active_count = 0;
    Range seen = {all.end, all.begin};
    for (int64_t p = 0; p < pair_count; ++p) {
      const Range own = common({pairs[p].first, pairs[p].last}, {block, block + kAttentionBlock});
      if (own.empty()) continue;
      active[active_count++] = &pairs[p];
      seen = {least(seen.begin, own.begin), most(seen.end, own.end)};
    }
    if (active_count == 0) continue;
    const int64_t first_chunk = seen.begin / kAttentionChunk * kAttentionChunk;
    for (int64_t chunk = first_chunk; chunk < seen.end; chunk += kAttentionChunk) {
      const Range part = common(seen, {chunk, chunk + kAttentionChunk});
      score_chunk(source, active, active_count, part, block, scale, copy);
    }
    for (int64_t p = 0; p < active_count; ++p) softmax_block(*active[p], block, width);
    for (int64_t chunk = first_chunk; chunk < seen.end; chunk += kAttentionChunk) {
      const Range part = common(seen, {chunk, chunk + kAttentionChunk});
      value_chunk(source, active, active_count, part, chunk, block, width, copy);
    }
  }
}

void finish(const Pair& pair, int64_t v_dim) noexcept {
  for (int64_t d = 0; d < v_dim; d += 16) {
    const int64_t n = least(v_dim - d, 16);
    store_first(pair.out + d, div(load(pair.sum + d), broadcast(pair.total)), n);
  }
}

/// Rows [begin, end) of one sequence and one key-value head.
template <typename E>
void attend_rows(const AttentionArgs& args, Range rows, int64_t kv_head) noexcept {
  const KvView& view = args.rows[rows.begin].view;
  const KvGeometry& geometry = *view.geometry;
  const int64_t group = args.heads / geometry.kv_heads;
  const int64_t width = (geometry.v_dim + 15) / 16 * 16;
  const int64_t element = static_cast<int64_t>(sizeof(E));
  const Source<E> source = {view,
                            kv_head,
                            geometry.k_dim,
                            geometry.v_dim,
                            geometry.kv_heads * kSlabTokens * (geometry.k_dim + geometry.v_dim) * element,
                            geometry.kv_heads * kSlabTokens * geometry.k_dim * element};
  const int64_t limit = least(kAttentionPairs, kAttentionRows * group);
  float* scores = args.scratch;
  float* sums = scores + limit * kScoreStride;
  float* copy = sums + limit * width;

  const int64_t all_pairs = (rows.end - rows.begin) * group;
  for (int64_t done = 0; done < all_pairs; done += limit) {
    Pair pairs[kAttentionPairs];
    const int64_t count = least(limit, all_pairs - done);
    for (int64_t p = 0; p < count; ++p) {
      const int64_t row = rows.begin + (done + p) / group, head = kv_head * group + (done + p) % group;
      const AttentionRow& seen = args.rows[row];
      pairs[p] = {args.q + row * args.q_stride + head * geometry.k_dim,
                  scores + p * kScoreStride,
                  sums + p * width,
                  args.out + row * args.out_stride + head * geometry.v_dim,
                  seen.first,
                  seen.last,
                  kNothing,
                  0.0F};
      for (int64_t d = 0; d < width; d += 16) store(pairs[p].sum + d, broadcast(0.0F));
    }
    attend(source, pairs, count, args.scale, width, copy);
    for (int64_t p = 0; p < count; ++p) finish(pairs[p], geometry.v_dim);
  }
}

bool same_sequence(const AttentionRow& a, const AttentionRow& b) noexcept {
  return a.view.slabs == b.view.slabs && a.view.table == b.view.table;
}

template <typename E>
void run(const AttentionArgs& args) noexcept {
  if (args.row_count == 0) return;
  for (int64_t item = args.item_begin; item < args.item_end; ++item) {
    const AttentionItem work = attention_item(item, args.row_count);
    for (int64_t row = work.row_begin; row < work.row_end;) {
      int64_t next = row + 1;
      while (next < work.row_end && same_sequence(args.rows[row], args.rows[next])) ++next;
      attend_rows<E>(args, {row, next}, work.kv_head);
      row = next;
    }
  }
}

// ---- storing ----

template <typename E>
void store_token(const KvStoreArgs& args) noexcept {
  const KvGeometry& geometry = *args.view.geometry;
  const int64_t k_dim = geometry.k_dim, v_dim = geometry.v_dim;
  const int64_t key_bytes = geometry.kv_heads * kSlabTokens * k_dim * static_cast<int64_t>(sizeof(E));
  const int64_t value_bytes = geometry.kv_heads * kSlabTokens * v_dim * static_cast<int64_t>(sizeof(E));
  std::byte* slab =
      args.view.slabs + args.view.table[args.position / kSlabTokens] * (key_bytes + value_bytes);
  const int64_t token = args.position % kSlabTokens;
  for (int64_t head = 0; head < geometry.kv_heads; ++head) {
    E* lane = reinterpret_cast<E*>(slab) + (head * (kSlabTokens / 16) + token / 16) * k_dim * 16 + token % 16;
    for (int64_t d = 0; d < k_dim; d += 16) {
      const int64_t n = least(k_dim - d, 16);
      E converted[16];
      store(converted, load_first(args.k + head * k_dim + d, n));
      for (int64_t i = 0; i < n; ++i) lane[(d + i) * 16] = converted[i];
    }
    E* row = reinterpret_cast<E*>(slab + key_bytes) + (head * kSlabTokens + token) * v_dim;
    for (int64_t d = 0; d < v_dim; d += 16) {
      const int64_t n = least(v_dim - d, 16);
      store_first(row + d, load_first(args.v + head * v_dim + d, n), n);
    }
  }
}

}  // namespace

const AttentionVariant attention_f32 = {"attention_f32_kvf32__" BRISK_ISA_NAME, BRISK_ISA_LEVEL, DType::kF32,
                                        store_token<float>, run<float>};
const AttentionVariant attention_f16 = {"attention_f32_kvf16__" BRISK_ISA_NAME, BRISK_ISA_LEVEL, DType::kF16,
                                        store_token<uint16_t>, run<uint16_t>};

}  // namespace brisk::kernels::BRISK_ISA_NAMESPACE
