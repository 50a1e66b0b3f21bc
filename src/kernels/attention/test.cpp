// Attention. The reference is judged by double arithmetic, the vector levels by the reference; the row law
// and the independence from unseen keys are judged by bits.
#include "kernels/attention/attention.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <string>

#include "quant/half.hpp"
#include "support/guarded_buffer.hpp"
#include "support/kernel_test.hpp"

namespace brisk::kernels {
namespace {

using test::GuardedBuffer;
constexpr DType kTypes[] = {DType::kF32, DType::kF16};
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Shape {
  int64_t heads, kv_heads, k_dim, v_dim;
  std::string text() const {
    return std::to_string(heads) + "/" + std::to_string(kv_heads) + " heads, " + std::to_string(k_dim) + "/" +
           std::to_string(v_dim) + " dims";
  }
};
// Every ratio 1 to 8 and one with more pairs than fit at once; dimensions with and without whole vectors.
constexpr Shape kShapes[] = {{9, 3, 64, 64}, {2, 2, 32, 32},   {4, 2, 80, 80},   {4, 1, 128, 128},
                             {5, 1, 96, 96}, {6, 1, 256, 256}, {14, 2, 64, 64},  {8, 1, 40, 72},
                             {1, 1, 8, 8},   {16, 1, 32, 48},  {3, 1, 192, 128}, {2, 1, 128, 24}};

/// A sequence with `tokens` stored tokens in slabs that are out of order and end at an unmapped page.
class Sequence {
 public:
  Sequence(const Shape& shape, DType type, int64_t tokens, uint32_t seed, Isa store_with)
      : geometry_{shape.kv_heads, shape.k_dim, shape.v_dim, type}, tokens_(tokens),
        slab_count_((tokens + kSlabTokens - 1) / kSlabTokens),
        slabs_(static_cast<size_t>(slab_count_ * geometry_.slab_bytes())),
        table_(static_cast<size_t>(slab_count_)) {
    std::mt19937 random(seed);
    std::iota(table_.begin(), table_.end(), 0);
    std::shuffle(table_.begin(), table_.end(), random);
    keys_.resize(static_cast<size_t>(tokens * shape.kv_heads * shape.k_dim));
    values_.resize(static_cast<size_t>(tokens * shape.kv_heads * shape.v_dim));
    test::fill_normal(random, keys_.data(), static_cast<int64_t>(keys_.size()));
    test::fill_normal(random, values_.data(), static_cast<int64_t>(values_.size()));
    const auto* variant = find_attention(type, store_with);
    for (int64_t t = 0; t < tokens; ++t) variant->store({view(), t, key(t), value(t)});
    if (type == DType::kF16) {
      for (auto* all : {&keys_, &values_}) {
        for (float& x : *all) x = quant::f16_to_f32(quant::f32_to_f16(x));
      }
    }
  }

  KvView view() { return {slabs_.data(), table_.data(), &geometry_}; }
  const KvGeometry& geometry() const { return geometry_; }
  int64_t tokens() const { return tokens_; }
  /// As stored (rounded to the type): [kv_heads, dim].
  const float* key(int64_t token) const {
    return keys_.data() + token * geometry_.kv_heads * geometry_.k_dim;
  }
  const float* value(int64_t token) const {
    return values_.data() + token * geometry_.kv_heads * geometry_.v_dim;
  }
  std::span<const std::byte> bytes() const { return {slabs_.data(), slabs_.size()}; }

 private:
  KvGeometry geometry_;
  int64_t tokens_, slab_count_;
  GuardedBuffer<std::byte> slabs_;
  std::vector<int32_t> table_;
  std::vector<float> keys_, values_;
};

constexpr int64_t kPadding = 3;  // floats between rows of q and of out, so that rows are misaligned too

/// Queries for `rows` and their output.
struct Batch {
  Batch(const Shape& s, std::vector<AttentionRow> the_rows, uint32_t seed)
      : shape(s), rows(std::move(the_rows)), q_stride(s.heads * s.k_dim + kPadding),
        out_stride(s.heads * s.v_dim + kPadding),
        q(static_cast<size_t>(static_cast<int64_t>(rows.size()) * q_stride - kPadding)) {
    std::mt19937 random(seed);
    test::fill_normal(random, q.data(), static_cast<int64_t>(q.size()));
  }
  float scale() const { return 1.0F / std::sqrt(static_cast<float>(shape.k_dim)); }

