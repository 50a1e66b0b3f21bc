// Rows that take their own way through the network: early exits, streams, drops, masks, taps, probes. What is
// expected is computed another way by the same engine, which the parity tests hold against other programs.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "runtime/engine.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

constexpr int32_t kLayers = 4;
constexpr int32_t kHead = kLayers + 1;  // segments: embedding, layers, head

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

class RowPathsTest : public testing::Test {
 protected:
  void SetUp() override {
    test::TinyLlama tiny;
    tiny.layers = kLayers;
    auto model = tiny.load({}, *pool_);
    ASSERT_TRUE(model.ok()) << model.status().message();
    model_ = std::move(model).value();
    engine_ = std::move(Engine::create(model_, *pool_, 512)).value();
    vocabulary_ = static_cast<size_t>(model_->config().vocabulary);
    width_ = static_cast<size_t>(model_->config().width);
    for (int32_t i = 0; i < 12; ++i) prompt_.push_back((7 * i + 3) % 200);
  }

  std::vector<Row> rows_of(SequenceId sequence, std::span<const int32_t> tokens, bool logits = true) const {
    std::vector<Row> rows;
    for (const int32_t token : tokens) rows.push_back({token, sequence, logits});
    return rows;
  }
  std::vector<float> step(std::span<const Row> rows) {
    const auto logits = engine_->step(rows);
    EXPECT_TRUE(logits.ok()) << logits.status().message();
    return logits.ok() ? copy(*logits) : std::vector<float>();
  }
  std::span<const float> row(const std::vector<float>& logits, size_t index) const {
    return std::span(logits).subspan(index * vocabulary_, vocabulary_);
  }
  /// The values [rows, width] at a named point in a plain run of the prompt.
  std::vector<float> values_at(const std::string& name) {
    std::vector<float> values;
    const Status set =
        engine_->set_taps({{name, [&](const graph::TapView& view) {
                              values.assign(view.data, view.data + view.row_count * view.width);
                            }}});
    EXPECT_TRUE(set.ok()) << set.message();
    const SequenceId sequence = *engine_->kv().create_sequence();
    step(rows_of(sequence, prompt_));
    engine_->kv().free_sequence(sequence);
    EXPECT_TRUE(engine_->set_taps({}).ok());
    return values;
  }
  std::vector<uint8_t> skip_layers(std::initializer_list<int32_t> layers) const {
    std::vector<uint8_t> skip(kHead + 1, 0);
    for (const int32_t layer : layers) skip[static_cast<size_t>(layer + 1)] = 1;
    return skip;
  }

  std::unique_ptr<ThreadPool> pool_ = test::make_pool(2);
  std::shared_ptr<Model> model_;
  std::unique_ptr<Engine> engine_;
  std::vector<int32_t> prompt_;
  size_t vocabulary_ = 0, width_ = 0;
};

TEST_F(RowPathsTest, AnEarlyExitIsTheHeadOfThatLayersStream) {
  for (int32_t layer = 0; layer < kLayers; ++layer) {
    const std::vector<float> stream = values_at("layer." + std::to_string(layer) + ".residual");
    ASSERT_EQ(stream.size(), prompt_.size() * width_);
    const std::vector<uint8_t> all = skip_layers({0, 1, 2, 3});

    // The captured stream enters as an embedding and goes straight to the head.
    std::vector<Row> given;
    for (size_t i = 0; i < prompt_.size(); ++i) {
      given.push_back(
          {.token = 0, .logits = true, .embedding = stream.data() + i * width_, .skip = all.data()});
    }
    const std::vector<float> expected = step(given);

    // The same as exits of rows that go on.
    const SequenceId sequence = *engine_->kv().create_sequence();
    std::vector<Row> rows = rows_of(sequence, prompt_, false);
    for (size_t i = 0; i < prompt_.size(); ++i) {
      rows.push_back({.token = prompt_[i],
                      .logits = true,
                      .source = static_cast<int32_t>(i),
                      .from = layer + 2,
                      .skip = all.data()});
    }
    if (layer + 2 > kLayers) {
      for (Row& exit : rows) exit.from = exit.source >= 0 ? kHead : 0;
    }
    EXPECT_EQ(step(rows), expected) << "after layer " << layer;
    EXPECT_EQ(engine_->kv().length(sequence), static_cast<int64_t>(prompt_.size()));
    engine_->kv().free_sequence(sequence);
  }
}

