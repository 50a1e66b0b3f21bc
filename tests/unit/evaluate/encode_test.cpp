// From items to tokens: where the answer is cut off, BOS, and what a model cannot take.
#include "evaluate/encode.hpp"

#include <gtest/gtest.h>

#include "support/tiny_llama.hpp"

namespace brisk::evaluate {
namespace {

using Tokens = std::vector<int32_t>;

class EncodeTest : public testing::Test {
 protected:
  std::shared_ptr<const runtime::Model> load(bool add_bos = false) {
    test::GgufBuilder builder = test::TinyLlama().builder();
    if (add_bos) {
      builder.add("tokenizer.ggml.bos_token_id", uint32_t{3});
      builder.add("tokenizer.ggml.add_bos_token", true);
      builder.add("tokenizer.ggml.add_eos_token", true);
    }
    runtime::LoadOptions options;
    options.context = 64;
    auto model = test::TinyLlama::load_bytes(builder.build(), options, *pool_);
    EXPECT_TRUE(model.ok()) << model.status().message();
    return *model;
  }
  static Tokens ids(const runtime::Model& model, const std::string& text) {
    return model.tokenizer().encode(text, {.add_special = false, .parse_special = true}).value();
  }
  static ChoiceItem question(Text prompt, Text correct, Text incorrect) {
    return {.line = 3,
            .prompt = std::move(prompt),
            .correct = {std::move(correct)},
            .incorrect = {std::move(incorrect)}};
  }

  std::unique_ptr<ThreadPool> pool_ = test::make_pool(1);
};

TEST_F(EncodeTest, AnAnswerIsWhatStandsBehindThePrompt) {
  const auto model = load();
  const auto item = encode(*model, question("Q: x\nA:", " yes", " no"), "f");
  ASSERT_TRUE(item.ok()) << item.status().message();
  EXPECT_EQ(item->prompt, ids(*model, "Q: x\nA:"));
  ASSERT_EQ(item->continuations.size(), 2U);
  Tokens whole = item->prompt;
  whole.insert(whole.end(), item->continuations[0].begin(), item->continuations[0].end());
  EXPECT_EQ(whole, ids(*model, "Q: x\nA: yes"));
}

TEST_F(EncodeTest, WhereTheCutFallsInsideATokenTheAnswerStandsAlone) {
  const auto model = load();
  // A prompt and an answer whose border a merge of the vocabulary joins.
  const std::string whole = "the";
  ASSERT_LT(ids(*model, whole).size(), 3U) << "the test's vocabulary has a merge in this word";
  const std::string prompt = whole.substr(0, 1), answer = whole.substr(1);
  const auto item = encode(*model, question(prompt, answer, "zzz"), "f");
  ASSERT_TRUE(item.ok()) << item.status().message();
  EXPECT_EQ(item->prompt, ids(*model, prompt));
  EXPECT_EQ(item->continuations[0], ids(*model, answer));
}

TEST_F(EncodeTest, BosBeginsPromptsAndNothingElse) {
  const auto model = load(true);
  const auto item = encode(*model, question("Q", "a", Tokens{7}), "f");
  ASSERT_TRUE(item.ok()) << item.status().message();
  Tokens prompt = ids(*model, "Q");
  prompt.insert(prompt.begin(), 3);
  EXPECT_EQ(item->prompt, prompt);
  EXPECT_EQ(item->continuations[0], ids(*model, "a"));
  EXPECT_EQ(item->continuations[1], Tokens{7});
  const ContinuationItem text{.line = 1, .prompt = std::string(), .continuations = {"ab"}};
  EXPECT_EQ(encode(*model, text, "f")->prompt, Tokens{3});
}

TEST_F(EncodeTest, IdsAreTakenAsTheyAre) {
  const auto model = load(true);
  const auto item = encode(*model, question(Tokens{5, 6}, Tokens{7}, "a"), "f");
  ASSERT_TRUE(item.ok()) << item.status().message();
  EXPECT_EQ(item->prompt, (Tokens{5, 6}));
  EXPECT_EQ(item->continuations[1], ids(*model, "a"));
}

TEST_F(EncodeTest, WhatTheModelCannotTakeIsNamed) {
  const auto model = load();
  const auto refused = [&](const ChoiceItem& item, const std::string& named) {
    const Status status = encode(*model, item, place_of("f.jsonl", item.line)).status();
    EXPECT_EQ(status.code(), StatusCode::kBadInput);
    EXPECT_EQ(status.parts().where.rfind("f.jsonl, line 3", 0), 0U) << status.message();
    EXPECT_NE(status.message().find(named), std::string::npos) << status.message();
  };
  refused(question(Tokens{1 << 20}, "a", "b"), "prompt");
  refused(question("Q", Tokens{1, 1 << 20}, "b"), "correct[0]");
  refused(question("Q", "a", Tokens{1 << 20}), "incorrect[0]");
  refused(question("", "a", "b"), "prompt");
  refused(question("Q", "a", Tokens(64, 5)), "64 tokens");
  refused(question(Tokens{1}, "a", ids(*model, "a")), "same tokens");
}

}  // namespace
}  // namespace brisk::evaluate