  /// Output [rows, out_stride] when `size` rows at a time share a call and items are taken in `stride` steps.
  std::vector<float> run(DType type, Isa isa, int64_t size, int64_t items_per_call = 1'000'000) const {
    const auto count = static_cast<int64_t>(rows.size());
    const KvGeometry& geometry = *rows[0].view.geometry;
    GuardedBuffer<float> scratch(
        static_cast<size_t>(attention_scratch_floats(shape.heads, shape.kv_heads, geometry)));
    std::fill(scratch.begin(), scratch.end(), kNan);
    std::vector<float> out(static_cast<size_t>(count * out_stride), -7.0F);
    for (int64_t begin = 0; begin < count; begin += size) {
      const int64_t n = std::min(size, count - begin);
      const int64_t items = attention_items(n, shape.kv_heads);
      for (int64_t item = 0; item < items; item += items_per_call) {
        find_attention(type, isa)->run({q.data() + begin * q_stride, q_stride, rows.data() + begin, n,
                                        shape.heads, scale(), out.data() + begin * out_stride, out_stride,
                                        item, std::min(item + items_per_call, items), scratch.data()});
      }
    }
    return out;
  }

  Shape shape;
  std::vector<AttentionRow> rows;
  int64_t q_stride, out_stride;
  GuardedBuffer<float> q;
};

void expect_same(const std::vector<float>& got, const std::vector<float>& want, const std::string& what) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(test::same_bits(got[i], want[i]))
        << what << ": element " << i << " is " << got[i] << ", not " << want[i];
  }
}

/// The last `count` rows of a causal sequence; with `window`, each sees that many keys at most.
std::vector<AttentionRow> causal_rows(Sequence& sequence, int64_t count, int64_t window = 0) {
  std::vector<AttentionRow> rows;
  for (int64_t last = std::max<int64_t>(sequence.tokens() - count, 0) + 1; last <= sequence.tokens();
       ++last) {
    rows.push_back({sequence.view(), window > 0 ? std::max<int64_t>(last - window, 0) : 0, last});
  }
  return rows;
}

/// One output in double arithmetic: the value, and the weighted mean of |v| and the greatest error of a score
/// that the bounds are made of.
struct Exact {
  std::vector<double> out, magnitude;
  double score_error;
};
Exact exact_attention(const Sequence& sequence, const AttentionRow& row, const float* q, int64_t kv_head,
                      float scale) {
  const KvGeometry& g = sequence.geometry();
  std::vector<double> score;
  double peak = -1e300, score_error = 0;
  for (int64_t j = row.first; j < row.last; ++j) {
    const float* key = sequence.key(j) + kv_head * g.k_dim;
    double s = 0, size = 0;
    for (int64_t d = 0; d < g.k_dim; ++d) {
      s += double{q[d]} * key[d];
      size += std::abs(double{q[d]} * key[d]);
    }
    score.push_back(s * scale);
    peak = std::max(peak, score.back());
    // Roundings of a chain add like a random walk; four standard steps.
    score_error = std::max(score_error, 4 * std::sqrt(static_cast<double>(g.k_dim)) * 0x1p-24 * size * scale);
  }
  Exact exact = {std::vector<double>(g.v_dim), std::vector<double>(g.v_dim), score_error};
  double total = 0;
  for (double& s : score) total += s = std::exp(s - peak);
  for (int64_t j = row.first; j < row.last; ++j) {
    const float* value = sequence.value(j) + kv_head * g.v_dim;
    for (int64_t d = 0; d < g.v_dim; ++d) {
      exact.out[d] += score[j - row.first] / total * value[d];
      exact.magnitude[d] += score[j - row.first] / total * std::abs(double{value[d]});
    }
  }
  return exact;
}

/// What exp (2.4e-7, libm's less) and the sums over n keys may change, relative to the weighted mean of |v|.
double sum_error(int64_t n) { return 2 * 3e-7 + 4 * std::sqrt(static_cast<double>(n)) * 0x1p-24; }

constexpr int64_t kTokenCounts[] = {1,  2,   15,  16,  17,  31,  32,  33,  63, 64,
                                    65, 129, 255, 256, 257, 300, 511, 513, 600};

