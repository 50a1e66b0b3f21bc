// Tokens through a decoder: what enters in place of a token, policies that exclude each other, and rewrites
// of a graph on its way into a model.
#include "runtime/decoder.hpp"

#include <gtest/gtest.h>

#include "runtime/streams.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

class DecoderTest : public testing::Test {
 protected:
  std::shared_ptr<Model> load(const LoadOptions& options = {}) {
    auto model = tiny_.load(options, *pool_);
    EXPECT_TRUE(model.ok()) << model.status().message();
    return std::move(model).value();
  }
  std::vector<float> last_scores(Decoder& decoder, std::span<const TokenRow> rows) {
    const Status status = decoder.run(rows, {});
    EXPECT_TRUE(status.ok()) << status.message();
    return {decoder.last_scores().begin(), decoder.last_scores().end()};
  }

  test::TinyLlama tiny_;
  std::unique_ptr<ThreadPool> pool_ = test::make_pool(2);
};

/// A second stream without the second of the two layers.
class Shallow final : public Decoding {
 public:
  explicit Shallow(const Model& model) {
    streams_.push_back(std::move(pruned_stream(model, std::vector<int64_t>{1})).value());
  }
  std::string_view name() const override { return "shallow"; }
  std::span<const Stream> streams() const override { return streams_; }
  void combine(std::span<const float* const> logits, std::span<float> scores) override {
    std::copy_n(logits[1], scores.size(), scores.begin());
  }

 private:
  std::vector<Stream> streams_;
};

TEST_F(DecoderTest, AnEmbeddingTakesTheTokensPlaceAlsoInStreams) {
  const auto model = load();
  const auto width = static_cast<size_t>(model->config().width);
  auto decoder =
      std::move(Decoder::create(model, *pool_, 256, {std::make_shared<Shallow>(*model), {}})).value();
  std::vector<float> table;
  ASSERT_TRUE(
      decoder->engine()
          .set_taps({{"embedding",
                      [&](const graph::TapView& view) { table.assign(view.data, view.data + 3 * width); }}})
          .ok());
  const int32_t a = *decoder->create_sequence(), b = *decoder->create_sequence();
  const std::vector<TokenRow> tokens = {{5, a, false}, {6, a, false}, {7, a, true}};
  const std::vector<float> expected = last_scores(*decoder, tokens);
  ASSERT_TRUE(decoder->engine().set_taps({}).ok());

  std::vector<TokenRow> given = {{0, b, false}, {0, b, false}, {0, b, true}};
  for (size_t i = 0; i < given.size(); ++i) given[i].embedding = table.data() + i * width;
  EXPECT_EQ(last_scores(*decoder, given), expected);
  decoder->truncate(b, 0);
  given[1].position[0] = 40;
  EXPECT_NE(last_scores(*decoder, given), expected) << "the rotary position must matter";
}

TEST_F(DecoderTest, TwoPoliciesThatOwnTheKeysAndValuesAreNamed) {
  const auto model = load();
  KvPolicyOptions options{.policy = "streaming", .budget = 64, .block = 16, .sinks = 4};
  std::shared_ptr<KvPolicy> streaming = std::move(create_kv_policy(*model, options)).value();
  const Status status =
      Decoder::create(model, *pool_, 256, {std::make_shared<Shallow>(*model), streaming}).status();
  EXPECT_EQ(status.code(), StatusCode::kUsage);
  EXPECT_NE(status.message().find("shallow"), std::string::npos);
  EXPECT_NE(status.message().find("streaming"), std::string::npos);
}

TEST_F(DecoderTest, AdoptedSequencesGoOnUnlessAStreamMissedThem) {
  const auto model = load();
  auto plain = std::move(Decoder::create(model, *pool_, 256)).value();
  const int32_t first = *plain->create_sequence();
  const std::vector<TokenRow> prompt = {{5, first, false}, {6, first, true}};
  last_scores(*plain, prompt);
  const SequenceId copy = *plain->engine().kv().fork(plain->store_sequence(first));
  const int32_t adopted = *plain->adopt(copy);
  EXPECT_EQ(plain->length(adopted), 2);
  EXPECT_EQ(last_scores(*plain, std::vector<TokenRow>{{7, adopted, true}}),
            last_scores(*plain, std::vector<TokenRow>{{7, first, true}}));

  auto shallow =
      std::move(Decoder::create(model, *pool_, 256, {std::make_shared<Shallow>(*model), {}})).value();
  const SequenceId own = *shallow->engine().kv().create_sequence();
  EXPECT_EQ(shallow->adopt(own).status().code(), StatusCode::kUsage);
}

TEST_F(DecoderTest, RewritesChangeTheGraphBeforeItIsPlanned) {
  // Every SiLU gate becomes a sum: another function, so another answer; a wrong graph is refused.
  const auto add_for_gate = [](graph::Graph& graph) -> Status {
    std::vector<graph::Node> nodes = graph.take_nodes();
    for (graph::Node& node : nodes) {
      if (std::string_view(node.op->name) == "silu_mul") node.op = ops::find_op("add");
    }
    graph.set_nodes(std::move(nodes));
    return {};
  };
  LoadOptions options;
  options.rewrites = {add_for_gate};
  const auto scores_of = [&](const std::shared_ptr<Model>& model) {
    auto decoder = std::move(Decoder::create(model, *pool_, 64)).value();
    return last_scores(*decoder, std::vector<TokenRow>{{5, *decoder->create_sequence(), true}});
  };
  const auto plain = load(), rewritten = load(options);
  EXPECT_NE(scores_of(plain), scores_of(rewritten));
  const auto count = [](const Model& model, std::string_view op) {
    return std::ranges::count_if(model.plan().calls(),
                                 [&](const graph::PlannedCall& call) { return call.op == op; });
  };
  EXPECT_EQ(count(*plain, "silu_mul"), 2);
  EXPECT_EQ(count(*rewritten, "silu_mul"), 0);

  options.rewrites = {[](graph::Graph& graph) -> Status {
    std::vector<graph::Node> nodes = graph.take_nodes();
    std::swap(nodes.front(), nodes.back());
    graph.set_nodes(std::move(nodes));
    return {};
  }};
  EXPECT_FALSE(tiny_.load(options, *pool_).ok());
}

}  // namespace
}  // namespace brisk::runtime
