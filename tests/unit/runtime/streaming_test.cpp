// The streaming KV policy: what is kept, when, and that later tokens see exactly that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "runtime/decoder.hpp"
#include "runtime/policies/kv_policy.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

using testing::HasSubstr;

class StreamingTest : public testing::Test {
 protected:
  StreamingTest() {
    test::TinyLlama tiny;
    tiny.layers = 3;
    tiny.width = tiny.ffn = 64;
    tiny.head_dim = 16;
    LoadOptions options;
    options.isa = cpu_info().best;
    options.exact = true;
    auto model = tiny.load(options, *pool_);
    EXPECT_TRUE(model.ok()) << model.status().message();
    model_ = std::move(model).value();
  }

  std::unique_ptr<Engine> engine() {
    auto made = Engine::create(model_, *pool_, 1024);
    EXPECT_TRUE(made.ok()) << made.status().message();
    return std::move(made).value();
  }
  static KvPolicyOptions streaming(int64_t budget, int64_t block, int64_t sinks) {
    return {"streaming", budget, block, sinks};
  }
  Status refused(const KvPolicyOptions& options) { return create_kv_policy(*model_, options).status(); }

  std::unique_ptr<ThreadPool> pool_ = test::make_pool(2);
  std::shared_ptr<Model> model_;
};

std::vector<Row> rows_of(SequenceId sequence, std::span<const int32_t> tokens) {
  std::vector<Row> rows;
  for (const int32_t token : tokens) rows.push_back({.token = token, .sequence = sequence, .logits = true});
  return rows;
}

std::vector<int32_t> sinks_and_recent(int64_t sinks, int64_t budget, int64_t length) {
  std::vector<int32_t> out(static_cast<size_t>(budget));
  std::iota(out.begin(), out.begin() + sinks, 0);
  std::iota(out.begin() + sinks, out.end(), static_cast<int32_t>(length - (budget - sinks)));
  return out;
}

TEST_F(StreamingTest, Choice) {
  EXPECT_EQ(*create_kv_policy(*model_, {}), nullptr);
  KvPolicyOptions full;
  full.budget = 100;
  EXPECT_EQ(refused(full).code(), StatusCode::kUsage) << "a budget that would do nothing";
  EXPECT_THAT(refused({"sinking"}).message(), HasSubstr("streaming"));
  EXPECT_EQ(refused(streaming(4, 0, 4)).code(), StatusCode::kUsage);
  EXPECT_EQ(refused(streaming(0, 0, 0)).code(), StatusCode::kUsage);
  EXPECT_EQ(refused(streaming(8, -1, 4)).code(), StatusCode::kUsage);
  EXPECT_EQ(refused(streaming(INT64_MAX, INT64_MAX, 4)).code(), StatusCode::kUsage);
  EXPECT_EQ(refused(streaming(8, INT64_MAX, 4)).code(), StatusCode::kUsage);
  EXPECT_EQ(refused(streaming(8, 0, -1)).code(), StatusCode::kUsage);
  const auto made = create_kv_policy(*model_, streaming(5, 0, 4));
  ASSERT_TRUE(made.ok()) << made.status().message();
  EXPECT_EQ((*made)->name(), "streaming");
  const auto run = engine();
  const SequenceId sequence = *run->kv().create_sequence();
  EXPECT_EQ((*made)->most_rows(run->kv(), sequence), 64);
}

TEST_F(StreamingTest, KeepsTheSinksAndTheMostRecent) {
  for (const int64_t sinks : {0, 1, 4}) {
    const int64_t budget = 20, block = 7;
    auto policy = std::move(create_kv_policy(*model_, streaming(budget, block, sinks))).value();
    auto run = engine();
    KvStore& store = run->kv();
    const SequenceId sequence = *store.create_sequence();
    int64_t held = 0;
    for (int64_t length = 1; length <= 150; ++length) {
      const int32_t token[] = {static_cast<int32_t>(length % 250)};
      ASSERT_TRUE(run->step(rows_of(sequence, token)).ok());
      ++held;
      ASSERT_TRUE(policy->after_step(*run, sequence).ok());
      const bool evicts = held == budget + block;
      if (evicts) held = budget;
      EXPECT_EQ(store.length(sequence), length);
      for (int64_t layer = 0; layer < 3; ++layer) {
        for (int64_t head = 0; head < 2; ++head) {
          ASSERT_EQ(store.entries(sequence, layer, head), held) << "length " << length;
          std::vector<int32_t> positions;
          store.positions(sequence, layer, head, positions);
          if (!evicts) continue;
          EXPECT_EQ(positions, sinks_and_recent(sinks, budget, length));
        }
      }
    }
  }
}