TEST(Attention, ReferenceFollowsTheDefinition) {
  const uint32_t seed = test::kernel_seed();
  double worst = 0;
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape.text());
    for (DType type : kTypes) {
      for (int64_t tokens : {1, 17, 256, 300}) {
        Sequence sequence(shape, type, tokens, seed, Isa::kRef);
        const Batch batch(shape, causal_rows(sequence, 3, 280), seed + 1);
        const auto out = batch.run(type, Isa::kRef, 8);
        for (size_t r = 0; r < batch.rows.size(); ++r) {
          for (int64_t h = 0; h < shape.heads; ++h) {
            const auto row = static_cast<int64_t>(r);
            const Exact exact = exact_attention(sequence, batch.rows[r],
                                                batch.q.data() + row * batch.q_stride + h * shape.k_dim,
                                                h * shape.kv_heads / shape.heads, batch.scale());
            for (int64_t d = 0; d < shape.v_dim; ++d) {
              const double bound = (2 * exact.score_error + sum_error(tokens)) * exact.magnitude[d] + 1e-30;
              const double error = std::abs(out[row * batch.out_stride + h * shape.v_dim + d] - exact.out[d]);
              worst = std::max(worst, error / bound);
              ASSERT_LE(error, bound);
            }
          }
        }
      }
    }
  }
  std::printf("greatest error: %.3f of its bound\n", worst);
}

TEST(Attention, EveryLevelIsCloseToTheReference) {
  const uint32_t seed = test::kernel_seed();
  for (DType type : kTypes) {
    double worst = 0, worst_relative = 0;
    test::for_each_isa(
        [&](Isa isa) { return *find_attention(type, isa); },
        [&](Isa isa) {
          for (const Shape& shape : kShapes) {
            SCOPED_TRACE(shape.text());
            for (int64_t tokens : kTokenCounts) {
              Sequence sequence(shape, type, tokens, seed + static_cast<uint32_t>(tokens), isa);
              const Batch batch(shape, causal_rows(sequence, 2), seed + 1);
              const auto got = batch.run(type, isa, 8), want = batch.run(type, Isa::kRef, 8);
              for (size_t i = 0; i < got.size(); ++i) {
                const auto column = static_cast<int64_t>(i) % batch.out_stride;
                if (column >= shape.heads * shape.v_dim) {
                  ASSERT_EQ(got[i], -7.0F) << "written between rows";
                  continue;
                }
                // Scores have equal bits. |v| <= 6 bounds the weighted mean coarsely; the relative error
                // printed beside it shows how coarsely.
                const double bound = sum_error(tokens) * 6;
                const double error = std::abs(double{got[i]} - want[i]);
                worst = std::max(worst, error / bound);
                worst_relative = std::max(worst_relative, error / std::max(1.0, std::abs(double{want[i]})));
                ASSERT_LE(error, bound) << tokens << " tokens, element " << i;
              }
            }
          }
          std::printf("%s: greatest error %.2e, %.3f of its bound\n", find_attention(type, isa)->name,
                      worst_relative, worst);
        });
  }
}

TEST(Attention, StoredBytesAreTheSameOnEveryLevel) {
  const uint32_t seed = test::kernel_seed();
  for (DType type : kTypes) {
    test::for_each_isa([&](Isa isa) { return *find_attention(type, isa); },
                       [&](Isa isa) {
                         for (const Shape& shape : kShapes) {
                           const Sequence want(shape, type, 77, seed, Isa::kRef),
                               got(shape, type, 77, seed, isa);
                           ASSERT_TRUE(std::ranges::equal(got.bytes(), want.bytes())) << shape.text();
                         }
                       });
  }
}

TEST(Attention, LayoutIsTheDocumentedOne) {
  const Shape shape = {2, 2, 8, 16};
  for (DType type : kTypes) {
    Sequence sequence(shape, type, 70, 5, Isa::kRef);
    const KvView view = sequence.view();
    for (int64_t t : {0, 15, 16, 31, 32, 69}) {
      for (int64_t h : {0, 1}) {
        const std::byte* slab = view.slabs + view.table[t / 32] * view.geometry->slab_bytes();
        const auto element = [&](const std::byte* base, int64_t i) {
          if (type == DType::kF32) return reinterpret_cast<const float*>(base)[i];
          return quant::f16_to_f32(reinterpret_cast<const uint16_t*>(base)[i]);
        };
        const int64_t in_slab = t % 32;
        for (int64_t d = 0; d < 8; ++d) {
          EXPECT_EQ(element(slab, ((h * 2 + in_slab / 16) * 8 + d) * 16 + in_slab % 16),
                    sequence.key(t)[h * 8 + d]);
        }
        for (int64_t d = 0; d < 16; ++d) {
          EXPECT_EQ(element(slab + view.geometry->value_offset(), (h * 32 + in_slab) * 16 + d),
                    sequence.value(t)[h * 16 + d]);
        }
      }
    }
  }
}