TEST_F(RowPathsTest, AStreamWithItsOwnStateThatPassesNothingByIsTheModel) {
  for (int32_t from = 1; from <= kLayers; ++from) {
    KvGroup group = model_->kv_groups()[0];
    std::erase_if(group.layers, [&](int32_t layer) { return layer + 1 < from; });
    group.name = "upper";
    const GroupId id = *engine_->kv().add_group(group, 64);
    const SequenceId own = *engine_->kv().create_sequence();
    const SequenceId other = *engine_->kv().create_sequence(std::vector{id});
    for (size_t begin = 0; begin < prompt_.size(); begin += 5) {
      const auto part = std::span(prompt_).subspan(begin, std::min<size_t>(5, prompt_.size() - begin));
      std::vector<Row> rows = rows_of(own, part);
      for (size_t i = 0; i < part.size(); ++i) {
        rows.push_back({.token = part[i],
                        .sequence = other,
                        .logits = true,
                        .source = static_cast<int32_t>(i),
                        .from = from});
      }
      const std::vector<float> both = step(rows);
      const size_t half = part.size() * vocabulary_;
      EXPECT_EQ(std::vector(both.begin(), both.begin() + static_cast<std::ptrdiff_t>(half)),
                std::vector(both.begin() + static_cast<std::ptrdiff_t>(half), both.end()));
    }
    engine_->kv().free_sequence(own);
    engine_->kv().free_sequence(other);
    engine_->kv().remove_group(id);
  }
}

TEST_F(RowPathsTest, NeighboursOnOtherWaysChangeNothing) {
  const SequenceId alone = *engine_->kv().create_sequence();
  const std::vector<float> expected = step(rows_of(alone, prompt_));
  const std::vector<uint8_t> odd = skip_layers({1, 3}), all = skip_layers({0, 1, 2, 3});

  // A sequence that passes layers by stands in front, so that nobody is in place; one row is dropped.
  const SequenceId shallow = *engine_->kv().create_sequence();
  const SequenceId own = *engine_->kv().create_sequence();
  std::vector<Row> rows = rows_of(shallow, prompt_, false);
  for (Row& r : rows) r.skip = odd.data();
  rows.back().until = 3;
  std::vector<Row> plain = rows_of(own, prompt_);
  rows.insert(rows.end(), plain.begin(), plain.end());
  rows.push_back({.token = 5, .logits = true, .skip = all.data()});
  const std::vector<float> logits = step(rows);
  EXPECT_EQ(std::vector(logits.begin(), logits.end() - static_cast<std::ptrdiff_t>(vocabulary_)), expected);
}

TEST_F(RowPathsTest, RowsThatAreNotStoredLeaveNoTrace) {
  const SequenceId a = *engine_->kv().create_sequence();
  const SequenceId b = *engine_->kv().create_sequence();
  step(rows_of(a, prompt_));
  step(rows_of(b, prompt_));
  std::vector<Row> drafts = rows_of(a, std::vector<int32_t>{9, 8, 7});
  for (Row& draft : drafts) draft.store = false;
  const std::vector<float> first = step(drafts);
  EXPECT_EQ(engine_->kv().length(a), static_cast<int64_t>(prompt_.size()));
  EXPECT_EQ(step(drafts), first);
  const std::vector<Row> next_a = rows_of(a, std::vector<int32_t>{42}), next_b = rows_of(b, std::vector{42});
  EXPECT_EQ(step(next_a), step(next_b));
  std::vector<Row> mixed = rows_of(a, std::vector<int32_t>{1, 2});
  mixed[0].store = false;
  EXPECT_EQ(engine_->step(mixed).status().code(), StatusCode::kUsage);
}

