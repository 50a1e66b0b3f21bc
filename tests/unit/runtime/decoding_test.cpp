// The choice of a decoding method: what each refuses, what it asks of the runtime, and how it combines.
#include "runtime/decoding/decoding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "runtime/contrast.hpp"
#include "runtime/decoder.hpp"
#include "runtime/prunecd_profile.hpp"
#include "runtime/streams.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

using testing::HasSubstr;
using Layers = std::vector<int64_t>;

class DecodingTest : public testing::Test {
 protected:
  DecodingTest() {
    tiny_.layers = 6;
    tiny_.width = 64;
    tiny_.ffn = 64;
    tiny_.head_dim = 16;
    model_ = load(tiny_.builder());
  }
  ~DecodingTest() override { ::unlink(path_.c_str()); }

  std::shared_ptr<Model> load(const test::GgufBuilder& builder) {
    auto model = test::TinyLlama::load_bytes(builder.build(), {}, *pool_);
    EXPECT_TRUE(model.ok()) << model.status().message();
    return std::move(model).value();
  }

  DecodingOptions prunecd(Layers pruned) {
    PrunecdProfile profile;
    profile.fingerprint = model_->fingerprint();
    profile.layers = model_->config().layers;
    profile.pruned = std::move(pruned);
    return prunecd(profile);
  }
  DecodingOptions prunecd(const PrunecdProfile& profile) {
    EXPECT_TRUE(write_prunecd_profile(profile, path_, true).ok());
    DecodingOptions options;
    options.method = "prunecd";
    options.profile = path_;
    return options;
  }
  Status refused(const DecodingOptions& options) { return create_decoding(*model_, options).status(); }
  std::unique_ptr<Decoding> make(const DecodingOptions& options) {
    auto decoding = create_decoding(*model_, options);
    EXPECT_TRUE(decoding.ok()) << decoding.status().message();
    return std::move(decoding).value();
  }

  test::TinyLlama tiny_;
  std::unique_ptr<ThreadPool> pool_ = test::make_pool(1);
  std::shared_ptr<Model> model_;
  std::string path_ = testing::TempDir() + "decoding_test_" + std::to_string(getpid()) + ".json";
};

TEST_F(DecodingTest, MethodsAreListedAndUnknownOnesNamed) {
  std::vector<std::string> names;
  for (const DecodingMethod& method : all_decodings()) names.emplace_back(method.name);
  EXPECT_THAT(names, testing::IsSupersetOf({"plain", "prunecd", "dola", "contrastive"}));
  DecodingOptions options;
  EXPECT_EQ(make(options), nullptr);
  options.method = "beam";
  const Status status = refused(options);
  EXPECT_EQ(status.code(), StatusCode::kUsage);
  EXPECT_THAT(status.message(), HasSubstr("prunecd"));
  EXPECT_THAT(status.message(), HasSubstr("beam"));
}

TEST_F(DecodingTest, OptionsThatAMethodDoesNotReadAreRefused) {
  DecodingOptions plain;
  plain.alpha = 0.1;
  EXPECT_EQ(refused(plain).code(), StatusCode::kUsage);
  EXPECT_THAT(refused(plain).message(), HasSubstr("alpha"));
  DecodingOptions dola;
  dola.method = "dola";
  dola.mode = ContrastMode::kExtrapolate;
  EXPECT_THAT(refused(dola).message(), HasSubstr("mode"));
  DecodingOptions pruned = prunecd(Layers{3});
  pruned.layers = "low";
  EXPECT_THAT(refused(pruned).message(), HasSubstr("layers"));
  pruned.layers.clear();
  pruned.amateur = model_;
  EXPECT_THAT(refused(pruned).message(), HasSubstr("amateur"));
}

TEST_F(DecodingTest, PrunecdIsOneStreamFromTheFirstPrunedLayer) {
  const auto decoding = make(prunecd(Layers{2, 4}));
  ASSERT_EQ(decoding->streams().size(), 1U);
  const Stream& stream = decoding->streams()[0];
  EXPECT_TRUE(stream.every_token);
  EXPECT_FALSE(stream.shares_prompt);
  EXPECT_EQ(stream.from, model_->plan().find_segment("layer.2"));
  for (size_t s = 0; s < stream.skip.size(); ++s) {
    const std::string& name = model_->plan().graph().segments()[s].name;
    EXPECT_EQ(stream.skip[s] != 0, name == "layer.2" || name == "layer.4") << name;
  }
  EXPECT_TRUE(decoding->notices().empty());
  EXPECT_TRUE(decoding->owns_kv());
  EXPECT_FALSE(decoding->greedy_only());
  DecodingOptions options = prunecd(Layers{2, 4});
  options.shared_prompt = options.approximate_head = true;
  EXPECT_TRUE(make(options)->streams()[0].shares_prompt);
  EXPECT_TRUE(make(options)->greedy_only());
}

TEST_F(DecodingTest, PrunecdWithoutPrunedLayersIsPlainWithANotice) {
  const auto decoding = make(prunecd(Layers{}));
  EXPECT_EQ(decoding->name(), "prunecd");
  EXPECT_TRUE(decoding->streams().empty());
  ASSERT_EQ(decoding->notices().size(), 1U);
  EXPECT_THAT(decoding->notices()[0], HasSubstr("plain"));
  const std::vector<float> logits = {1, 5, 2};
  std::vector<float> scores(3);
  const float* rows[] = {logits.data()};
  decoding->combine(rows, scores);
  EXPECT_EQ(scores, logits);
}

