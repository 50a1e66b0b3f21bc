// What the tests of attention share: stored sequences, batches of queries, masks, and an answer in double
// arithmetic that knows nothing of pages, blocks or running maxima.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "kernels/attention/attention.hpp"
#include "quant/block_format.hpp"
#include "support/guarded_buffer.hpp"
#include "support/kernel_test.hpp"

namespace brisk::kernels::test_attention {

using test::GuardedBuffer;
inline constexpr DType kTypes[] = {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0};
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Shape {
  int64_t heads, kv_heads, k_dim, v_dim;
  std::string text() const {
    return std::to_string(heads) + "/" + std::to_string(kv_heads) + " heads, " + std::to_string(k_dim) + "/" +
           std::to_string(v_dim) + " dims";
  }
  /// Whether both dimensions are whole blocks of the type.
  bool fits(DType type) const {
    const int64_t values = dtype_info(type).block_values;
    return k_dim % values == 0 && v_dim % values == 0;
  }
};
// Every ratio 1 to 8 and one with more pairs than fit at once; dimensions with and without whole vectors.
inline constexpr Shape kShapes[] = {{9, 3, 64, 64}, {2, 2, 32, 32},   {4, 2, 80, 80},   {4, 1, 128, 128},
                                    {5, 1, 96, 96}, {6, 1, 256, 256}, {14, 2, 64, 64},  {8, 1, 40, 72},
                                    {1, 1, 8, 8},   {16, 1, 32, 48},  {3, 1, 192, 128}, {2, 1, 128, 24}};

/// Calls body(type, shape) for all types and the shapes that fit.
template <typename Body>
void for_each_shape(std::span<const Shape> shapes, Body body) {
  for (const DType type : kTypes) {
    for (const Shape& shape : shapes) {
      if (!shape.fits(type)) continue;
      SCOPED_TRACE(std::string(dtype_name(type)) + ", " + shape.text());
      body(type, shape);
    }
  }
}

/// Calls body(isa) for the vector levels of this machine.
template <typename Body>
void for_each_vector_level(DType type, Body body) {
  test::for_each_isa([&](Isa isa) { return *find_attention(type, isa); },
                     [&](Isa isa) {
                       if (isa != Isa::kRef) body(isa);
                     });
}

/// Calls body(type, isa, shape) for all types, the shapes that fit, and the levels of this machine.
template <typename Body>
void for_each_variant(std::span<const Shape> shapes, Body body) {
  for_each_shape(shapes, [&](DType type, const Shape& shape) {
    test::for_each_isa([&](Isa isa) { return *find_attention(type, isa); },
                       [&](Isa isa) { body(type, isa, shape); });
  });
}

/// `values` as the stored type gives them back, block by block.
inline std::vector<float> rounded(DType type, const std::vector<float>& values) {
  const quant::BlockFormat& format = *quant::find_format(type);
  const auto count = static_cast<int64_t>(values.size());
  std::vector<std::byte> bytes(static_cast<size_t>(*dtype_bytes(type, count)));
  std::vector<float> out(values.size());
  format.encode(values.data(), count, bytes.data());
  format.decode(bytes.data(), count, out.data());
  return out;
}

/// A sequence of `tokens` positions in pages that are out of order and end at an unmapped page. With `shifts`
/// (one for each head, <= 0) it is ragged: head h has lost its first -shifts[h] positions.
class Sequence {
 public:
  Sequence(const Shape& shape, DType type, int64_t tokens, uint32_t seed, Isa store_with,
           std::vector<int32_t> shifts = {})
      : geometry_{shape.kv_heads, shape.k_dim, shape.v_dim, type}, tokens_(tokens),
        variant_(find_attention(type, store_with)), shifts_(std::move(shifts)),
        page_count_((tokens + kPageTokens - 1) / kPageTokens * shape.kv_heads),
        bytes_(static_cast<size_t>(page_count_ * geometry_.page_bytes())) {
    std::mt19937 random(seed);
    shifts_.empty() ? make_uniform(random) : make_ragged(random);
    std::vector<float> keys(static_cast<size_t>(tokens * shape.kv_heads * shape.k_dim));
    std::vector<float> values(static_cast<size_t>(tokens * shape.kv_heads * shape.v_dim));
    test::fill_normal(random, keys.data(), static_cast<int64_t>(keys.size()));
    test::fill_normal(random, values.data(), static_cast<int64_t>(values.size()));
    for (int64_t t = 0; t < tokens; ++t) {
      store(t, keys.data() + t * shape.kv_heads * shape.k_dim,
            values.data() + t * shape.kv_heads * shape.v_dim);
    }
    keys_ = rounded(type, keys);
    values_ = rounded(type, values);
  }
  Sequence(const Sequence&) = delete;

