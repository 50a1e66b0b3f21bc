// Steps, sequences and generation on a tiny random model.
#include "runtime/engine.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "runtime/generate.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

class EngineTest : public testing::Test {
 protected:
  std::shared_ptr<Model> load(const LoadOptions& options = {}) {
    auto model = tiny_.load(options, *pool_);
    EXPECT_TRUE(model.ok()) << model.status().message();
    return std::move(model).value();
  }

  test::TinyLlama tiny_;
  std::unique_ptr<ThreadPool> pool_ = test::make_pool(2);
};

TEST_F(EngineTest, RefusesBadRows) {
  auto engine = std::move(Engine::create(load(), *pool_, 256)).value();
  const SequenceId a = *engine->kv().create_sequence();
  const SequenceId b = *engine->kv().create_sequence();
  const auto code = [&](std::vector<Row> rows) { return engine->step(rows).status().code(); };
  EXPECT_EQ(code({}), StatusCode::kUsage);
  EXPECT_EQ(code({{-1, a, true}}), StatusCode::kBadInput);
  EXPECT_EQ(code({{1 << 20, a, true}}), StatusCode::kBadInput);
  EXPECT_EQ(code({{1, 99, true}}), StatusCode::kUsage);
  EXPECT_EQ(code({{1, a, true}, {1, b, true}, {1, a, true}}), StatusCode::kUsage);
  EXPECT_EQ(code(std::vector<Row>(2000, Row{1, a, false})), StatusCode::kUsage);
  EXPECT_EQ(code(std::vector<Row>(200, Row{1, a, true})), StatusCode::kUsage);
  EXPECT_EQ(engine->kv().length(a), 0);
}

TEST_F(EngineTest, AFullStoreLeavesSequencesAsTheyWere) {
  auto engine = std::move(Engine::create(load(), *pool_, 64)).value();
  const SequenceId a = *engine->kv().create_sequence();
  const SequenceId b = *engine->kv().create_sequence();
  ASSERT_TRUE(engine->step(std::vector<Row>(40, Row{1, a, false})).ok());
  EXPECT_EQ(engine->kv().free_tokens(), 0);
  EXPECT_EQ(engine->step(std::vector<Row>{{1, b, true}}).status().code(), StatusCode::kEnvironment);
  EXPECT_EQ(engine->kv().length(a), 40);
  EXPECT_EQ(engine->kv().length(b), 0);
  engine->kv().free_sequence(a);
  EXPECT_EQ(engine->kv().free_tokens(), 64);
  EXPECT_TRUE(engine->step(std::vector<Row>{{1, b, true}}).ok());
}