TEST(Attention, RowLaw) {
  const uint32_t seed = test::kernel_seed();
  for (DType type : kTypes) {
    test::for_each_isa([&](Isa isa) { return *find_attention(type, isa); },
                       [&](Isa isa) {
                         for (const Shape& shape : kShapes) {
                           if (isa == Isa::kRef && shape.k_dim > 100)
                             continue;  // slow, and loops row by row by nature
                           SCOPED_TRACE(shape.text());
                           // Rows of three sequences: a prompt, a window over the next, single rows of a
                           // third among them.
                           Sequence a(shape, type, 530, seed, isa), b(shape, type, 300, seed + 1, isa),
                               c(shape, type, 97, seed + 2, isa);
                           auto rows = causal_rows(a, 21);
                           for (const auto& row : causal_rows(b, 14, 37)) rows.push_back(row);
                           for (int64_t last : {97, 1, 40}) rows.push_back({c.view(), 0, last});
                           rows.push_back({a.view(), 255, 257});
                           rows.push_back({a.view(), 100, 101});
                           // Windows that begin all over the blocks: a block must begin where the law says,
                           // not where a row does.
                           for (int64_t first : {3, 250, 64, 260, 100, 130, 299})
                             rows.push_back({a.view(), first, first + 230});
                           const Batch batch(shape, rows, seed + 3);
                           const auto alone = batch.run(type, isa, 1);
                           for (int64_t size : {2, 3, 8, 33, 47}) {
                             expect_same(batch.run(type, isa, size), alone,
                                         "batches of " + std::to_string(size));
                           }
                           expect_same(batch.run(type, isa, 33, 1), alone, "item by item");
                           expect_same(batch.run(type, isa, 47, 2), alone, "two items at a time");
                         }
                       });
  }
}

TEST(Attention, UnseenKeysDoNotMatter) {
  const uint32_t seed = test::kernel_seed();
  for (DType type : kTypes) {
    test::for_each_isa(
        [&](Isa isa) { return *find_attention(type, isa); },
        [&](Isa isa) {
          for (const Shape& shape : {kShapes[0], kShapes[7]}) {
            for (float poison : {kNan, std::numeric_limits<float>::infinity()}) {
              Sequence clean(shape, type, 320, seed, isa), dirty(shape, type, 320, seed, isa);
              const std::vector<float> bad(
                  static_cast<size_t>(shape.kv_heads * std::max(shape.k_dim, shape.v_dim)), poison);
              for (int64_t t = 0; t < 320; ++t) {
                if (t < 21 || t >= 303)
                  find_attention(type, isa)->store({dirty.view(), t, bad.data(), bad.data()});
              }
              // Row r of a window: the first rows see no poison, those beside them in the item do.
              const auto rows_of = [&](Sequence& s) {
                std::vector<AttentionRow> rows;
                for (int64_t r = 0; r < 8; ++r) rows.push_back({s.view(), 21, 296 + r});
                rows.push_back({s.view(), 0, 320});
                rows.push_back({s.view(), 256, 303});
                rows.push_back({s.view(), 302, 303});
                return rows;
              };
              const auto want = Batch(shape, rows_of(clean), seed + 1).run(type, isa, 11);
              const auto got = Batch(shape, rows_of(dirty), seed + 1).run(type, isa, 11);
              const int64_t stride = shape.heads * shape.v_dim + kPadding;
              for (size_t i = 0; i < want.size(); ++i) {
                if (static_cast<int64_t>(i) / stride == 8) {
                  ASSERT_TRUE(got[i] == -7.0F || std::isnan(got[i])) << "the row that sees it must show it";
                } else {
                  ASSERT_TRUE(test::same_bits(got[i], want[i])) << "row " << static_cast<int64_t>(i) / stride;
                }
              }
            }
          }
        });
  }
}