  /// Stores k [kv_heads, k_dim] and v [kv_heads, v_dim] in the heads that hold the position.
  void store(int64_t position, const float* k, const float* v) {
    const auto held = [&](const KvHead& head) { return position + head.shift >= 0; };
    if (std::ranges::all_of(heads_, held)) {
      return variant_->store({&geometry_, heads_.data(), position, k, v});
    }
    KvGeometry one = geometry_;
    one.kv_heads = 1;
    for (int64_t h = 0; h < geometry_.kv_heads; ++h) {
      if (!held(heads_[h])) continue;
      variant_->store({&one, &heads_[h], position, k + h * one.k_dim, v + h * one.v_dim});
    }
  }
  /// Stores `x` everywhere in one position.
  void fill(int64_t position, float x) {
    const std::vector<float> all(
        static_cast<size_t>(geometry_.kv_heads * std::max(geometry_.k_dim, geometry_.v_dim)), x);
    store(position, all.data(), all.data());
  }
  /// Lets the pages of entries [32 page, 32 page + 32) lie where nothing may be read. Uniform only.
  void unmap(int64_t page) { table_[static_cast<size_t>(page)] = static_cast<int32_t>(page_count_); }

  const KvGeometry& geometry() const { return geometry_; }
  const KvHead* heads() const { return heads_.data(); }
  int64_t tokens() const { return tokens_; }
  /// As stored (rounded to the type): [dim] of one head.
  const float* key(int64_t position, int64_t head) const {
    return keys_.data() + (position * geometry_.kv_heads + head) * geometry_.k_dim;
  }
  const float* value(int64_t position, int64_t head) const {
    return values_.data() + (position * geometry_.kv_heads + head) * geometry_.v_dim;
  }
  std::span<const std::byte> bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  void make_uniform(std::mt19937& random) {
    table_.resize(static_cast<size_t>(page_count_ / geometry_.kv_heads));
    for (size_t i = 0; i < table_.size(); ++i) table_[i] = static_cast<int32_t>(i) * heads_count();
    std::shuffle(table_.begin(), table_.end(), random);
    take_heads({&geometry_, bytes_.data(), table_.data(), nullptr, nullptr});
  }
  void make_ragged(std::mt19937& random) {
    table_.resize(static_cast<size_t>(page_count_));
    std::iota(table_.begin(), table_.end(), 0);
    std::shuffle(table_.begin(), table_.end(), random);
    std::vector<const int32_t*> tables;
    for (int32_t h = 0; h < heads_count(); ++h) {
      tables.push_back(table_.data() + h * (page_count_ / geometry_.kv_heads));
    }
    take_heads({&geometry_, bytes_.data(), nullptr, tables.data(), shifts_.data()});
  }
  void take_heads(const KvLayer& layer) {
    for (int32_t h = 0; h < heads_count(); ++h) heads_.push_back(layer.head(h));
  }
  int32_t heads_count() const { return static_cast<int32_t>(geometry_.kv_heads); }