TEST_F(StreamingTest, ABudgetBeyondTheTextChangesNothing) {
  std::vector<int32_t> tokens(60);
  std::iota(tokens.begin(), tokens.end(), 10);
  auto policy = std::move(create_kv_policy(*model_, streaming(100, 0, 4))).value();
  auto with = engine(), without = engine();
  const SequenceId a = *with->kv().create_sequence(), b = *without->kv().create_sequence();
  for (size_t at = 0; at < tokens.size(); at += 20) {
    const auto part = std::span(tokens).subspan(at, 20);
    const auto got = with->step(rows_of(a, part));
    const auto want = without->step(rows_of(b, part));
    ASSERT_TRUE(got.ok() && want.ok());
    EXPECT_TRUE(std::ranges::equal(*got, *want));
    ASSERT_TRUE(policy->after_step(*with, a).ok());
  }
  EXPECT_FALSE(with->kv().ragged(a, 0));
}

TEST_F(StreamingTest, HoweverTheTextIsCutTheSameIsSeen) {
  std::mt19937_64 random(5);
  std::vector<int32_t> tokens(300);
  for (int32_t& token : tokens) token = static_cast<int32_t>(random() % 250);
  std::vector<float> want;
  for (const size_t chunk : {300, 1, 7, 64}) {
    Policies policies;
    policies.kv = std::move(create_kv_policy(*model_, streaming(40, 16, 4))).value();
    auto decoder = std::move(Decoder::create(model_, *pool_, 1024, policies)).value();
    const int32_t sequence = *decoder->create_sequence();
    for (size_t at = 0; at < tokens.size(); at += chunk) {
      std::vector<TokenRow> rows;
      for (size_t i = at; i < std::min(at + chunk, tokens.size()); ++i) {
        rows.push_back({tokens[i], sequence, i + 1 == tokens.size()});
      }
      const Status status = decoder->run(rows, {});
      ASSERT_TRUE(status.ok()) << status.message();
    }
    const std::span<const float> got = decoder->last_scores();
    if (want.empty()) want.assign(got.begin(), got.end());
    EXPECT_TRUE(std::ranges::equal(got, want)) << "chunks of " << chunk;
  }
}

// A model that keeps everything, but masks what the policy evicted, gives the same logits.
TEST_F(StreamingTest, LaterTokensSeeWhatWasKept) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  auto policy = std::move(create_kv_policy(*model_, streaming(24, 8, 3))).value();
  auto evicting = engine(), masking = engine();
  const SequenceId a = *evicting->kv().create_sequence(), b = *masking->kv().create_sequence();
  double worst = 0;
  int evictions = 0;
  for (int64_t length = 0; length < 400;) {
    const auto most = static_cast<uint64_t>(policy->most_rows(evicting->kv(), a));
    std::vector<int32_t> tokens(1 + random() % most);
    for (int32_t& token : tokens) token = static_cast<int32_t>(random() % 250);
    // What each new row may see: what is kept now, and the new rows up to itself.
    std::vector<int32_t> kept;
    evicting->kv().positions(a, 0, 0, kept);
    std::vector<std::vector<uint64_t>> masks;
    std::vector<Row> rows = rows_of(b, tokens);
    for (size_t i = 0; i < rows.size(); ++i) {
      std::vector<uint64_t>& mask = masks.emplace_back(8);
      for (const int32_t position : kept)
        mask[static_cast<size_t>(position) / 64] |= uint64_t{1} << (position % 64);
      for (int64_t p = length; p <= length + static_cast<int64_t>(i); ++p) {
        mask[static_cast<size_t>(p) / 64] |= uint64_t{1} << (p % 64);
      }
    }
    for (size_t i = 0; i < rows.size(); ++i) rows[i].mask = masks[i].data();
    const auto got = evicting->step(rows_of(a, tokens));
    const auto want = masking->step(rows);
    ASSERT_TRUE(got.ok()) << got.status().message();
    ASSERT_TRUE(want.ok()) << want.status().message();
    for (size_t i = 0; i < got->size(); ++i) {
      worst = std::max(worst, static_cast<double>(std::abs((*got)[i] - (*want)[i])));
    }
    length += static_cast<int64_t>(tokens.size());
    const int64_t before = evicting->kv().entries(a, 0, 0);
    ASSERT_TRUE(policy->after_step(*evicting, a).ok());
    evictions += evicting->kv().entries(a, 0, 0) < before ? 1 : 0;
  }
  EXPECT_GT(evictions, 20);
  EXPECT_LT(worst, 1e-4);  // the same terms, summed in other blocks
  RecordProperty("worst_logit_difference", std::to_string(worst));
}

}  // namespace
}  // namespace brisk::runtime