TEST_F(RowPathsTest, ForksShareTheirPastAndNothingElse) {
  const SequenceId trunk = *engine_->kv().create_sequence();
  step(rows_of(trunk, prompt_));
  std::vector<Row> rows;
  std::vector<SequenceId> forks;
  for (int32_t i = 0; i < 3; ++i) {
    forks.push_back(*engine_->kv().fork(trunk));
    rows.push_back({50 + i, forks.back(), true});
  }
  const std::vector<float> together = step(rows);
  for (int32_t i = 0; i < 3; ++i) {
    const SequenceId alone = *engine_->kv().create_sequence();
    step(rows_of(alone, prompt_));
    const std::vector<float> expected = step(rows_of(alone, std::vector{50 + i}));
    EXPECT_EQ(copy(row(together, static_cast<size_t>(i))), expected);
    engine_->kv().free_sequence(alone);
  }
}

TEST_F(RowPathsTest, MasksAndRangesSayTheSame) {
  const std::vector<uint64_t> low = {0x00000000000000F8ULL};  // positions 3 to 7
  for (const bool masked : {true, false}) {
    const SequenceId sequence = *engine_->kv().create_sequence();
    step(rows_of(sequence, prompt_, false));
    std::vector<Row> rows = rows_of(sequence, std::vector<int32_t>{11});
    if (masked) {
      rows[0].mask = low.data();
    } else {
      rows[0].first = 3;
      rows[0].last = 8;
    }
    static std::vector<float> expected;
    if (masked) {
      expected = step(rows);
    } else {
      EXPECT_EQ(step(rows), expected);
    }
    engine_->kv().free_sequence(sequence);
  }
}

TEST_F(RowPathsTest, ARowMayLookAhead) {
  // Both rows of a block see each other: the first one's numbers must change, the order must not matter.
  const auto run = [&](int32_t last) {
    const SequenceId sequence = *engine_->kv().create_sequence();
    step(rows_of(sequence, prompt_, false));
    std::vector<Row> rows = rows_of(sequence, std::vector<int32_t>{11, 12});
    const int32_t length = static_cast<int32_t>(prompt_.size());
    rows[0].last = last < 0 ? -1 : length + last;
    const std::vector<float> logits = step(rows);
    engine_->kv().free_sequence(sequence);
    return logits;
  };
  const std::vector<float> causal = run(-1), block = run(2);
  EXPECT_NE(copy(row(causal, 0)), copy(row(block, 0)));
  const SequenceId sequence = *engine_->kv().create_sequence();
  std::vector<Row> beyond = rows_of(sequence, std::vector<int32_t>{11, 12});
  beyond[0].last = 3;
  EXPECT_EQ(engine_->step(beyond).status().code(), StatusCode::kUsage);
}

TEST_F(RowPathsTest, ADroppedRowIsNotSeenBehindItsLayer) {
  constexpr int32_t kDropAt = 3;  // segment of layer 2
  constexpr size_t kDropped = 4;  // position
  const std::vector<float> stream = values_at("layer.1.residual");
  const std::vector<uint8_t> lower = skip_layers({0, 1});

  // Expected: the rows that stay enter layer 2 by themselves, at their true positions.
  const SequenceId rest = *engine_->kv().create_sequence();
  std::vector<Row> given;
  for (size_t i = 0; i < prompt_.size(); ++i) {
    if (i == kDropped) continue;
    Row r{.token = 0,
          .sequence = rest,
          .logits = true,
          .embedding = stream.data() + i * width_,
          .skip = lower.data()};
    r.position[0] = static_cast<int32_t>(i);
    given.push_back(r);
  }
  const std::vector<float> expected = step(given);

  const SequenceId sequence = *engine_->kv().create_sequence();
  const std::vector<uint64_t> without = {~(uint64_t{1} << kDropped)};
  const std::vector<graph::SeenFrom> seen = {{kDropAt, without.data()}};
  std::vector<Row> rows = rows_of(sequence, prompt_);
  for (Row& r : rows) r.seen = seen;
  rows[kDropped].until = kDropAt;
  rows[kDropped].logits = false;
  const std::vector<float> logits = step(rows);
  ASSERT_EQ(logits.size(), expected.size());
  double worst = 0;
  for (size_t i = 0; i < logits.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(logits[i]) - expected[i]));
  // The keys stand at other places of the 16 partial sums, so the last bits may differ.
  EXPECT_LT(worst, 2e-4) << "bound of activations rounded to pairs of int8 rows";
  std::printf("worst difference %.2e\n", worst);

  // The dropped row's entries leave the layers that it did not reach; the next token sees the rest.
  for (int64_t layer = kDropAt - 1; layer < kLayers; ++layer) {
    std::vector<std::vector<int32_t>> keep(2);
    for (auto& head : keep) {
      for (int32_t i = 0; i < static_cast<int32_t>(prompt_.size()); ++i) {
        if (i != static_cast<int32_t>(kDropped)) head.push_back(i);
      }
    }
    ASSERT_TRUE(engine_->kv().evict(sequence, layer, keep).ok());
  }
  EXPECT_EQ(engine_->kv().entries(sequence, kLayers - 1, 0), static_cast<int64_t>(prompt_.size()) - 1);
  EXPECT_EQ(step(rows_of(sequence, std::vector<int32_t>{42})).size(), vocabulary_);
}

