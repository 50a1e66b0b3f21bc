// DoLa against transformers' (tests/data/dola, written by tools/oracles/make_dola.py): the choice of a layer
// on given rows, and whole greedy generations; and which layers are candidates.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/file.hpp"
#include "base/json.hpp"
#include "runtime/contrast.hpp"
#include "runtime/decoder.hpp"
#include "runtime/streams.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

using Layers = std::vector<int64_t>;

DecodingOptions dola(const std::string& layers) {
  DecodingOptions options;
  options.method = "dola";
  options.layers = layers;
  return options;
}

// The layers that a method's exits enter.
Layers candidates(const Model& model, const Decoding& decoding) {
  Layers out;
  for (const Stream& stream : decoding.streams()) {
    out.push_back(stream.from - *layer_segment(model, 0));
    EXPECT_FALSE(stream.every_token);
  }
  return out;
}

class DolaTest : public testing::Test {
 protected:
  std::shared_ptr<Model> tiny(int64_t layers, bool tied) {
    test::TinyLlama shape;
    shape.layers = layers;
    shape.width = shape.ffn = shape.head_dim = 16;
    shape.heads = shape.kv_heads = 1;
    test::GgufBuilder builder = shape.builder();
    if (!tied) {
      const auto table =
          std::ranges::find(builder.tensors, "token_embd.weight", &test::GgufBuilder::Tensor::name);
      builder.add_tensor_raw("output.weight", table->dims, table->type, test::Bytes(table->data));
    }
    auto model = test::TinyLlama::load_bytes(builder.build(), {}, *pool_);
    EXPECT_TRUE(model.ok()) << model.status().message();
    return std::move(model).value();
  }

  std::unique_ptr<ThreadPool> pool_ = test::make_pool(2);
};

// What transformers 4.53.3 takes for low and high.
TEST_F(DolaTest, LowAndHigh) {
  const Layers deep_low = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18}, deep_tied = {2, 4, 6, 8, 10, 12, 14, 16, 18};
  const struct {
    int64_t layers;
    bool tied;
    Layers low, high;
  } cases[] = {
      {1, false, {0}, {0}},
      {1, true, {0}, {0}},
      {2, false, {0}, {1}},
      {2, true, {1}, {1}},
      {3, false, {0}, {1}},
      {3, true, {}, {1}},  // low fails there, too
      {4, true, {2}, {2}},
      {5, true, {2}, {2, 4}},
      {6, false, {0, 2}, {3, 5}},
      {6, true, {2}, {3, 5}},
      {9, false, {0, 2}, {4, 6, 8}},
      {40, false, deep_low, {20, 22, 24, 26, 28, 30, 32, 34, 36, 38}},
      {40, true, deep_tied, {20, 22, 24, 26, 28, 30, 32, 34, 36, 38}},
      {41, true, deep_tied, {21, 23, 25, 27, 29, 31, 33, 35, 37, 39}},
      {42, false, deep_low, {22, 24, 26, 28, 30, 32, 34, 36, 38, 40}},
  };
  for (const auto& [layers, tied, low, high] : cases) {
    const auto model = tiny(layers, tied);
    const std::string what = std::to_string(layers) + (tied ? " tied" : " untied");
    auto made = create_decoding(*model, dola("low"));
    EXPECT_EQ(made.ok(), !low.empty()) << what;
    if (made.ok()) {
      EXPECT_EQ(candidates(*model, **made), low) << what;
    }
    made = create_decoding(*model, dola("high"));
    ASSERT_TRUE(made.ok()) << what;
    EXPECT_EQ(candidates(*model, **made), high) << what;
    made = create_decoding(*model, dola(""));
    ASSERT_TRUE(made.ok()) << what;
    EXPECT_EQ(candidates(*model, **made), high) << what << ": the default";
  }
}

TEST_F(DolaTest, Lists) {
  const auto model = tiny(6, true);
  const auto made = create_decoding(*model, dola("3,0,5"));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(candidates(*model, **made), (Layers{3, 0, 5}));
  EXPECT_FALSE((*made)->owns_kv());
  for (const char* layers :
       {"6", "-1", "1,", ",1", "1,,2", "1 2", "middle", "1,1", "0x1", "99999999999999999999"}) {
    const Status status = create_decoding(*model, dola(layers)).status();
    EXPECT_EQ(status.code(), StatusCode::kUsage) << layers;
    EXPECT_NE(status.message().find("0 to 5"), std::string::npos) << status.message();
  }
  DecodingOptions options = dola("low");
  options.alpha = 1.5;
  EXPECT_EQ(create_decoding(*model, options).status().code(), StatusCode::kUsage);
}

TEST_F(DolaTest, AnExitPassesByAllLayersFromThereOn) {
  const auto model = tiny(6, true);
  const auto stream = early_exit_stream(*model, 4);
  ASSERT_TRUE(stream.ok());
  const auto& segments = model->plan().graph().segments();
  for (size_t s = 0; s < segments.size(); ++s) {
    EXPECT_EQ(stream->skip[s] != 0, segments[s].name == "layer.4" || segments[s].name == "layer.5");
  }
}

