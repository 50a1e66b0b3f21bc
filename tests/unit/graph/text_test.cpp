// The text form: exact in both directions, and a clear error for text that is wrong.
#include "graph/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <random>

#include "graph/memory_plan.hpp"
#include "quant/weight_form.hpp"

namespace brisk::graph {
namespace {

constexpr const char* kSmall = R"(brisk graph 1
symbols tokens, outputs
input %0 : i32[tokens]  # tokens
input %1 : state  # kv
weight @table : f32[16, 8]
weight @"odd name \"\\\x0a" : q8_0[8, 32]
segment first
  %2 = embed(%0, @table) : f32[tokens, 8]  # embedding
  %3 = rope_table(%0) {frequencies=[1, 0.1, 1.5e-05]} : f32[tokens, 6]  # rope
segment empty stream=%2
segment "the second" stream=%2
  %4 = rope(%2, %3) {head_dim=8, style=1} : f32[tokens, 8]  # turned
  %5 = kv_store(%2, %4, %1) {layer=0, kv_heads=1, k_dim=8, v_dim=8} : state  # store
  %6 = nonzero(%4) {size=0} : i64[2, after(0)<=8*tokens]  # found
  %7 = cast(%6) : f32[2, after(0)<=8*tokens]  # numbers
output %7
output %0
)";

Result<Graph> read(std::string_view text) { return read_graph(text, "test"); }

TEST(Text, ReadsAndDumpsTheSame) {
  const auto graph = read(kSmall);
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(dump(*graph), kSmall);
  EXPECT_EQ(graph->nodes().size(), 6U);
  EXPECT_EQ(graph->value(graph->nodes()[2].outputs[0]).name, "turned");
  EXPECT_EQ(graph->segments()[2].name, "the second");
  EXPECT_EQ(graph->segments()[2].stream, graph->nodes()[0].outputs[0]);
  EXPECT_EQ(graph->nodes()[1].attributes.reals("frequencies"), (std::vector<float>{1.0F, 0.1F, 1.5e-05F}));
}

TEST(Text, LayoutAndNumbersOfValuesAreFree) {
  const auto graph = read(
      "brisk graph 1\n\n  symbols tokens,outputs,more\n\ninput %700:f32[ 2 * more + 3 + tokens - 4,8 ]#x\n"
      "segment s\n%5=add( %700,%700 ):f32[tokens+2*more-1,8]# y");
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(dump(*graph),
            "brisk graph 1\nsymbols tokens, outputs, more\ninput %0 : f32[tokens+2*more-1, 8]  # x\n"
            "segment s\n  %1 = add(%0, %0) : f32[tokens+2*more-1, 8]  # y\n");
}

TEST(Text, RealsComeBackExactly) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    double eps;
    std::vector<float> list(4);
    do {
      const uint64_t bits = random();
      std::memcpy(&eps, &bits, sizeof(eps));
    } while (!std::isfinite(eps));
    for (float& value : list) {
      do {
        const auto bits = static_cast<uint32_t>(random());
        std::memcpy(&value, &bits, sizeof(value));
      } while (!std::isfinite(value));
    }
    if (round == 0) eps = 3.0;  // must not come back as an integer
    if (round == 1) eps = -0.0;
    Graph graph;
    const ValueId x =
        graph.add_input("x", {ops::ValueForm::kTensor, DType::kF32, {Dim::symbol(kTokens), Dim(8)}});
    const ValueId p = graph.add_input("p", {ops::ValueForm::kTensor, DType::kI32, {Dim::symbol(kTokens)}});
    const ValueId w = graph.add_weight(quant::block_weight("w", DType::kF32, {8}, {}));
    graph.begin_segment("s");
    ASSERT_TRUE(graph.add_node("n", "rms_norm", {x, w}, {{{"eps", eps}}}).ok());
    ASSERT_TRUE(graph
                    .add_node("t", "rope_table", {p},
                              {{{"frequencies", std::make_shared<const std::vector<float>>(list)}}})
                    .ok());
    const auto back = read(dump(graph));
    ASSERT_TRUE(back.ok()) << back.status().message();
    const double eps_back = back->nodes()[0].attributes.real("eps");
    EXPECT_EQ(std::memcmp(&eps, &eps_back, sizeof(eps)), 0) << eps;
    const std::vector<float>& list_back = back->nodes()[1].attributes.reals("frequencies");
    ASSERT_EQ(list_back.size(), list.size());
    EXPECT_EQ(std::memcmp(list.data(), list_back.data(), sizeof(float) * list.size()), 0);
    EXPECT_EQ(dump(*back), dump(graph));
  }
}

TEST(Text, WeightsComeFromTheLookup) {
  const std::string text =
      "brisk graph 1\nsymbols tokens, outputs\ninput %0 : i32[tokens]  # tokens\nweight @table : f32[2, 4]\n"
      "segment s\n  %1 = embed(%0, @table) : f32[tokens, 4]  # e\noutput %1\n";
  const std::array<float, 8> values = {1, 2, 3, 4, 5, 6, 7, 8};
  const Weight right = quant::block_weight("table", DType::kF32, {2, 4}, std::as_bytes(std::span(values)));
  const Weight wrong = quant::block_weight("table", DType::kF32, {4, 2}, std::as_bytes(std::span(values)));
  const std::array<int64_t, 2> most = {4, 1};

  const auto with = read_graph(text, "test", [&](const std::string&) { return &right; });
  ASSERT_TRUE(with.ok()) << with.status().message();
  EXPECT_EQ(with->value(with->find_weight("table")).weight->only().data.data(), right.only().data.data());
  EXPECT_TRUE(plan_memory(*with, most).ok());

  const auto other = read_graph(text, "test", [&](const std::string&) { return &wrong; });
  EXPECT_EQ(other.status().code(), StatusCode::kBadInput);
  EXPECT_THAT(other.status().message(), testing::HasSubstr("f32[4, 2]"));
  EXPECT_FALSE(read_graph(text, "test", [](const std::string&) -> const Weight* { return nullptr; }).ok());

  const auto without = read(text);
  ASSERT_TRUE(without.ok());
  EXPECT_TRUE(verify(*without).ok());
  const auto planned = plan_memory(*without, most);
  EXPECT_EQ(planned.status().code(), StatusCode::kBadInput);
  EXPECT_THAT(planned.status().message(), testing::HasSubstr("without data"));
}

