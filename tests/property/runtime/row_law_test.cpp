// The row law on whole models: a row's logits have the same bits alone, in any batch, in any chunking, on any
// number of threads.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

#include "runtime/engine.hpp"
#include "support/tiny_llama.hpp"

namespace brisk {
namespace {

using Logits = std::vector<float>;

struct Case {
  DType type;
  bool exact;
  Isa isa;
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return std::string(dtype_name(info.param.type)) + (info.param.exact ? "_exact_" : "_default_") +
         std::string(isa_name(info.param.isa));
}

std::vector<int32_t> some_tokens(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<int32_t> tokens(count);
  for (int32_t& token : tokens) token = static_cast<int32_t>(random() % 256);
  return tokens;
}

// Encoding K-quants takes longer than the tests: each file is made once.
const test::Bytes& file_of(DType type) {
  static std::map<DType, test::Bytes> files;
  test::Bytes& bytes = files[type];
  if (bytes.empty()) {
    test::TinyLlama tiny;
    tiny.type = type;
    bytes = tiny.builder().build();
  }
  return bytes;
}

class RowLaw : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (GetParam().isa > cpu_info().best) GTEST_SKIP() << "this CPU has no " << isa_name(GetParam().isa);
  }

  std::unique_ptr<runtime::Engine> make_engine(ThreadPool& pool) {
    runtime::LoadOptions options;
    options.isa = GetParam().isa;
    options.exact = GetParam().exact;
    auto model = test::TinyLlama::load_bytes(file_of(GetParam().type), options, pool);
    EXPECT_TRUE(model.ok()) << model.status().message();
    auto engine = runtime::Engine::create(*model, pool, 1024 * 40);
    EXPECT_TRUE(engine.ok()) << engine.status().message();
    return std::move(engine).value();
  }

  // Feeds `tokens` to a fresh sequence in chunks; the logits of the last row.
  static Logits run_chunks(runtime::Engine& engine, std::span<const int32_t> tokens, size_t chunk) {
    const auto sequence = engine.kv().create_sequence();
    Logits out;
    for (size_t at = 0; at < tokens.size(); at += chunk) {
      std::vector<runtime::Row> rows;
      for (size_t i = at; i < std::min(at + chunk, tokens.size()); ++i) {
        rows.push_back({tokens[i], *sequence, i + 1 == tokens.size()});
      }
      auto logits = engine.step(rows);
      EXPECT_TRUE(logits.ok()) << logits.status().message();
      out.assign(logits->begin(), logits->end());
    }
    engine.kv().free_sequence(*sequence);
    return out;
  }

  static void expect_same_bits(const Logits& want, std::span<const float> got, const std::string& what) {
    ASSERT_EQ(want.size(), got.size()) << what;
    EXPECT_EQ(std::memcmp(want.data(), got.data(), got.size_bytes()), 0) << what;
  }
};

TEST_P(RowLaw, ChunksAndThreads) {
  const std::vector<int32_t> tokens = some_tokens(300, 7);  // past the first block of 256 keys
  Logits want;
  for (const int lanes : {1, 2}) {
    auto pool = test::make_pool(lanes);
    auto engine = make_engine(*pool);
    for (const size_t chunk : {512, 128, 7, 1}) {
      const Logits got = run_chunks(*engine, tokens, chunk);
      if (want.empty()) want = got;
      expect_same_bits(want, got, "chunks of " + std::to_string(chunk) + ", lanes " + std::to_string(lanes));
    }
  }
}

TEST_P(RowLaw, Batches) {
  auto pool = test::make_pool(2);
  auto engine = make_engine(*pool);
  const std::vector<int32_t> tokens = some_tokens(40, 9);
  const Logits want = run_chunks(*engine, tokens, 512);
  for (const size_t batch : {2, 3, 8, 33}) {
    // Sequences of different lengths; the one under test stands in the middle of the last step.
    std::vector<runtime::SequenceId> sequences;
    std::vector<std::vector<int32_t>> texts;
    for (size_t i = 0; i < batch; ++i) {
      sequences.push_back(*engine->kv().create_sequence());
      texts.push_back(i == batch / 2 ? tokens : some_tokens(3 + 5 * i, i));
      const auto& text = texts.back();
      std::vector<runtime::Row> rows;
      for (size_t t = 0; t + 1 < text.size(); ++t) rows.push_back({text[t], sequences[i], false});
      ASSERT_TRUE(engine->step(rows).ok());
    }
    std::vector<runtime::Row> rows;
    for (size_t i = 0; i < batch; ++i) rows.push_back({texts[i].back(), sequences[i], true});
    auto logits = engine->step(rows);
    ASSERT_TRUE(logits.ok()) << logits.status().message();
    expect_same_bits(want, logits->subspan(batch / 2 * want.size(), want.size()),
                     "batch of " + std::to_string(batch));
    for (const auto sequence : sequences) engine->kv().free_sequence(sequence);
  }
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ4_0, DType::kQ4_1, DType::kQ5_0,
                           DType::kQ5_1, DType::kQ8_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K}) {
    for (const Isa isa : {Isa::kAvx2, Isa::kAvx512}) cases.push_back({type, false, isa});
  }
  // Formats without a kernel of their own run through the one that decodes.
  for (const DType type : {DType::kQ3_K, DType::kIQ2_XXS, DType::kMXFP4}) {
    cases.push_back({type, false, Isa::kAvx2});
  }
  for (const Isa isa : kAllIsas) cases.push_back({DType::kQ4_1, true, isa});
  cases.push_back({DType::kQ4_1, false, Isa::kRef});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Models, RowLaw, testing::ValuesIn(all_cases()), name_of);

}  // namespace
}  // namespace brisk