TEST_F(RowPathsTest, TapsReadAndReplace) {
  // Replacing layer 1's result by layer 0's is passing layer 1 by.
  const std::vector<float> stream = values_at("layer.0.residual");
  const std::vector<uint8_t> one = skip_layers({1});
  const SequenceId a = *engine_->kv().create_sequence();
  std::vector<Row> rows = rows_of(a, prompt_);
  for (Row& r : rows) r.skip = one.data();
  const std::vector<float> expected = step(rows);

  const SequenceId b = *engine_->kv().create_sequence();
  ASSERT_TRUE(engine_
                  ->set_taps({{"layer.1.residual",
                               [&](const graph::TapView& view) {
                                 ASSERT_EQ(view.width, static_cast<int64_t>(width_));
                                 std::copy(stream.begin(), stream.end(), view.data);
                               }}})
                  .ok());
  EXPECT_EQ(step(rows_of(b, prompt_)), expected);
  ASSERT_TRUE(engine_->set_taps({}).ok());

  const Status unknown = engine_->set_taps({{"layer.9.residual", [](const graph::TapView&) {}}});
  EXPECT_EQ(unknown.code(), StatusCode::kUsage);
  EXPECT_NE(unknown.message().find("layer.9.residual"), std::string::npos);
}

TEST_F(RowPathsTest, ProbedProbabilitiesSumToOne) {
  const SequenceId sequence = *engine_->kv().create_sequence();
  step(rows_of(sequence, prompt_, false));
  const auto heads = static_cast<size_t>(model_->config().heads);
  const auto kv_heads = static_cast<size_t>(model_->config().kv_heads);
  const size_t keys = prompt_.size(), asked = 3;
  std::vector<float> log_sums(kLayers * asked * heads), scores(kLayers * kv_heads * keys);
  const ops::AttentionProbe probe{0,
                                  static_cast<int64_t>(asked),
                                  static_cast<int32_t>(keys),
                                  kernels::KeyScore::kSum,
                                  log_sums.data(),
                                  scores.data(),
                                  static_cast<int64_t>(keys)};
  engine_->set_probe(&probe);
  std::vector<Row> rows = rows_of(sequence, std::vector<int32_t>{9, 8, 7});
  for (Row& r : rows) r.store = false;
  step(rows);
  engine_->set_probe(nullptr);
  for (size_t i = 0; i < kLayers * kv_heads; ++i) {
    const auto begin = scores.begin() + static_cast<std::ptrdiff_t>(i * keys);
    const double sum = std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(keys), 0.0);
    EXPECT_NEAR(sum, static_cast<double>(asked * heads / kv_heads), 1e-4);
  }
}