TEST_F(DecodingTest, PrunecdWarnsOfTheFirstAndTheLastLayer) {
  EXPECT_THAT(make(prunecd(Layers{0, 3}))->notices(), testing::ElementsAre(HasSubstr("layer 0")));
  EXPECT_THAT(make(prunecd(Layers{3, 5}))->notices(), testing::ElementsAre(HasSubstr("layer 5")));
  EXPECT_EQ(make(prunecd(Layers{0, 5}))->notices().size(), 2U);
}

TEST_F(DecodingTest, PrunecdRefusesWhatDoesNotFit) {
  DecodingOptions none;
  none.method = "prunecd";
  EXPECT_EQ(refused(none).code(), StatusCode::kUsage);
  none.profile = "/nonexistent/prunecd.json";
  EXPECT_EQ(refused(none).code(), StatusCode::kEnvironment);
  PrunecdProfile profile;
  profile.fingerprint = "another model's";
  profile.layers = 6;
  EXPECT_THAT(refused(prunecd(profile)).message(), HasSubstr("fingerprint"));
  profile.fingerprint = model_->fingerprint();
  profile.layers = 7;
  EXPECT_THAT(refused(prunecd(profile)).message(), HasSubstr("layers"));
  EXPECT_THAT(refused(prunecd(Layers{0, 1, 2, 3, 4, 5})).message(), HasSubstr("at least one layer"));
  EXPECT_THAT(refused(prunecd(Layers{6})).message(), HasSubstr("0 to 5"));
  DecodingOptions options = prunecd(Layers{3});
  options.alpha = 0;
  EXPECT_EQ(refused(options).code(), StatusCode::kUsage);
  options.alpha = 0.1;
  options.lambda = -1;
  EXPECT_EQ(refused(options).code(), StatusCode::kUsage);
}

TEST_F(DecodingTest, OptionsGoBeforeTheProfile) {
  const std::vector<float> expert = {1, 2, 0}, amateur = {2, 0, 1};
  const float* rows[] = {expert.data(), amateur.data()};
  std::vector<float> scores(3), want(3);
  PrunecdProfile profile;
  profile.fingerprint = model_->fingerprint();
  profile.layers = 6;
  profile.pruned = {3};
  profile.mode = ContrastMode::kExtrapolate;
  profile.alpha = 0.25;
  profile.lambda = 2;
  DecodingOptions options = prunecd(profile);
  make(options)->combine(rows, scores);
  Contrast({ContrastMode::kExtrapolate, 0.25, 2.0}).filtered(expert, amateur, want);
  EXPECT_EQ(scores, want);
  options.mode = ContrastMode::kRatio;
  options.alpha = 0.01;
  make(options)->combine(rows, scores);
  Contrast({ContrastMode::kRatio, 0.01}).filtered(expert, amateur, want);
  EXPECT_EQ(scores, want);
  make(options)->combine_unfiltered(rows, scores);
  Contrast({ContrastMode::kRatio, 0.01}).unfiltered(expert, amateur, want);
  EXPECT_EQ(scores, want);
}

TEST_F(DecodingTest, ContrastiveWantsASecondModelOfTheSameVocabulary) {
  DecodingOptions options;
  options.method = "contrastive";
  EXPECT_EQ(refused(options).code(), StatusCode::kUsage);

  test::TinyLlama small = tiny_;
  small.layers = 2;
  small.seed = 9;
  options.amateur = load(small.builder());
  const auto decoding = make(options);
  EXPECT_EQ(decoding->second_model(), options.amateur);
  EXPECT_TRUE(decoding->streams().empty());
  EXPECT_FALSE(decoding->owns_kv());

  test::GgufBuilder renamed = small.builder();
  const auto key = std::ranges::find(renamed.keys, "tokenizer.ggml.tokens", &test::GgufBuilder::Key::name);
  const std::string end = "<|end|>";
  const auto at = std::search(key->value.begin(), key->value.end(), end.begin(), end.end(),
                              [](std::byte a, char b) { return a == static_cast<std::byte>(b); });
  ASSERT_NE(at, key->value.end());
  *(at + 2) = static_cast<std::byte>('E');
  options.amateur = load(renamed);
  EXPECT_EQ(refused(options).code(), StatusCode::kBadInput);
  EXPECT_THAT(refused(options).message(), HasSubstr("<|End|>"));

  const char* source = std::getenv("BRISK_SOURCE_DIR");
  if (source == nullptr) GTEST_SKIP() << "BRISK_SOURCE_DIR is not set: no model with another vocabulary";
  auto other = Model::load(std::string(source) + "/tests/data/dola/tied.gguf", {}, *pool_);
  ASSERT_TRUE(other.ok()) << other.status().message();
  options.amateur = *other;
  EXPECT_EQ(refused(options).code(), StatusCode::kBadInput);
  EXPECT_THAT(refused(options).message(), HasSubstr("257"));
}

TEST_F(DecodingTest, LayersThatTheModelLacksAreRefused) {
  EXPECT_EQ(layer_segment(*model_, -1).status().code(), StatusCode::kUsage);
  EXPECT_EQ(layer_segment(*model_, 6).status().code(), StatusCode::kUsage);
  EXPECT_EQ(early_exit_stream(*model_, 6).status().code(), StatusCode::kUsage);
  const int64_t pruned[] = {5, 6};
  EXPECT_EQ(pruned_stream(*model_, pruned).status().code(), StatusCode::kUsage);
}

}  // namespace
}  // namespace brisk::runtime