TEST_F(EngineTest, ACancelledStepStoresNothing) {
  auto engine = std::move(Engine::create(load(), *pool_, 64)).value();
  const SequenceId a = *engine->kv().create_sequence();
  const std::atomic<bool> cancel{true};
  EXPECT_EQ(engine->step(std::vector<Row>{{1, a, true}}, &cancel).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(engine->kv().length(a), 0);
  EXPECT_EQ(engine->kv().free_tokens(), 64);
}

TEST_F(EngineTest, NotANumberNamesTheLayer) {
  test::GgufBuilder builder = tiny_.builder();
  for (auto& tensor : builder.tensors) {
    if (tensor.name != "blk.1.ffn_norm.weight") continue;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(tensor.data.data() + 8, &nan, sizeof(nan));
  }
  auto model = test::TinyLlama::load_bytes(builder.build(), {}, *pool_);
  ASSERT_TRUE(model.ok());
  auto engine = std::move(Engine::create(*model, *pool_, 64)).value();
  const SequenceId a = *engine->kv().create_sequence();
  const Status status = engine->step(std::vector<Row>{{1, a, true}}).status();
  EXPECT_EQ(status.code(), StatusCode::kBadInput);
  EXPECT_NE(status.message().find("layer.1"), std::string::npos) << status.message();
}

TEST_F(EngineTest, PassesOffGiveTheSameNumbersInExactMode) {
  LoadOptions options;
  options.exact = true;
  const std::vector<int32_t> tokens = {5, 6, 7, 8};
  auto plain = std::move(Session::create(load(options), *pool_)).value();
  options.passes_off = {"share_common", "dead_code", "quantize_activations"};
  auto without = std::move(Session::create(load(options), *pool_)).value();
  EXPECT_EQ(plain->logits(tokens).value(), without->logits(tokens).value());
}

TEST_F(EngineTest, AMissingTensorIsNamed) {
  test::GgufBuilder builder = tiny_.builder();
  std::erase_if(builder.tensors, [](const auto& tensor) { return tensor.name == "blk.1.attn_k.weight"; });
  const auto model = test::TinyLlama::load_bytes(builder.build(), {}, *pool_);
  ASSERT_EQ(model.status().code(), StatusCode::kBadInput);
  EXPECT_NE(model.status().message().find("blk.1.attn_k.weight"), std::string::npos);
}

TEST_F(EngineTest, MoreLayersThanTensorsNamesTheFirstMissing) {
  for (const uint32_t layers : {3U, 513U, 100000U}) {
    test::GgufBuilder builder = tiny_.builder();
    for (auto& key : builder.keys) {
      if (key.name == "llama.block_count") std::memcpy(key.value.data(), &layers, sizeof(layers));
    }
    const auto model = test::TinyLlama::load_bytes(builder.build(), {}, *pool_);
    ASSERT_EQ(model.status().code(), StatusCode::kBadInput) << layers;
    EXPECT_NE(model.status().message().find(layers > 4096 ? "block_count" : "blk.2.attn_norm.weight"),
              std::string::npos)
        << model.status().message();
  }
}

TEST_F(EngineTest, TensorsThatNobodyReadsAreRefused) {
  test::GgufBuilder builder = tiny_.builder();
  builder.add_tensor("blk.0.attn_q.bias", {256}, DType::kF32, std::vector<float>(256, 1.0F));
  const auto model = test::TinyLlama::load_bytes(builder.build(), {}, *pool_);
  ASSERT_EQ(model.status().code(), StatusCode::kBadInput);
  EXPECT_NE(model.status().message().find("blk.0.attn_q.bias"), std::string::npos)
      << model.status().message();
}

TEST_F(EngineTest, KeysThatChangeTheNumbersAreRefused) {
  for (const char* key : {"llama.expert_count", "llama.attention.sliding_window", "llama.vocab_size"}) {
    test::GgufBuilder builder = tiny_.builder();
    builder.add(key, uint32_t{7});
    const auto model = test::TinyLlama::load_bytes(builder.build(), {}, *pool_);
    ASSERT_EQ(model.status().code(), StatusCode::kBadInput) << key;
    EXPECT_NE(model.status().message().find(key), std::string::npos) << model.status().message();
  }
}

class HyperparameterTest : public EngineTest,
                           public testing::WithParamInterface<std::pair<const char*, uint32_t>> {};

TEST_P(HyperparameterTest, ContradictionsAreRefused) {
  test::GgufBuilder builder = tiny_.builder();
  bool found = false;
  for (auto& key : builder.keys) {
    if (key.name != GetParam().first) continue;
    found = true;
    std::memcpy(key.value.data(), &GetParam().second, sizeof(uint32_t));
  }
  ASSERT_TRUE(found);
  const auto model = test::TinyLlama::load_bytes(builder.build(), {}, *pool_);
  EXPECT_EQ(model.status().code(), StatusCode::kBadInput);
}

INSTANTIATE_TEST_SUITE_P(
    Values, HyperparameterTest,
    testing::Values(
        std::pair{"llama.block_count", 0U}, std::pair{"llama.block_count", 1U},
        std::pair{"llama.block_count", 0xFFFFFFFFU}, std::pair{"llama.embedding_length", 0U},
        std::pair{"llama.embedding_length", 255U}, std::pair{"llama.embedding_length", 0xFFFFFFFFU},
        std::pair{"llama.feed_forward_length", 0U}, std::pair{"llama.feed_forward_length", 511U},
        std::pair{"llama.attention.head_count", 0U}, std::pair{"llama.attention.head_count", 3U},
        std::pair{"llama.attention.head_count", 256U}, std::pair{"llama.attention.head_count_kv", 0U},
        std::pair{"llama.attention.head_count_kv", 3U}, std::pair{"llama.context_length", 0U},
        std::pair{"llama.context_length", 0xFFFFFFFFU}, std::pair{"llama.rope.dimension_count", 63U},
        std::pair{"llama.rope.dimension_count", 128U}, std::pair{"tokenizer.ggml.eos_token_id", 100000U}));

TEST_F(EngineTest, AContextThatCannotFitIsRefusedBeforeLoading) {
  tiny_.context = 1U << 30;
  LoadOptions options;
  options.context = int64_t{1} << 30;
  const auto model = tiny_.load(options, *pool_);
  ASSERT_EQ(model.status().code(), StatusCode::kEnvironment);
  EXPECT_NE(model.status().message().find("MiB available"), std::string::npos) << model.status().message();
}

TEST_F(EngineTest, GenerationIsRepeatableAndKeepsThePrefix) {
  auto session = std::move(Session::create(load(), *pool_)).value();
  GenerateOptions options;
  options.max_tokens = 20;
  options.ignore_eos = true;
  options.sampling.seed = 3;
  const std::vector<int32_t> prompt = {10, 20, 30, 40};
  const auto first = session->generate(prompt, options);
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_EQ(first->tokens.size(), 20U);
  EXPECT_EQ(first->finish_reason, FinishReason::kLength);
  EXPECT_EQ(first->timings.cache_n, 0);
  const auto second = session->generate(prompt, options);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->tokens, first->tokens);
  EXPECT_EQ(second->timings.cache_n, 3);
  std::vector<int32_t> longer = prompt;
  longer.insert(longer.end(), first->tokens.begin(), first->tokens.end());
  const auto third = session->generate(longer, options);
  EXPECT_EQ(third->timings.cache_n, 23);
  session->clear();
  EXPECT_EQ(session->generate(longer, options)->tokens, third->tokens);
}