TEST_F(RowPathsTest, WhatTheModelLacksIsRefusedBeforeComputing) {
  const SequenceId sequence = *engine_->kv().create_sequence();
  const auto refused = [&](Row row) {
    const Status status = engine_->step(std::vector<Row>{{1, sequence, false}, row}).status();
    EXPECT_EQ(status.code(), StatusCode::kUsage) << status.message();
    EXPECT_EQ(engine_->kv().length(sequence), 0);
  };
  refused({.token = 1, .sequence = sequence, .source = 1, .from = 2});      // itself
  refused({.token = 1, .sequence = sequence, .source = 0, .from = 99});     // no such segment
  refused({.token = 1, .sequence = sequence, .from = 2});                   // from nowhere
  refused({.token = 1, .logits = true});                                    // layers without state
  refused({.token = 1, .sequence = sequence, .logits = true, .until = 2});  // dropped before the head
  refused({.token = 1, .sequence = sequence, .adapter = 0});
  refused({.token = 1, .sequence = sequence, .noise_key = 7});
  refused({.token = 1, .sequence = sequence, .first = 3, .last = 3});  // sees nothing
  KvGroup upper = model_->kv_groups()[0];
  upper.name = "upper";
  std::erase_if(upper.layers, [](int32_t layer) { return layer < 2; });
  const GroupId group = *engine_->kv().add_group(upper, 64);
  const SequenceId partial = *engine_->kv().create_sequence(std::vector{group});
  refused({.token = 1, .sequence = partial, .source = 0, .from = 2});  // layer 1 is not kept
}

TEST_F(RowPathsTest, CopiesOfRowsThatHaveNotBegunAreRefused) {
  const std::vector<uint8_t> all = skip_layers({0, 1, 2, 3});
  const SequenceId sequence = *engine_->kv().create_sequence();
  const std::vector<Row> rows = {{1, sequence, false},
                                 {.token = 1, .source = 0, .from = 4, .skip = all.data()},
                                 {.token = 1, .source = 1, .from = 2, .skip = all.data()}};
  EXPECT_EQ(engine_->step(rows).status().code(), StatusCode::kUsage);
}

TEST_F(RowPathsTest, AfterAnEvictionRowsSeeAllThatIsLeft) {
  const SequenceId sequence = *engine_->kv().create_sequence();
  step(rows_of(sequence, prompt_, false));
  const std::vector<std::vector<int32_t>> keep(2, {0, 1, 5, 6, 11});
  ASSERT_TRUE(engine_->kv().evict(sequence, 2, keep).ok());
  const uint64_t mask = ~uint64_t{0};
  std::vector<Row> masked = rows_of(sequence, std::vector<int32_t>{1});
  masked[0].mask = &mask;
  std::vector<Row> ranged = rows_of(sequence, std::vector<int32_t>{1});
  ranged[0].last = 4;
  EXPECT_EQ(engine_->step(masked).status().code(), StatusCode::kUsage);
  EXPECT_EQ(engine_->step(ranged).status().code(), StatusCode::kUsage);
  EXPECT_EQ(step(rows_of(sequence, std::vector<int32_t>{1})).size(), vocabulary_);
}

TEST_F(RowPathsTest, ProbesThatCannotBeAnsweredAreRefused) {
  const SequenceId sequence = *engine_->kv().create_sequence();
  std::vector<float> room(4096);
  const auto refused = [&](ops::AttentionProbe probe, bool passes_by = false) {
    engine_->set_probe(&probe);
    const std::vector<uint8_t> one = skip_layers({1});
    std::vector<Row> rows = rows_of(sequence, prompt_);
    if (passes_by) rows[3].skip = one.data();
    EXPECT_EQ(engine_->step(rows).status().code(), StatusCode::kUsage);
    engine_->set_probe(nullptr);
  };
  const ops::AttentionProbe good{0, 2, 4, kernels::KeyScore::kMaximum, room.data(), room.data(), 16};
  for (const auto& spoil : std::vector<std::function<void(ops::AttentionProbe&)>>{
           [](auto& p) { p.row_begin = 11; }, [](auto& p) { p.row_count = 0; }, [](auto& p) { p.last = 99; },
           [](auto& p) { p.key_stride = 3; }, [](auto& p) { p.log_sums = nullptr; }}) {
    ops::AttentionProbe bad = good;
    spoil(bad);
    refused(bad);
  }
  refused(good, true);
}

}  // namespace
}  // namespace brisk::runtime