TEST(Attention, ExtremeScores) {
  const uint32_t seed = test::kernel_seed();
  const Shape shape = {3, 1, 16, 16};
  test::for_each_isa(
      [&](Isa isa) { return *find_attention(DType::kF32, isa); },
      [&](Isa isa) {
        Sequence sequence(shape, DType::kF32, 600, seed, isa);
        // A key far above all others in the second block: what came before is scaled to nothing.
        std::vector<float> key(16, 100.0F), value(16, 3.25F);
        find_attention(DType::kF32, isa)->store({sequence.view(), 400, key.data(), value.data()});
        Batch batch(shape, {{sequence.view(), 0, 600}, {sequence.view(), 0, 400}}, seed);
        std::fill(batch.q.begin(), batch.q.end(), 10.0F);
        const auto out = batch.run(DType::kF32, isa, 2);
        for (int64_t i = 0; i < 48; ++i) EXPECT_EQ(out[i], 3.25F);
        // Zero queries: the plain mean. Huge queries: still finite.
        std::fill(batch.q.begin(), batch.q.end(), 0.0F);
        const auto mean = batch.run(DType::kF32, isa, 2);
        double want = 0;
        for (int64_t t = 0; t < 400; ++t) want += sequence.value(t)[5] / 400.0;
        EXPECT_NEAR(mean[batch.out_stride + 5], want, 1e-6);
        std::fill(batch.q.begin(), batch.q.end(), 1e18F);
        for (float x : batch.run(DType::kF32, isa, 2)) EXPECT_TRUE(std::isfinite(x));
        // A whole first block that nothing can be seen of: all its scores are -inf, and it leaves no trace.
        std::vector<float> far(16, -std::numeric_limits<float>::infinity());
        std::fill(batch.q.begin(), batch.q.end(), 1.0F);
        for (int64_t t = 0; t < 256; ++t)
          find_attention(DType::kF32, isa)->store({sequence.view(), t, far.data(), value.data()});
        const auto rest = batch.run(DType::kF32, isa, 2);
        batch.rows = {{sequence.view(), 256, 600}, {sequence.view(), 256, 400}};
        expect_same(rest, batch.run(DType::kF32, isa, 2), "without the first block");
      });
}

TEST(Attention, ExpOverTheWholeRange) {
  // Two keys with scores 0 and x < 0, values 0 and 1: the output is p / (1 + p) with p = exp(x).
  const Shape shape = {1, 1, 8, 8};
  test::for_each_isa(
      [&](Isa isa) { return *find_attention(DType::kF32, isa); },
      [&](Isa isa) {
        Sequence sequence(shape, DType::kF32, 2, 1, isa);
        Batch batch(shape, {{sequence.view(), 0, 2}}, 1);
        std::fill(batch.q.begin(), batch.q.end(), 0.0F);
        batch.q[0] = std::sqrt(8.0F);  // the scale is its inverse, nearly: the score is worked out below
        const std::vector<float> zeros(8, 0.0F), ones(8, 1.0F);
        find_attention(DType::kF32, isa)->store({sequence.view(), 0, zeros.data(), zeros.data()});
        double worst = 0;
        for (float x = -110.0F; x < 0.0F; x += 0.00917F) {
          std::vector<float> key(8, 0.0F);
          key[0] = x;
          find_attention(DType::kF32, isa)->store({sequence.view(), 1, key.data(), ones.data()});
          const float got = batch.run(DType::kF32, isa, 1)[0];
          const float score = batch.q[0] * x * batch.scale();
          const double p = std::exp(double{score}), want = p / (1 + p);
          const double slack = std::numeric_limits<float>::denorm_min();
          worst = std::max(worst, (std::abs(got - want) - slack) / want);
        }
        // exp; then the sum 1 + p and the quotient round once each.
        const double bound = 2.4e-7 + 2 * 0x1p-24;
        std::printf("%s: relative error %.3e, bound %.3e\n", find_attention(DType::kF32, isa)->name, worst,
                    bound);
        EXPECT_LE(worst, bound);
      });
}

TEST(Attention, VectorLevelsAgreeBitByBit) {
  if (cpu_info().best < Isa::kAvx512) GTEST_SKIP() << "this machine has one vector level only";
  const uint32_t seed = test::kernel_seed();
  for (DType type : kTypes) {
    for (const Shape& shape : kShapes) {
      Sequence sequence(shape, type, 600, seed, Isa::kAvx2);
      const Batch batch(shape, causal_rows(sequence, 10), seed);
      expect_same(batch.run(type, Isa::kAvx512, 10), batch.run(type, Isa::kAvx2, 10), shape.text());
    }
  }
}

TEST(Attention, OtherTypesAreNotOffered) {
  EXPECT_EQ(find_attention(DType::kBF16, Isa::kRef), nullptr);
  EXPECT_EQ(find_attention(DType::kQ8_0, Isa::kAvx512), nullptr);
}

}  // namespace
}  // namespace brisk::kernels