  KvGeometry geometry_;
  int64_t tokens_;
  const AttentionVariant* variant_;
  std::vector<int32_t> shifts_;
  int64_t page_count_;
  GuardedBuffer<std::byte> bytes_;
  std::vector<int32_t> table_;
  std::vector<KvHead> heads_;
  std::vector<float> keys_, values_;
};

/// A bit for each of `tokens` positions, in words that end at an unmapped page.
class Bits {
 public:
  explicit Bits(int64_t tokens) : words_(static_cast<size_t>((tokens + 63) / 64)) {}
  void set(int64_t position) { words_[static_cast<size_t>(position / 64)] |= uint64_t{1} << (position % 64); }
  void set(int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; ++j) set(j);
  }
  const uint64_t* data() const { return words_.data(); }

 private:
  GuardedBuffer<uint64_t> words_;
};

/// Whether a row sees a position of a head.
inline bool sees(const AttentionRow& row, int64_t kv_head, int64_t position) {
  return position >= row.first && position < row.last && position + row.heads[kv_head].shift >= 0 &&
         (row.mask == nullptr || (row.mask[position / 64] >> (position % 64) & 1) != 0);
}

inline constexpr int64_t kPadding =
    3;  // floats between rows of q and of out, so that rows are misaligned too
inline constexpr float kUntouched = -7.0F;

/// What a probe gives.
struct Probed {
  std::vector<float> log_sums, key_scores;  // [rows, heads]; [kv_heads, stride]
  int64_t stride;
};

/// Queries for rows of one geometry, and their output.
struct Batch {
  Batch(const Sequence& any, const Shape& s, std::vector<AttentionRow> the_rows, uint32_t seed)
      : geometry(any.geometry()), shape(s), rows(std::move(the_rows)), q_stride(s.heads * s.k_dim + kPadding),
        out_stride(s.heads * s.v_dim + kPadding),
        q(static_cast<size_t>(static_cast<int64_t>(rows.size()) * q_stride - kPadding)) {
    std::mt19937 random(seed);
    test::fill_normal(random, q.data(), static_cast<int64_t>(q.size()));
  }
  int64_t count() const { return static_cast<int64_t>(rows.size()); }
  float scale() const { return 1.0F / std::sqrt(static_cast<float>(shape.k_dim)); }
  const float* query(int64_t row, int64_t head) const {
    return q.data() + row * q_stride + head * shape.k_dim;
  }
  int64_t kv_head(int64_t head) const { return head * shape.kv_heads / shape.heads; }
  GuardedBuffer<float> scratch() const {
    return GuardedBuffer<float>(
        static_cast<size_t>(attention_scratch_floats(shape.heads, shape.kv_heads, geometry)));
  }

  /// Output [rows, out_stride] when `size` rows at a time share a call and items are taken in steps.
  std::vector<float> run(Isa isa, int64_t size, int64_t items_per_call = 1'000'000) const {
    GuardedBuffer<float> work = scratch();
    std::fill(work.begin(), work.end(), kNan);
    std::vector<float> out(static_cast<size_t>(count() * out_stride), kUntouched);
    for (int64_t begin = 0; begin < count(); begin += size) {
      const int64_t n = std::min(size, count() - begin);
      const int64_t items = attention_items(n, shape.kv_heads);
      for (int64_t item = 0; item < items; item += items_per_call) {
        find_attention(geometry.type, isa)
            ->run({&geometry, q.data() + begin * q_stride, q_stride, rows.data() + begin, n, shape.heads,
                   scale(), out.data() + begin * out_stride, out_stride, item,
                   std::min(item + items_per_call, items), work.data()});
      }
    }
    return out;
  }

  /// The probe of all rows, which are of one sequence; `stride` is its number of positions.
  Probed probe(Isa isa, KeyScore score, int64_t stride) const {
    GuardedBuffer<float> work = scratch();
    std::fill(work.begin(), work.end(), kNan);
    GuardedBuffer<float> key_scores(static_cast<size_t>(shape.kv_heads * stride));
    std::fill(key_scores.begin(), key_scores.end(), kNan);
    Probed out = {std::vector<float>(static_cast<size_t>(count() * shape.heads)), {}, stride};
    for (int64_t h = 0; h < shape.kv_heads; ++h) {
      find_attention(geometry.type, isa)
          ->probe({&geometry, q.data(), q_stride, rows.data(), count(), shape.heads, scale(),
                   out.log_sums.data(), score, key_scores.data(), stride, h, work.data()});
    }
    out.key_scores.assign(key_scores.begin(), key_scores.end());
    return out;
  }