class DolaGolden : public DolaTest {
 protected:
  void SetUp() override {
    const char* source = std::getenv("BRISK_SOURCE_DIR");
    if (source == nullptr) GTEST_SKIP() << "BRISK_SOURCE_DIR is not set";
    folder_ = std::string(source) + "/tests/data/dola/";
    const auto text = read_file(folder_ + "cases.json", 16 << 20);
    ASSERT_TRUE(text.ok()) << text.status().message();
    cases_ = std::move(parse_json(*text, "cases.json")).value();
  }

  // The scores of the tokens in `want` and no others; returns the largest difference.
  static double compare(std::span<const float> scores, const Json& want) {
    double worst = 0;
    size_t finite = 0;
    for (const float score : scores) finite += std::isfinite(score) ? 1 : 0;
    EXPECT_EQ(finite, want["tokens"].size());
    for (size_t i = 0; i < want["tokens"].size(); ++i) {
      const float score = scores[want["tokens"][i].get<size_t>()];
      const double difference = std::abs(static_cast<double>(score) - want["scores"][i].get<double>());
      worst = std::max(worst, std::isnan(difference) ? 1e9 : difference);
    }
    return worst;
  }

  // Which candidate alone explains the scores; -1: none.
  static int64_t explain(std::span<const float* const> logits, std::span<const float> scores) {
    std::vector<float> alone(scores.size());
    for (size_t exit = 1; exit < logits.size(); ++exit) {
      Contrast({}).filtered({logits[0], alone.size()}, {logits[exit], alone.size()}, alone);
      if (std::ranges::equal(alone, scores)) return static_cast<int64_t>(exit) - 1;
    }
    return -1;
  }

  std::string folder_;
  Json cases_;
};

TEST_F(DolaGolden, ChoosesAsTransformersOnGivenRows) {
  const auto model = tiny(9, true);
  ASSERT_GE(cases_["select"].size(), 4U);
  for (const Json& item : cases_["select"]) {
    std::string layers;
    std::vector<std::vector<float>> rows = {item["final"].get<std::vector<float>>()};
    for (const Json& exit : item["exits"]) {
      layers += (layers.empty() ? "" : ",") + std::to_string(rows.size() - 1);
      rows.push_back(exit.get<std::vector<float>>());
    }
    std::vector<const float*> logits;
    for (const auto& row : rows) logits.push_back(row.data());
    auto decoding = create_decoding(*model, dola(layers));
    ASSERT_TRUE(decoding.ok()) << decoding.status().message();
    std::vector<float> scores(rows[0].size());
    (*decoding)->combine(logits, scores);
    EXPECT_EQ(explain(logits, scores), item["chosen"].get<int64_t>());
    EXPECT_LT(compare(scores, item), 4e-6);  // of f32 log-probabilities around 10
  }
}

TEST_F(DolaGolden, GeneratesAsTransformers) {
  ASSERT_GE(cases_["generate"].size(), 12U);
  double worst = 0;
  for (const Json& item : cases_["generate"]) {
    SCOPED_TRACE(item["model"].get<std::string>() + " " + item["layers"].get<std::string>());
    LoadOptions load;
    load.isa = cpu_info().best;
    load.exact = true;
    auto model = Model::load(folder_ + item["model"].get<std::string>() + ".gguf", load, *pool_);
    ASSERT_TRUE(model.ok()) << model.status().message();
    auto decoding = create_decoding(**model, dola(item["layers"]));
    ASSERT_TRUE(decoding.ok()) << decoding.status().message();
    const Layers layers = candidates(**model, **decoding);
    EXPECT_EQ(layers, item["candidates"].get<Layers>());
    auto decoder = Decoder::create(*model, *pool_, 64, {std::move(decoding).value(), nullptr});
    ASSERT_TRUE(decoder.ok()) << decoder.status().message();
    const auto sequence = (*decoder)->create_sequence();
    ASSERT_TRUE(sequence.ok());

    std::vector<TokenRow> rows;
    for (const Json& token : item["prompt"]) rows.push_back({token, *sequence, false});
    for (size_t step = 0; step < item["steps"].size(); ++step) {
      const Json& want = item["steps"][step];
      rows.back().wanted = true;
      int32_t next = -1;
      const Status status = (*decoder)->run(rows, [&](const Decoder::Scores& got) -> Status {
        const int64_t chosen = explain(got.logits, got.scores);
        EXPECT_EQ(layers[static_cast<size_t>(std::max<int64_t>(chosen, 0))], want["chosen"].get<int64_t>());
        worst = std::max(worst, compare(got.scores, want));
        next = static_cast<int32_t>(std::ranges::max_element(got.scores) - got.scores.begin());
        return {};
      });
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(next, item["generated"][step].get<int32_t>()) << "step " << step;
      rows = {{item["generated"][step], *sequence, true}};
    }
  }
  RecordProperty("worst_score_error", std::to_string(worst));
  // f32 sums of up to 42 layers in another order, on scores up to 60.
  EXPECT_LT(worst, 2e-4);
}

}  // namespace
}  // namespace brisk::runtime