// A form that this version does not know: its parts are dumped, and the reader says that it has no such form.
TEST(Text, AWeightOfSeveralComponentsNamesThem) {
  const quant::WeightForm form{"halves", quant::ActivationForm::kF32, nullptr, nullptr};
  Graph graph;
  graph.add_weight({"w",
                    {8, 64},
                    &form,
                    {{"codes", DType::kU8, {8, 32}, {}}, {"scales", DType::kF16, {8, 2}, {}}},
                    {{"group", 32}}});
  const std::string text = dump(graph);
  EXPECT_THAT(text, testing::HasSubstr(
                        "weight @w : halves[8, 64] {group=32} (codes: u8[8, 32], scales: f16[8, 2])\n"));
  EXPECT_THAT(read(text).status().message(), testing::HasSubstr("expected a weight form, got 'halves'"));
}

struct Wrong {
  const char* from;  // what the small graph has once
  const char* to;
  const char* place;  // line and column of the error
  const char* says;
};

TEST(Text, EveryErrorSaysWhere) {
  const Wrong cases[] = {
      {"brisk graph 1", "brisk graph 2", "line 1, column 1", "brisk graph 1"},
      {"tokens, outputs", "outputs, tokens", "line 2", "tokens and outputs"},
      {"i32[tokens]", "i33[tokens]", "line 3", "a data type"},
      {"i32[tokens]", "i32[token]", "line 3", "a symbol that stands above, got 'token'"},
      {"i32[tokens]", "i32[9999999999999*tokens]", "line 3", "2^40"},
      {"i32[tokens]", "i32[99999999999999999999]", "line 3, column 16", "a dimension"},
      {"i32[tokens]", "i32[1,1,1,1,1,1,1,1,1]", "line 3", "8 dimensions"},
      {"input %1", "input %0", "line 4", "every value made once"},
      {"# kv", "# tokens", "line 4", "a name of its own"},
      {"f32[16, 8]", "f33[16, 8]", "line 5", "a weight form"},
      {"f32[16, 8]", "f32[16, 0]", "line 5", "a dimension from 1"},
      {"q8_0[8, 32]", "q8_0[8, 33]", "line 6", "whole blocks"},
      {"q8_0[8, 32]", "q8_0[1099511627776, 1099511627776]", "line 6", "can be counted"},
      {"segment first", "", "line 8", "a segment before"},
      {"embed(%0", "embet(%0", "line 8", "an op that Brisk has"},
      {"embed(%0", "embed(%9", "line 8", "%9"},
      {"@table)", "@tables)", "line 8", "a weight that stands above"},
      {"f32[tokens, 8]  # embedding", "f32[tokens, 9]  # embedding", "line 8", "f32[tokens, 8]"},
      {"%2 = embed", "%2, %20 = embed", "line 8", "1 outputs"},
      {"frequencies=", "frequency=", "line 9", "declares"},
      {"1.5e-05", "1.5e-99", "line 9", "a number"},
      {"[1, 0.1, 1.5e-05]", "[1, inf]", "line 9", "a number"},
      {"stream=%2\nsegment \"", "stream=%4\nsegment \"", "line 10", "made above"},
      {"\"the second\"", "\"the second", "line 11", "a closing quote"},
      {"style=1", "style=2", "line 12", "an integer from 0 to 1"},
      {"style=1", "style=1.0", "line 12", "an integer"},
      {"style=1", "style=1, style=1", "line 12", "given once"},
      {"{head_dim=8, style=1}", "{style=1}", "line 12", "head_dim"},
      {"# found", "# found twice", "line 14", "the end of the line"},
      {"output %7", "outputs %7", "line 16", "input, weight, segment"},
  };
  for (const Wrong& wrong : cases) {
    std::string text = kSmall;
    const size_t at = text.find(wrong.from);
    ASSERT_NE(at, std::string::npos) << wrong.from;
    text.replace(at, std::string_view(wrong.from).size(), wrong.to);
    const auto graph = read(text);
    ASSERT_FALSE(graph.ok()) << wrong.to;
    EXPECT_EQ(graph.status().code(), StatusCode::kBadInput);
    const std::string message = graph.status().message();
    EXPECT_THAT(message, testing::HasSubstr(wrong.place)) << wrong.to;
    EXPECT_THAT(message, testing::HasSubstr(wrong.says)) << wrong.to;
    EXPECT_FALSE(graph.status().parts().hint.empty());
  }
}

TEST(Text, EveryCutIsAnErrorOrAGraph) {
  const std::string text = kSmall;
  for (size_t length = 0; length < text.size(); ++length) {
    const auto graph = read(std::string_view(text).substr(0, length));
    if (graph.ok()) {
      EXPECT_TRUE(verify(*graph).ok());
    }
  }
  EXPECT_FALSE(read(std::string((64U << 20) + 1, ' ')).ok());
}

}  // namespace
}  // namespace brisk::graph
