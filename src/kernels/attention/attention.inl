// Attention on F32x16, once for every level.
//
// Work is done on *pairs* (a query row and one of its heads). All pairs of an item look at the same keys, so
// what is read from memory is used by all: the heads of a group in decode, kAttentionRows x heads in prefill.
// Per block of 256 keys:
//   1. scores:  register tile of up to 6 pairs x 64 keys (16 on AVX2). A key is a lane, so no sum across
//      lanes is needed and each score is one chain of fma along k_dim, whatever the tile.
//   2. softmax: maximum, exp, sum, one pair after the other.
//   3. values:  register tile of up to 6 pairs x 64 dimensions, keys in order.
// With more than one tile of pairs, f16 and bf16 keys and values are first copied as f32 to scratch, 64 keys
// at a time (they stay in L1): converting takes a port that fma needs. With one tile they are read where they
// are. The quantised types are always unpacked that way.
//
// Pairs see different keys (causal masks, windows, bit masks). Scores outside are replaced by -inf, whatever
// they were; the value tile runs over the keys that all of its pairs see, and the others pair by pair: a key
// that a row does not see must not touch it, not even multiplied by zero. Where no row of an item has a bit
// mask, all of it is ranges; with one, pairs are compared by the 64 bits of a chunk.
#include <limits>
#include <type_traits>

#include "kernels/attention/source.inl"
#include "kernels/attention/variants.hpp"