  KvGeometry geometry;
  Shape shape;
  std::vector<AttentionRow> rows;
  int64_t q_stride, out_stride;
  GuardedBuffer<float> q;
};

inline void expect_same(const std::vector<float>& got, const std::vector<float>& want,
                        const std::string& what) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(test::same_bits(got[i], want[i]))
        << what << ": element " << i << " is " << got[i] << ", not " << want[i];
  }
}

/// Every vector level gives the bits of the reference.
inline void expect_levels_agree(const Batch& batch, int64_t size, const std::string& what) {
  const auto want = batch.run(Isa::kRef, size);
  for_each_vector_level(batch.geometry.type, [&](Isa isa) { expect_same(batch.run(isa, size), want, what); });
}

/// The last `count` rows of a causal sequence; with `window`, each sees that many keys at most.
inline std::vector<AttentionRow> causal_rows(const Sequence& sequence, int64_t count, int64_t window = 0) {
  std::vector<AttentionRow> rows;
  for (int64_t last = std::max<int64_t>(sequence.tokens() - count, 0) + 1; last <= sequence.tokens();
       ++last) {
    rows.push_back({sequence.heads(), window > 0 ? std::max<int64_t>(last - window, 0) : 0, last});
  }
  return rows;
}

/// One row and head in double arithmetic, and what the bounds are made of: the weighted mean of |v| and the
/// greatest error that a score may have in f32.
struct Exact {
  std::vector<double> probability;  // of each position up to row.last
  std::vector<double> out, magnitude;
  double log_sum, score_error;
  int64_t seen;
};
inline Exact exact_attention(const Sequence& sequence, const AttentionRow& row, const float* q,
                             int64_t kv_head, float scale) {
  const KvGeometry& g = sequence.geometry();
  Exact exact = {
      std::vector<double>(row.last), std::vector<double>(g.v_dim), std::vector<double>(g.v_dim), 0, 0, 0};
  double peak = -1e300;
  for (int64_t j = 0; j < row.last; ++j) {
    if (!sees(row, kv_head, j)) continue;
    double s = 0, size = 0;
    for (int64_t d = 0; d < g.k_dim; ++d) {
      s += double{q[d]} * sequence.key(j, kv_head)[d];
      size += std::abs(double{q[d]} * sequence.key(j, kv_head)[d]);
    }
    exact.probability[j] = s * scale;
    peak = std::max(peak, s * scale);
    ++exact.seen;
    // Roundings of a chain add like a random walk; four standard steps.
    const double error = 4 * std::sqrt(static_cast<double>(g.k_dim)) * 0x1p-24 * size * scale;
    exact.score_error = std::max(exact.score_error, error);
  }
  double total = 0;
  for (int64_t j = 0; j < row.last; ++j) {
    double& p = exact.probability[j];
    p = sees(row, kv_head, j) ? std::exp(p - peak) : 0;
    total += p;
  }
  for (int64_t j = 0; j < row.last; ++j) {
    exact.probability[j] /= total;
    if (exact.probability[j] == 0) continue;
    for (int64_t d = 0; d < g.v_dim; ++d) {
      exact.out[d] += exact.probability[j] * sequence.value(j, kv_head)[d];
      exact.magnitude[d] += exact.probability[j] * std::abs(double{sequence.value(j, kv_head)[d]});
    }
  }
  exact.log_sum = peak + std::log(total);
  return exact;
}

/// What exp (2.4e-7) and the sums over n keys may change, relative to the weighted mean of |v|.
inline double sum_error(int64_t n) { return 2 * 3e-7 + 4 * std::sqrt(static_cast<double>(n)) * 0x1p-24; }

}  // namespace brisk::kernels::test_attention