TEST_F(EngineTest, GenerationStops) {
  auto session = std::move(Session::create(load(), *pool_)).value();
  GenerateOptions options;
  options.max_tokens = 40;
  options.ignore_eos = true;
  options.sampling.temperature = 1.5F;
  const std::vector<int32_t> prompt = {10, 20, 30, 40};
  const auto whole = session->generate(prompt, options);
  ASSERT_TRUE(whole.ok());
  ASSERT_GT(whole->text.size(), 8U);

  // A stop string ends the text just before it, and what was streamed is the text.
  options.stop = {whole->text.substr(5, 3)};
  std::string streamed;
  const auto stopped = session->generate(prompt, options, [&](std::string_view piece) {
    streamed += piece;
    return true;
  });
  EXPECT_EQ(stopped->finish_reason, FinishReason::kStop);
  EXPECT_EQ(stopped->text, whole->text.substr(0, whole->text.find(options.stop[0])));
  EXPECT_EQ(streamed, stopped->text);

  options.stop.clear();
  const auto left = session->generate(prompt, options, [](std::string_view) { return false; });
  EXPECT_EQ(left->finish_reason, FinishReason::kCancelled);
  EXPECT_LT(left->tokens.size(), 5U);

  const std::atomic<bool> cancel{true};
  EXPECT_EQ(session->generate(prompt, options, {}, &cancel)->finish_reason, FinishReason::kCancelled);
}

TEST_F(EngineTest, PromptsThatDoNotFit) {
  LoadOptions options;
  options.context = 32;
  auto session = std::move(Session::create(load(options), *pool_)).value();
  EXPECT_EQ(session->generate({}, {}).status().code(), StatusCode::kBadInput);
  const std::vector<int32_t> long_prompt(33, 1);
  EXPECT_EQ(session->generate(long_prompt, {}).status().code(), StatusCode::kBadInput);
  GenerateOptions endless;
  endless.ignore_eos = true;
  const auto full = session->generate(std::vector<int32_t>(30, 1), endless);
  ASSERT_TRUE(full.ok());
  EXPECT_EQ(full->finish_reason, FinishReason::kContextFull);
  EXPECT_EQ(full->tokens.size(), 3U);
}

TEST_F(EngineTest, ChatTemplateIsApplied) {
  const auto model = load();
  const Json messages = Json::array({{{"role", "user"}, {"content", "hi"}}});
  EXPECT_EQ(model->render_chat(messages, true).value(), "user: hi\n");
}

}  // namespace
}  // namespace brisk::runtime
