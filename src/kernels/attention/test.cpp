// Attention. The reference is judged by double arithmetic, every other level by the bits of the reference;
// the row law and the independence from unseen keys are judged by bits too.
#include "support/attention_sequences.hpp"

namespace brisk::kernels {
namespace {

using namespace test_attention;

constexpr int64_t kTokenCounts[] = {1,  2,   15,  16,  17,  31,  32,  33,  63, 64,
                                    65, 129, 255, 256, 257, 300, 511, 513, 600};

/// The masks of one batch of rows; they live as long as the rows.
using Masks = std::vector<std::unique_ptr<Bits>>;

/// Gives each row a mask, of another kind in turn: a random half, a whole prefix with a tree's few after it,
/// single blocks, a list of single keys, everything, the last key alone; and no mask.
Masks mask_rows(std::vector<AttentionRow>& rows, uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  Masks masks;
  for (size_t r = 0; r < rows.size(); ++r) {
    AttentionRow& row = rows[r];
    if (r % 7 == 6) continue;
    Bits& bits = *masks.emplace_back(std::make_unique<Bits>(row.last));
    row.mask = bits.data();
    bits.set(row.last - 1);
    switch (r % 7) {
      case 0:
        for (int64_t j = 0; j < row.last; ++j) {
          if (random() % 2 == 0) bits.set(j);
        }
        break;
      case 1:
        bits.set(0, row.last * 3 / 4);
        for (int64_t j = row.last * 3 / 4; j < row.last; ++j) {
          if (random() % 3 == 0) bits.set(j);
        }
        break;
      case 2:
        for (int64_t j = 32 * below(3); j < row.last; j += 32 * (2 + below(9))) {
          bits.set(j, std::min(j + 32, row.last));
        }
        break;
      case 3:
        for (int i = 0; i < 5; ++i) bits.set(below(row.last));
        break;
      case 4: bits.set(0, row.last); break;
      default: break;
    }
  }
  return masks;
}

/// Rows of all kinds over one sequence: causal, windows, single keys, ranges that begin all over the blocks.
std::vector<AttentionRow> mixed_rows(const Sequence& sequence) {
  auto rows = causal_rows(sequence, 9);
  for (const auto& row : causal_rows(sequence, 5, 37)) rows.push_back(row);
  for (const int64_t first : {3, 250, 64, 260, 130}) {
    if (first + 40 < sequence.tokens()) rows.push_back({sequence.heads(), first, first + 40});
  }
  return rows;
}

void expect_definition(const Batch& batch, const Sequence& sequence, double& worst) {
  const auto out = batch.run(Isa::kRef, 8);
  for (int64_t row = 0; row < batch.count(); ++row) {
    for (int64_t h = 0; h < batch.shape.heads; ++h) {
      const Exact exact = exact_attention(sequence, batch.rows[static_cast<size_t>(row)], batch.query(row, h),
                                          batch.kv_head(h), batch.scale());
      for (int64_t d = 0; d < batch.shape.v_dim; ++d) {
        const double bound = (2 * exact.score_error + sum_error(exact.seen)) * exact.magnitude[d] + 1e-30;
        const double error = std::abs(out[row * batch.out_stride + h * batch.shape.v_dim + d] - exact.out[d]);
        worst = std::max(worst, error / bound);
        ASSERT_LE(error, bound) << "row " << row << ", head " << h;
      }
    }
  }
}

/// Shifts of a ragged sequence: each head has lost `step` positions more than the one before.
std::vector<int32_t> shifts_of(const Shape& shape, int32_t step) {
  std::vector<int32_t> shifts(static_cast<size_t>(shape.kv_heads));
  for (size_t h = 0; h < shifts.size(); ++h) shifts[h] = -step * static_cast<int32_t>(h) - 5;
  return shifts;
}

TEST(Attention, ReferenceFollowsTheDefinition) {
  const uint32_t seed = test::kernel_seed();
  double worst = 0;
  for_each_shape(kShapes, [&](DType type, const Shape& shape) {
    for (const int64_t tokens : {1, 17, 256, 300}) {
      const Sequence sequence(shape, type, tokens, seed, Isa::kRef);
      Batch batch(sequence, shape, causal_rows(sequence, 3, 280), seed + 1);
      expect_definition(batch, sequence, worst);
      const Masks masks = mask_rows(batch.rows, seed);
      expect_definition(batch, sequence, worst);
    }
    const Sequence ragged(shape, type, 300, seed, Isa::kRef, shifts_of(shape, 45));
    expect_definition(Batch(ragged, shape, causal_rows(ragged, 3), seed + 1), ragged, worst);
  });
  std::printf("greatest error: %.3f of its bound\n", worst);
}

TEST(Attention, EveryLevelHasTheBitsOfTheReference) {
  const uint32_t seed = test::kernel_seed();
  for_each_shape(kShapes, [&](DType type, const Shape& shape) {
    for (const int64_t tokens : kTokenCounts) {
      const Sequence sequence(shape, type, tokens, seed + static_cast<uint32_t>(tokens), Isa::kRef);
      const Batch batch(sequence, shape, causal_rows(sequence, 2), seed + 1);
      expect_levels_agree(batch, 8, std::to_string(tokens) + " tokens");
    }
  });
}

TEST(Attention, NothingIsWrittenBetweenRows) {
  for_each_variant(kShapes, [&](DType type, Isa isa, const Shape& shape) {
    const Sequence sequence(shape, type, 9, 1, isa);
    const Batch batch(sequence, shape, causal_rows(sequence, 3), 1);
    const auto out = batch.run(isa, 8);
    for (size_t i = 0; i < out.size(); ++i) {
      const bool between = static_cast<int64_t>(i) % batch.out_stride >= shape.heads * shape.v_dim;
      ASSERT_EQ(out[i] == kUntouched, between) << "element " << i;
    }
  });
}

TEST(Attention, MasksHaveTheBitsOfTheReference) {
  const uint32_t seed = test::kernel_seed();
  for_each_shape(kShapes, [&](DType type, const Shape& shape) {
    for (const int64_t tokens : {1, 40, 64, 257, 530}) {
      const Sequence sequence(shape, type, tokens, seed, Isa::kRef);
      Batch batch(sequence, shape, mixed_rows(sequence), seed + 1);
      const Masks masks = mask_rows(batch.rows, seed + 2);
      expect_levels_agree(batch, 32, std::to_string(tokens) + " tokens");
    }
  });
}

TEST(Attention, RaggedHeadsHaveTheBitsOfTheReference) {
  const uint32_t seed = test::kernel_seed();
  for_each_shape(kShapes, [&](DType type, const Shape& shape) {
    const Sequence sequence(shape, type, 470, seed, Isa::kRef, shifts_of(shape, 97));
    const Batch batch(sequence, shape, causal_rows(sequence, 7), seed + 1);
    expect_levels_agree(batch, 8, "ragged");
  });
}

TEST(Attention, AShiftIsASequenceThatBeginsLater) {
  const uint32_t seed = test::kernel_seed();
  const Shape shapes[] = {{3, 1, 64, 64}, {2, 1, 32, 96}};
  for_each_variant(shapes, [&](DType type, Isa isa, const Shape& shape) {
    const Sequence shifted(shape, type, 470, seed, isa, shifts_of(shape, 0));
    const Sequence later(shape, type, 465, seed + 1, isa);
    for (int64_t entry = 0; entry < 465; ++entry) {
      copy_entry(later.geometry(), shifted.heads()[0], entry, later.heads()[0], entry);
    }
    const Batch want(later, shape, causal_rows(later, 19), seed),
        got(shifted, shape, causal_rows(shifted, 19), seed);
    expect_same(got.run(isa, 8), want.run(isa, 8), "shifted by five");
  });
}

TEST(Attention, AMaskOfARangeIsTheRange) {
  const uint32_t seed = test::kernel_seed();
  const Shape shapes[] = {kShapes[0], kShapes[2], kShapes[6]};
  for_each_variant(shapes, [&](DType type, Isa isa, const Shape& shape) {
    const Sequence sequence(shape, type, 600, seed, isa);
    Batch batch(sequence, shape, mixed_rows(sequence), seed + 1);
    const auto want = batch.run(isa, 8);
    Masks masks;
    for (AttentionRow& row : batch.rows) {
      masks.push_back(std::make_unique<Bits>(600));
      masks.back()->set(row.first, row.last);
      row = {row.heads, 0, 600, masks.back()->data()};
    }
    expect_same(batch.run(isa, 8), want, "masked");
    for (AttentionRow& row : batch.rows) row = {row.heads, 0, row.last, row.mask};
    expect_same(batch.run(isa, 1), want, "masked and ended");
  });
}

TEST(Attention, BlocksWithoutABitAreNotRead) {
  const uint32_t seed = test::kernel_seed();
  const Shape shapes[] = {{6, 1, 64, 64}, {2, 1, 32, 96}};
  for_each_variant(shapes, [&](DType type, Isa isa, const Shape& shape) {
    Sequence sequence(shape, type, 1500, seed, isa);
    Bits bits(1500);
    bits.set(70, 80);
    bits.set(1024, 1100);
    bits.set(1499);
    Batch batch(sequence, shape,
                {{sequence.heads(), 0, 1500, bits.data()}, {sequence.heads(), 9, 1500, bits.data()}}, seed);
    const auto want = batch.run(Isa::kRef, 2);
    for (int64_t page = 256 / 32; page < 1024 / 32; ++page) sequence.unmap(page);
    expect_same(batch.run(isa, 2), want, "with holes");
  });
}

TEST(Attention, StoredBytesAreTheSameOnEveryLevel) {
  const uint32_t seed = test::kernel_seed();
  for_each_variant(kShapes, [&](DType type, Isa isa, const Shape& shape) {
    Sequence want(shape, type, 77, seed, Isa::kRef), got(shape, type, 77, seed, isa);
    std::vector<float> hard(static_cast<size_t>(shape.kv_heads * std::max(shape.k_dim, shape.v_dim)));
    for (size_t i = 0; i < hard.size(); ++i) hard[i] = test::kHardValues[i % std::size(test::kHardValues)];
    for (Sequence* sequence : {&want, &got}) sequence->store(40, hard.data(), hard.data());
    ASSERT_TRUE(std::ranges::equal(got.bytes(), want.bytes()));
  });
}

/// Value `i` of a row of blocks of the type.
float decoded(DType type, const std::byte* row, int64_t i) {
  const auto info = dtype_info(type);
  std::vector<float> block(static_cast<size_t>(info.block_values));
  quant::find_format(type)->decode(row + i / info.block_values * info.block_bytes, info.block_values,
                                   block.data());
  return block[static_cast<size_t>(i % info.block_values)];
}

/// Dimension d of a key, by the words of attention.hpp: `tile` holds it in `lane`.
float key_by_the_book(DType type, const std::byte* tile, int64_t lane, int64_t d) {
  switch (type) {
    case DType::kF32: return decoded(type, tile + (d * 16 + lane) * 4, 0);
    case DType::kF16:
    case DType::kBF16: return decoded(type, tile + (d * 16 + lane) * 2, 0);
    default: break;
  }
  const int64_t code_rows = type == DType::kQ8_0 ? 32 : 16;
  const std::byte* block = tile + d / 32 * (32 + code_rows * 16);
  const float scale = decoded(DType::kF16, block + lane * 2, 0);
  const std::byte* codes = block + 32;
  if (type == DType::kQ8_0) return scale * static_cast<float>(static_cast<int8_t>(codes[d % 32 * 16 + lane]));
  const int byte = std::to_integer<int>(codes[d % 16 * 16 + lane]);
  return scale * static_cast<float>((d % 32 < 16 ? byte & 15 : byte >> 4) - 8);
}

TEST(Attention, LayoutIsTheDocumentedOne) {
  for (const DType type : kTypes) {
    for (const Shape& shape : {Shape{2, 2, 64, 32}, Shape{2, 2, 32, 96}}) {
      const Sequence sequence(shape, type, 70, 5, Isa::kRef);
      const KvGeometry& g = sequence.geometry();
      const DTypeInfo& info = dtype_info(type);
      const int64_t key_row = g.k_dim / info.block_values * info.block_bytes;
      const int64_t value_row = g.v_dim / info.block_values * info.block_bytes;
      EXPECT_EQ(g.value_offset(), 32 * key_row);
      EXPECT_EQ(g.page_bytes(), (32 * (key_row + value_row) + 63) / 64 * 64);
      for (const int64_t t : {0, 15, 16, 31, 32, 69}) {
        for (const int64_t h : {0, 1}) {
          const KvHead& head = sequence.heads()[h];
          const std::byte* page = head.base + head.pages[t / 32] * g.page_bytes();
          for (int64_t d = 0; d < g.k_dim; ++d) {
            ASSERT_EQ(key_by_the_book(type, page + t % 32 / 16 * 16 * key_row, t % 16, d),
                      sequence.key(t, h)[d]);
          }
          for (int64_t d = 0; d < g.v_dim; ++d) {
            ASSERT_EQ(decoded(type, page + g.value_offset() + t % 32 * value_row, d),
                      sequence.value(t, h)[d]);
          }
        }
      }
    }
  }
}

TEST(Attention, EntriesCanBeReadAndCopied) {
  const uint32_t seed = test::kernel_seed();
  for_each_shape(kShapes, [&](DType type, const Shape& shape) {
    const Sequence from(shape, type, 70, seed, Isa::kRef);
    Sequence to(shape, type, 50, seed + 1, Isa::kRef);
    const int64_t last = shape.kv_heads - 1;
    copy_entry(from.geometry(), from.heads()[last], 69, to.heads()[0], 17);
    GuardedBuffer<float> k(static_cast<size_t>(shape.k_dim)), v(static_cast<size_t>(shape.v_dim));
    for (int64_t t = 0; t < 50; ++t) {
      for (int64_t h = 0; h < shape.kv_heads; ++h) {
        const bool copied = t == 17 && h == 0;
        const float* key = copied ? from.key(69, last) : to.key(t, h);
        const float* value = copied ? from.value(69, last) : to.value(t, h);
        read_entry(to.geometry(), to.heads()[h], t, k.data(), v.data());
        ASSERT_TRUE(std::equal(k.begin(), k.end(), key)) << "key of " << t;
        ASSERT_TRUE(std::equal(v.begin(), v.end(), value)) << "value of " << t;
      }
    }
    k[0] = v[0] = kUntouched;
    read_entry(to.geometry(), to.heads()[0], 3, k.data(), nullptr);
    EXPECT_EQ(k[0], to.key(3, 0)[0]);
    EXPECT_EQ(v[0], kUntouched);
    read_entry(to.geometry(), to.heads()[0], 3, nullptr, v.data());
    EXPECT_EQ(v[0], to.value(3, 0)[0]);
  });
}

TEST(Attention, QuantisedIsF32OverWhatTheTypeDecodesTo) {
  const uint32_t seed = test::kernel_seed();
  for_each_variant(kShapes, [&](DType type, Isa isa, const Shape& shape) {
    const Sequence stored(shape, type, 300, seed, isa);
    Sequence plain(shape, DType::kF32, 300, seed, isa);
    for (int64_t t = 0; t < 300; ++t) plain.store(t, stored.key(t, 0), stored.value(t, 0));
    Batch batch(stored, shape, mixed_rows(stored), seed), same(plain, shape, mixed_rows(plain), seed);
    expect_same(batch.run(isa, 9), same.run(isa, 9), "against f32");
    const Masks masks = mask_rows(batch.rows, seed), others = mask_rows(same.rows, seed);
    expect_same(batch.run(isa, 9), same.run(isa, 9), "against f32, masked");
  });
}

TEST(Attention, RowLaw) {
  const uint32_t seed = test::kernel_seed();
  for_each_variant(kShapes, [&](DType type, Isa isa, const Shape& shape) {
    if (isa == Isa::kRef && shape.heads * shape.k_dim > 200) return;  // slow, and loops row by row by nature
    // Rows of three sequences: a prompt, a window over the next, single rows of a third among them.
    const Sequence a(shape, type, 530, seed, isa), b(shape, type, 300, seed + 1, isa),
        c(shape, type, 97, seed + 2, isa);
    auto rows = causal_rows(a, 21);
    for (const auto& row : causal_rows(b, 14, 37)) rows.push_back(row);
    for (const int64_t last : {97, 1, 40}) rows.push_back({c.heads(), 0, last});
    rows.push_back({a.heads(), 255, 257});
    rows.push_back({a.heads(), 100, 101});
    // Windows that begin all over the blocks: a block must begin where the law says, not where a row does.
    for (const int64_t first : {3, 250, 64, 260, 100, 130, 299})
      rows.push_back({a.heads(), first, first + 230});
    Batch batch(a, shape, rows, seed + 3);
    const auto expect_law = [&] {
      const auto alone = batch.run(isa, 1);
      for (const int64_t size : {2, 3, 8, 33, 47}) {
        expect_same(batch.run(isa, size), alone, "batches of " + std::to_string(size));
      }
      expect_same(batch.run(isa, 33, 1), alone, "item by item");
      expect_same(batch.run(isa, 47, 2), alone, "two items at a time");
    };
    expect_law();
    const Masks masks = mask_rows(batch.rows, seed);
    expect_law();
  });
}

TEST(Attention, UnseenKeysDoNotMatter) {
  const uint32_t seed = test::kernel_seed();
  const Shape shapes[] = {kShapes[0], kShapes[7]};
  for_each_variant(shapes, [&](DType type, Isa isa, const Shape& shape) {
    const bool quantised = dtype_info(type).block_values > 1;
    for (const float poison : {kNan, kInfinity}) {
      if (quantised && poison != kInfinity) continue;  // the encoder makes no scale of not-a-number
      const Sequence clean(shape, type, 320, seed, isa);
      Sequence dirty(shape, type, 320, seed, isa);
      const auto bad = [](int64_t t) { return t < 21 || t >= 303 || (t >= 99 && t < 140 && t % 3 != 0); };
      for (int64_t t = 0; t < 320; ++t) {
        if (bad(t)) dirty.fill(t, poison);
      }
      Bits good(320);
      for (int64_t t = 0; t < 320; ++t) {
        if (!bad(t)) good.set(t);
      }
      // The first rows see no poison, those beside them in the item do; then rows whose mask hides it.
      const auto rows_of = [&](const Sequence& s) {
        std::vector<AttentionRow> rows;
        for (int64_t r = 0; r < 8; ++r) rows.push_back({s.heads(), 140, 296 + r});
        rows.push_back({s.heads(), 0, 320});
        rows.push_back({s.heads(), 256, 303});
        rows.push_back({s.heads(), 302, 303});
        for (int64_t r = 0; r < 3; ++r) rows.push_back({s.heads(), r * 50, 320 - r, good.data()});
        return rows;
      };
      for (const int64_t size : {14, 1}) {
        const auto want = Batch(clean, shape, rows_of(clean), seed + 1).run(isa, size);
        const Batch batch(dirty, shape, rows_of(dirty), seed + 1);
        const auto got = batch.run(isa, size);
        for (size_t i = 0; i < want.size(); ++i) {
          const int64_t row = static_cast<int64_t>(i) / batch.out_stride;
          if (row == 8) {
            ASSERT_TRUE(got[i] == kUntouched || std::isnan(got[i])) << "the row that sees it must show it";
          } else {
            ASSERT_TRUE(test::same_bits(got[i], want[i])) << "row " << row;
          }
        }
      }
    }
  });
}

TEST(Attention, ExtremeScores) {
  const uint32_t seed = test::kernel_seed();
  const Shape shape = {3, 1, 16, 16};
  test::for_each_isa([&](Isa isa) { return *find_attention(DType::kF32, isa); },
                     [&](Isa isa) {
                       Sequence sequence(shape, DType::kF32, 600, seed, isa);
                       // A key far above all others in the second block: what came before is scaled to
                       // nothing.
                       const std::vector<float> key(16, 100.0F), value(16, 3.25F);
                       sequence.store(400, key.data(), value.data());
                       Batch batch(sequence, shape, {{sequence.heads(), 0, 600}, {sequence.heads(), 0, 400}},
                                   seed);
                       std::fill(batch.q.begin(), batch.q.end(), 10.0F);
                       const auto out = batch.run(isa, 2);
                       for (int64_t i = 0; i < 48; ++i) EXPECT_EQ(out[i], 3.25F);
                       // Zero queries: the plain mean. Huge queries: still finite.
                       std::fill(batch.q.begin(), batch.q.end(), 0.0F);
                       const auto mean = batch.run(isa, 2);
                       double want = 0;
                       for (int64_t t = 0; t < 400; ++t) want += sequence.value(t, 0)[5] / 400.0;
                       EXPECT_NEAR(mean[batch.out_stride + 5], want, 1e-6);
                       std::fill(batch.q.begin(), batch.q.end(), 1e18F);
                       for (const float x : batch.run(isa, 2)) EXPECT_TRUE(std::isfinite(x));
                       // A whole first block that nothing can be seen of: all its scores are -inf, and it
                       // leaves no trace.
                       const std::vector<float> far(16, -kInfinity);
                       std::fill(batch.q.begin(), batch.q.end(), 1.0F);
                       for (int64_t t = 0; t < 256; ++t) sequence.store(t, far.data(), value.data());
                       const auto rest = batch.run(isa, 2);
                       batch.rows = {{sequence.heads(), 256, 600}, {sequence.heads(), 256, 400}};
                       expect_same(rest, batch.run(isa, 2), "without the first block");
                     });
}

TEST(Attention, ExpOverTheWholeRange) {
  // Two keys with scores 0 and x < 0, values 0 and 1: the output is p / (1 + p) with p = exp(x).
  const Shape shape = {1, 1, 8, 8};
  test::for_each_isa(
      [&](Isa isa) { return *find_attention(DType::kF32, isa); },
      [&](Isa isa) {
        Sequence sequence(shape, DType::kF32, 2, 1, isa);
        Batch batch(sequence, shape, {{sequence.heads(), 0, 2}}, 1);
        std::fill(batch.q.begin(), batch.q.end(), 0.0F);
        batch.q[0] = std::sqrt(8.0F);  // the scale is its inverse, nearly: the score is worked out below
        sequence.fill(0, 0.0F);
        const std::vector<float> ones(8, 1.0F);
        double worst = 0;
        for (float x = -110.0F; x < 0.0F; x += 0.00917F) {
          std::vector<float> key(8, 0.0F);
          key[0] = x;
          sequence.store(1, key.data(), ones.data());
          const float got = batch.run(isa, 1)[0];
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

// ---- probe ----

/// The probe of a batch in double arithmetic, and the greatest relative error that its numbers may have.
struct ExactProbe {
  std::vector<double> log_sums, key_scores;
  double score_error = 0;
};
ExactProbe exact_probe(const Batch& batch, const Sequence& sequence, KeyScore how) {
  ExactProbe out;
  out.key_scores.resize(static_cast<size_t>(batch.shape.kv_heads * sequence.tokens()));
  for (int64_t row = 0; row < batch.count(); ++row) {
    for (int64_t h = 0; h < batch.shape.heads; ++h) {
      const AttentionRow& asking = batch.rows[static_cast<size_t>(row)];
      const int64_t kv_head = batch.kv_head(h);
      const Exact exact = exact_attention(sequence, asking, batch.query(row, h), kv_head, batch.scale());
      out.log_sums.push_back(exact.log_sum);
      out.score_error = std::max(out.score_error, exact.score_error);
      for (int64_t j = 0; j < asking.last; ++j) {
        const int64_t entry = j + asking.heads[kv_head].shift;
        if (entry < 0) continue;
        double& x = out.key_scores[static_cast<size_t>(kv_head * sequence.tokens() + entry)];
        x = how == KeyScore::kSum ? x + exact.probability[j] : std::max(x, exact.probability[j]);
      }
    }
  }
  return out;
}

/// The reference's probe lies within its bounds; returns the greatest share of a bound that was needed.
double expect_probe(const Batch& batch, const Sequence& sequence, KeyScore how) {
  const ExactProbe want = exact_probe(batch, sequence, how);
  const Probed got = batch.probe(Isa::kRef, how, sequence.tokens());
  double worst = 0, largest = 0;
  for (size_t i = 0; i < want.log_sums.size(); ++i) {
    // The greatest score, the sum's relative error, the logarithm's and the addition's rounding.
    const double rounding = 0x1p-23 * (std::abs(want.log_sums[i]) + std::log(sequence.tokens()));
    const double bound = want.score_error + sum_error(sequence.tokens()) + rounding;
    largest = std::max(largest, std::abs(want.log_sums[i]));
    const double error = std::abs(got.log_sums[i] - want.log_sums[i]);
    worst = std::max(worst, error / bound);
    EXPECT_LE(error, bound) << "log-sum-exp " << i;
  }
  // exp(score - log-sum-exp): the errors of both in the exponent, exp's own, the additions. A probability
  // that counts has a score near the log-sum-exp; of others, below 2^-60, nothing is asked but that.
  const double additions = static_cast<double>(batch.count() * batch.shape.heads / batch.shape.kv_heads);
  const double relative =
      2 * want.score_error + sum_error(sequence.tokens()) + 0x1p-23 * (largest + 42) + additions * 0x1p-24;
  for (size_t i = 0; i < want.key_scores.size(); ++i) {
    const double bound = relative * want.key_scores[i] + 0x1p-60;
    const double error = std::abs(got.key_scores[i] - want.key_scores[i]);
    worst = std::max(worst, error / bound);
    EXPECT_LE(error, bound) << "entry " << i;
  }
  return worst;
}

TEST(AttentionProbe, ReferenceFollowsTheDefinition) {
  const uint32_t seed = test::kernel_seed();
  double worst = 0;
  for_each_shape(kShapes, [&](DType type, const Shape& shape) {
    if (shape.k_dim > 128) return;
    const Sequence sequence(shape, type, 300, seed, Isa::kRef);
    const Sequence ragged(shape, type, 300, seed, Isa::kRef, shifts_of(shape, 77));
    Batch batch(sequence, shape, causal_rows(sequence, 7, 280), seed + 1);
    const Batch shifted(ragged, shape, causal_rows(ragged, 5), seed);
    for (const KeyScore how : {KeyScore::kMaximum, KeyScore::kSum}) {
      worst = std::max(worst, expect_probe(batch, sequence, how));
      worst = std::max(worst, expect_probe(shifted, ragged, how));
    }
    const Masks masks = mask_rows(batch.rows, seed);
    for (const KeyScore how : {KeyScore::kMaximum, KeyScore::kSum}) {
      worst = std::max(worst, expect_probe(batch, sequence, how));
    }
  });
  std::printf("greatest error: %.3f of its bound\n", worst);
}

void expect_probes_agree(const Batch& batch, int64_t tokens) {
  for (const KeyScore how : {KeyScore::kMaximum, KeyScore::kSum}) {
    const Probed want = batch.probe(Isa::kRef, how, tokens);
    for_each_vector_level(batch.geometry.type, [&](Isa isa) {
      const Probed got = batch.probe(isa, how, tokens);
      expect_same(got.log_sums, want.log_sums, "log-sum-exp");
      expect_same(got.key_scores, want.key_scores, "key scores");
    });
  }
}

TEST(AttentionProbe, EveryLevelHasTheBitsOfTheReference) {
  const uint32_t seed = test::kernel_seed();
  for_each_shape(kShapes, [&](DType type, const Shape& shape) {
    if (shape.k_dim > 128) return;
    for (const int64_t tokens : {1, 33, 256, 300}) {
      const Sequence sequence(shape, type, tokens, seed, Isa::kRef);
      Batch batch(sequence, shape, mixed_rows(sequence), seed + 1);
      expect_probes_agree(batch, tokens);
      const Masks masks = mask_rows(batch.rows, seed);
      expect_probes_agree(batch, tokens);
    }
    const Sequence ragged(shape, type, 300, seed, Isa::kRef, shifts_of(shape, 60));
    expect_probes_agree(Batch(ragged, shape, causal_rows(ragged, 19), seed), 300);
  });
}

TEST(AttentionProbe, LogSumsAloneAndUnseenEntries) {
  const uint32_t seed = test::kernel_seed();
  const Shape shapes[] = {kShapes[0]};
  for_each_variant(shapes, [&](DType type, Isa isa, const Shape& shape) {
    Sequence sequence(shape, type, 300, seed, isa);
    Batch batch(sequence, shape, {{sequence.heads(), 40, 270}, {sequence.heads(), 50, 280}}, seed);
    const Probed clean = batch.probe(isa, KeyScore::kSum, 300);
    for (int64_t h = 0; h < shape.kv_heads; ++h) {
      double sum = 0;
      for (int64_t j = 0; j < 300; ++j) {
        const float x = clean.key_scores[static_cast<size_t>(h * 300 + j)];
        EXPECT_EQ(x > 0, j >= 40 && j < 280) << "entry " << j;
        sum += x;
      }
      EXPECT_NEAR(sum, 2.0 * 3, 1e-4) << "each row gives a one for each head";
    }
    for (const int64_t t : {0, 39, 280, 299}) sequence.fill(t, kInfinity);
    expect_same(batch.probe(isa, KeyScore::kSum, 300).key_scores, clean.key_scores, "beside poison");
    std::vector<float> log_sums(clean.log_sums.size());
    GuardedBuffer<float> work = batch.scratch();
    for (int64_t h = 0; h < shape.kv_heads; ++h) {
      find_attention(type, isa)->probe({&batch.geometry, batch.q.data(), batch.q_stride, batch.rows.data(), 2,
                                        shape.heads, batch.scale(), log_sums.data(), KeyScore::kSum, nullptr,
                                        0, h, work.data()});
    }
    expect_same(log_sums, clean.log_sums, "without key scores");
  });
}

TEST(Attention, OtherTypesAreNotOffered) {
  EXPECT_EQ(find_attention(DType::kQ4_1, Isa::kRef), nullptr);
  EXPECT_EQ(find_attention(DType::kI8, Isa::kAvx512), nullptr);
}

}  // namespace
}  // namespace brisk::kernels