namespace brisk::kernels::BRISK_ISA_NAMESPACE {
namespace {

constexpr int64_t kTilePairs = 6;
constexpr int kPairOfVectors = kTileVectors < 2 ? kTileVectors : 2;
constexpr int64_t kChunkTiles = kAttentionChunk / 16;
constexpr float kNothing = -std::numeric_limits<float>::infinity();

struct Pair {
  const float* q;        // [k_dim]
  float* scores;         // [kAttentionBlock], then the probabilities
  float* sum;            // [width] probabilities times values so far
  float* out;            // [v_dim]
  int64_t first, last;   // entries that it sees
  const uint64_t* mask;  // of them, those whose bit is set; null: all
  float peak;            // greatest score so far
  float total;           // sum of probabilities so far
};

/// Entries [begin, end).
struct Range {
  int64_t begin, end;
  bool empty() const { return begin >= end; }
};
[[gnu::always_inline]] inline Range common(Range a, Range b) {
  return {most(a.begin, b.begin), least(a.end, b.end)};
}

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

/// Whether so many pairs read entries where they are: f32 always, what must be converted when it is read
/// once.
template <typename E>
[[gnu::always_inline]] inline bool read_in_place(int64_t pair_count) {
  return std::is_same_v<E, float> || (Stored<E>::kPlain && pair_count <= kTilePairs);
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
  const auto score_from = [&](const auto* const* tiles) {
    for_pair_tiles(pair_count, [&](int64_t p, int64_t count) {
      score_tiles(pairs + p, count, tiles, tile_count, source.k_dim, scale, begin - block);
    });
  };
  if constexpr (Stored<E>::kPlain) {
    if (read_in_place<E>(pair_count)) {
      const E* tiles[kChunkTiles];
      for (int64_t t = 0; t < tile_count; ++t) {
        tiles[t] = reinterpret_cast<const E*>(source.key_tile(begin + 16 * t));
      }
      return score_from(tiles);
    }
  }
  const float* copies[kChunkTiles];
  for (int64_t t = 0; t < tile_count; ++t) {
    float* to = copy + t * source.k_dim * 16;
    unpack_keys<E>(source.key_tile(begin + 16 * t), source.k_dim, to);
    copies[t] = to;
  }
  score_from(copies);
}

// ---- softmax ----

/// The lowest `count` bits, 0..64.
[[gnu::always_inline]] inline uint64_t low_bits(int64_t count) {
  return count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

/// The entries that a pair sees of the chunk that begins at `chunk`, as bits.
uint64_t bits_of_chunk(const Pair& pair, int64_t chunk) noexcept {
  const Range own = common({pair.first - chunk, pair.last - chunk}, {0, kAttentionChunk});
  if (own.empty()) return 0;
  const uint64_t bits = low_bits(own.end) & ~low_bits(own.begin);
  return pair.mask == nullptr ? bits : bits & pair.mask[chunk / 64];
}

/// What a pair sees of the block that begins at `block`, counted from there: from the first entry that it
/// sees to after the last one.
Range seen_of_block(const Pair& pair, int64_t block) noexcept {
  if (pair.mask == nullptr) return common({pair.first - block, pair.last - block}, {0, kAttentionBlock});
  Range seen = {kAttentionBlock, 0};
  for (int64_t at = 0; at < kAttentionBlock; at += kAttentionChunk) {
    const uint64_t bits = bits_of_chunk(pair, block + at);
    if (bits == 0) continue;
    seen.begin = least(seen.begin, at + __builtin_ctzll(bits));
    seen.end = at + 64 - __builtin_clzll(bits);
  }
  return seen;
}

/// Replaces the scores that are not seen by -inf: those beside `seen` in its first and last vector, and in
/// between where the mask says so. Vectors outside are never looked at.
void hide_unseen(const Pair& pair, int64_t block, Range seen) noexcept {
  const auto hide = [&](int64_t at, Mask16 inside) {
    store(pair.scores + at, select(inside, load(pair.scores + at), broadcast(kNothing)));
  };
  const auto hide_edge = [&](int64_t at) {
    hide(at, lanes_between(most(seen.begin - at, 0), least(seen.end - at, 16)));
  };
  if (seen.begin % 16 != 0) hide_edge(seen.begin / 16 * 16);
  if (seen.end % 16 != 0) hide_edge(seen.end / 16 * 16);
  if (pair.mask == nullptr) return;
  for (int64_t at = seen.begin / 16 * 16; at < seen.end; at += 16) {
    hide(at, lanes_of(pair.mask[(block + at) / 64] >> (at % 64)));
  }
}

/// Turns the scores of one block into probabilities relative to the new peak; returns the factor that what
/// came before must be scaled by.
float softmax_block(Pair& pair, int64_t block, Range seen) noexcept {
  const int64_t begin = seen.begin / 16 * 16;
  float* scores = pair.scores;
  hide_unseen(pair, block, seen);
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
  return factor;
}

/// Rescales the sums of values so far.
void rescale(const Pair& pair, float factor, int64_t width) noexcept {
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
    const Range run = common(range, {h * kPageTokens, (h + 1) * kPageTokens});
    if (run.empty()) continue;
    const E* row = values.half[h] + (run.begin - h * kPageTokens) * values.stride + column;
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

/// One tile of pairs without bit masks over a chunk that begins at entry `chunk`: the keys that all see
/// together, the keys at the edges pair by pair, each pair's in order.
template <typename E>
void value_ranges(Pair* const* pairs, int64_t count, Values<E> values, int64_t chunk, int64_t score_at,
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

/// The same where some have bit masks: neighbours that see the same entries go together, one run of entries
/// after the other.
template <typename E>
void value_bits(Pair* const* pairs, int64_t count, Values<E> values, int64_t chunk, int64_t score_at,
                int64_t width) noexcept {
  for (int64_t p = 0; p < count;) {
    uint64_t bits = bits_of_chunk(*pairs[p], chunk);
    int64_t next = p + 1;
    while (next < count && bits_of_chunk(*pairs[next], chunk) == bits) ++next;
    while (bits != 0) {
      const int64_t begin = __builtin_ctzll(bits);
      const uint64_t after = ~(bits | low_bits(begin));  // entries behind `begin` that are not seen
      const int64_t end = after == 0 ? kAttentionChunk : __builtin_ctzll(after);
      value_pairs(pairs + p, next - p, values, {begin, end}, score_at, width);
      bits &= ~low_bits(end);
    }
    p = next;
  }
}

/// The values of one chunk: keys of `range`, which lies in the chunk that begins at entry `chunk`.
template <typename E>
void value_chunk(const Source<E>& source, Pair* const* pairs, int64_t pair_count, bool masked, Range range,
                 int64_t chunk, int64_t block, int64_t width, float* copy) noexcept {
  const auto add_from = [&](auto values) {
    for_pair_tiles(pair_count, [&](int64_t p, int64_t count) {
      if (masked) return value_bits(pairs + p, count, values, chunk, chunk - block, width);
      value_ranges(pairs + p, count, values, chunk, chunk - block, width);
    });
  };
  if constexpr (Stored<E>::kPlain) {
    if (width == source.v_dim && read_in_place<E>(pair_count)) {
      Values<E> values = {{nullptr, nullptr}, source.v_dim};
      for (int64_t h = 0; h < 2; ++h) {
        const int64_t entry = chunk + h * kPageTokens;
        const bool seen = entry < range.end && entry + kPageTokens > range.begin;
        if (seen) values.half[h] = reinterpret_cast<const E*>(source.value_row(entry));
      }
      return add_from(values);
    }
  }
  // Also for rows that are no whole vectors: the copy is padded, so the tile needs no special end.
  for (int64_t entry = range.begin; entry < range.end; ++entry) {
    unpack_values<E>(source.value_row(entry), source.v_dim, copy + (entry - chunk) * width);
  }
  add_from(Values<float>{{copy, copy + kPageTokens * width}, width});
}

// ---- blocks ----

/// The pairs of one block that see something of it.
struct Active {
  Pair* pairs[kAttentionPairs];
  int64_t count = 0;
  Range seen;           // entries from the first to after the last that any of them sees
  bool masked = false;  // whether any of them has a bit mask
};

Active pairs_of_block(Pair* pairs, int64_t pair_count, int64_t block) noexcept {
  Active active;
  active.seen = {block + kAttentionBlock, block};
  for (int64_t p = 0; p < pair_count; ++p) {
    const Range own = seen_of_block(pairs[p], block);
    if (own.empty()) continue;
    active.pairs[active.count++] = &pairs[p];
    active.seen = {least(active.seen.begin, block + own.begin), most(active.seen.end, block + own.end)};
    active.masked |= pairs[p].mask != nullptr;
  }
  return active;
}

/// Calls body(pairs, their number, range, chunk) for the chunks of a block: those pairs (with masks, only the
/// ones that see something of the chunk) and what lies of `active.seen` in the chunk.
template <typename Body>
[[gnu::always_inline]] inline void for_chunks(const Active& active, Body body) {
  for (int64_t chunk = active.seen.begin / kAttentionChunk * kAttentionChunk; chunk < active.seen.end;
       chunk += kAttentionChunk) {
    Pair* some[kAttentionPairs];
    Pair* const* pairs = active.pairs;
    int64_t count = active.count;
    if (active.masked) {
      count = 0;
      for (int64_t p = 0; p < active.count; ++p) {
        if (bits_of_chunk(*active.pairs[p], chunk) != 0) some[count++] = active.pairs[p];
      }
      if (count == 0) continue;
      pairs = some;
    }
    body(pairs, count, common(active.seen, {chunk, chunk + kAttentionChunk}), chunk);
  }
}

/// Calls body(block, active pairs) for the blocks that any pair sees something of.
template <typename Body>
[[gnu::always_inline]] inline void for_blocks(Pair* pairs, int64_t pair_count, Body body) {
  Range all = {std::numeric_limits<int64_t>::max(), 0};
  for (int64_t p = 0; p < pair_count; ++p) {
    all = {least(all.begin, pairs[p].first), most(all.end, pairs[p].last)};
  }
  for (int64_t block = all.begin / kAttentionBlock * kAttentionBlock; block < all.end;
       block += kAttentionBlock) {
    const Active active = pairs_of_block(pairs, pair_count, block);
    if (active.count > 0) body(block, active);
  }
}

template <typename E>
void score_block(const Source<E>& source, const Active& active, int64_t block, float scale,
                 float* copy) noexcept {
  for_chunks(active, [&](Pair* const* pairs, int64_t count, Range part, int64_t) {
    score_chunk(source, pairs, count, part, block, scale, copy);
  });
}

/// All pairs over all of their keys.
template <typename E>
void attend(const Source<E>& source, Pair* pairs, int64_t pair_count, float scale, int64_t width,
            float* copy) noexcept {
  for_blocks(pairs, pair_count, [&](int64_t block, const Active& active) {
    score_block(source, active, block, scale, copy);
    for (int64_t p = 0; p < active.count; ++p) {
      Pair& pair = *active.pairs[p];
      rescale(pair, softmax_block(pair, block, seen_of_block(pair, block)), width);
    }
    for_chunks(active, [&](Pair* const* some, int64_t count, Range part, int64_t chunk) {
      value_chunk(source, some, count, active.masked, part, chunk, block, width, copy);
    });
  });
}

// ---- items ----

/// The scratch of one lane: scores and sums of up to `limit` pairs, and a chunk of keys or values as f32.
struct Scratch {
  int64_t limit, width;
  float *scores, *sums, *copy;

  Scratch(float* at, const KvGeometry& geometry, int64_t group)
      : limit(least(kAttentionPairs, kAttentionRows * group)), width((geometry.v_dim + 15) / 16 * 16),
        scores(at), sums(scores + limit * kScoreStride), copy(sums + limit * width) {}
};

/// A query head of a row before it has seen anything.
Pair new_pair(const AttentionRow& row, int32_t shift, const float* q, float* scores, float* sum,
              float* out) noexcept {
  const int64_t first = most(row.first + shift, 0);  // a shift evicts from the front of what is seen
  return {q, scores, sum, out, first, row.last + shift, row.mask, kNothing, 0.0F};
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
  const KvGeometry& geometry = *args.geometry;
  const int64_t group = args.heads / geometry.kv_heads;
  const Source<E> source(geometry, args.rows[rows.begin].heads[kv_head]);
  const Scratch scratch(args.scratch, geometry, group);

  const int64_t all_pairs = (rows.end - rows.begin) * group;
  for (int64_t done = 0; done < all_pairs; done += scratch.limit) {
    Pair pairs[kAttentionPairs];
    const int64_t count = least(scratch.limit, all_pairs - done);
    for (int64_t p = 0; p < count; ++p) {
      const int64_t row = rows.begin + (done + p) / group, head = kv_head * group + (done + p) % group;
      pairs[p] =
          new_pair(args.rows[row], source.head.shift, args.q + row * args.q_stride + head * geometry.k_dim,
                   scratch.scores + p * kScoreStride, scratch.sums + p * scratch.width,
                   args.out + row * args.out_stride + head * geometry.v_dim);
      for (int64_t d = 0; d < scratch.width; d += 16) store(pairs[p].sum + d, broadcast(0.0F));
    }
    attend(source, pairs, count, args.scale, scratch.width, scratch.copy);
    for (int64_t p = 0; p < count; ++p) finish(pairs[p], geometry.v_dim);
  }
}

template <typename E>
void run(const AttentionArgs& args) noexcept {
  if (args.row_count == 0) return;
  for (int64_t item = args.item_begin; item < args.item_end; ++item) {
    const AttentionItem work = attention_item(item, args.row_count);
    for (int64_t row = work.row_begin; row < work.row_end;) {
      int64_t next = row + 1;
      while (next < work.row_end && args.rows[row].heads == args.rows[next].heads) ++next;
      attend_rows<E>(args, {row, next}, work.kv_head);
      row = next;
    }
  }
}

}  // namespace
}  // namespace brisk::kernels::BRISK_ISA_NAMESPACE
