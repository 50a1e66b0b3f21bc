// The verifier finds planted faults; passes keep what must stay; the memory plan never overlaps live buffers.
#include "graph/graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <random>

#include "graph/memory_plan.hpp"
#include "graph/passes/pass.hpp"
#include "quant/weight_form.hpp"

namespace brisk::graph {
namespace {

ops::ValueType f32_rows(int64_t width) {
  return {ops::ValueForm::kTensor, DType::kF32, {Dim::symbol(kTokens), Dim(width)}};
}

struct Sample {
  Graph graph;
  ValueId a, b, sum;
};

// sum = a + b; out = silu(sum) * a
Sample sample() {
  Sample s;
  s.a = s.graph.add_input("a", f32_rows(8));
  s.b = s.graph.add_input("b", f32_rows(8));
  s.graph.begin_segment("only");
  s.sum = s.graph.add_node("sum", "add", {s.a, s.b}).value()[0];
  s.graph.mark_output(s.graph.add_node("out", "silu_mul", {s.sum, s.a}).value()[0]);
  return s;
}

TEST(Verify, AcceptsTheSample) { EXPECT_TRUE(verify(sample().graph).ok()); }

TEST(Verify, FindsAValueUsedBeforeItIsMade) {
  Sample s = sample();
  std::vector<Node> nodes = s.graph.take_nodes();
  std::swap(nodes[0], nodes[1]);
  s.graph.set_nodes(std::move(nodes));
  EXPECT_EQ(verify(s.graph).code(), StatusCode::kInternal);
}

TEST(Verify, FindsAValueMadeTwice) {
  Sample s = sample();
  std::vector<Node> nodes = s.graph.take_nodes();
  nodes.insert(nodes.begin(), nodes[0]);
  s.graph.set_nodes(std::move(nodes));
  EXPECT_FALSE(verify(s.graph).ok());
}

TEST(Verify, FindsAWrongType) {
  Sample s = sample();
  const ValueId wrong = s.graph.add_activation("wrong", f32_rows(9));
  std::vector<Node> nodes = s.graph.take_nodes();
  nodes[1].outputs[0] = wrong;
  s.graph.set_nodes(std::move(nodes));
  EXPECT_FALSE(verify(s.graph).ok());
}

TEST(Verify, FindsAnOutputNobodyMakes) {
  Sample s = sample();
  std::vector<Node> nodes = s.graph.take_nodes();
  nodes.pop_back();
  s.graph.set_nodes(std::move(nodes));
  EXPECT_FALSE(verify(s.graph).ok());
}

// Two changes of one state, the second of which uses `state` or what the first made of it.
Status two_stores(bool newest) {
  Graph graph;
  const ValueId k = graph.add_input("k", f32_rows(8));
  ValueId state = graph.add_input("kv", {ops::ValueForm::kState, DType::kU8, {}});
  graph.begin_segment("only");
  for (int64_t layer = 0; layer < 2; ++layer) {
    const ops::Attributes attributes{
        {{"layer", layer}, {"kv_heads", int64_t{1}}, {"k_dim", int64_t{8}}, {"v_dim", int64_t{8}}}};
    const auto changed = graph.add_node("store", "kv_store", {k, k, state}, attributes);
    BRISK_TRY(changed);
    if (newest) state = changed->at(0);
  }
  return verify(graph);
}

TEST(Verify, FindsAnOldState) {
  EXPECT_TRUE(two_stores(true).ok()) << two_stores(true).message();
  EXPECT_EQ(two_stores(false).code(), StatusCode::kInternal);
}

TEST(Verify, FindsAStreamThatIsMadeLater) {
  for (const bool later : {false, true}) {
    Sample s = sample();
    s.graph.begin_segment("second", later ? -1 : s.sum);
    const auto made = s.graph.add_node("more", "add", {s.sum, s.a});
    ASSERT_TRUE(made.ok());
    if (later) s.graph.replace_named(-1, made->at(0));
    EXPECT_EQ(verify(s.graph).ok(), !later) << verify(s.graph).message();
  }
}

TEST(Verify, FindsAttributesThatTheOpDoesNotHave) {
  Graph graph;
  const ValueId x = graph.add_input("x", f32_rows(8));
  graph.begin_segment("only");
  const auto norm = [&](ops::Attributes attributes) {
    const std::vector<float> ones(8, 1.0F);
    const ValueId w =
        graph.add_weight(quant::block_weight("w", DType::kF32, {8}, std::as_bytes(std::span(ones))));
    return graph.add_node("norm", "rms_norm", {x, w}, std::move(attributes));
  };
  EXPECT_TRUE(norm({{{"eps", 1e-5}}}).ok());
  EXPECT_FALSE(norm({}).ok());
  EXPECT_FALSE(norm({{{"eps", int64_t{1}}}}).ok());
  EXPECT_FALSE(norm({{{"eps", std::numeric_limits<double>::infinity()}}}).ok());
  EXPECT_FALSE(norm({{{"eps", 1e-5}, {"eps", 1e-5}}}).ok());
  EXPECT_FALSE(norm({{{"eps", 1e-5}, {"scale", 1.0}}}).ok());
}

TEST(Infer, RefusesWidthsThatDiffer) {
  Sample s = sample();
  const ValueId narrow = s.graph.add_input("narrow", f32_rows(4));
  EXPECT_FALSE(s.graph.add_node("bad", "add", {s.a, narrow}).ok());
  EXPECT_FALSE(s.graph.add_node("bad", "add", {s.a}).ok());
}

TEST(Passes, CommonNodesAreShared) {
  Sample s = sample();
  const ValueId twin = s.graph.add_node("twin", "add", {s.a, s.b}).value()[0];
  s.graph.mark_output(s.graph.add_node("both", "add", {s.sum, twin}).value()[0]);
  const std::vector<std::string> off;
  const auto reports = run_passes(s.graph, {}, off);
  ASSERT_TRUE(reports.ok()) << reports.status().message();
  EXPECT_EQ(s.graph.nodes().size(), 3U);
  EXPECT_EQ(s.graph.nodes().back().inputs, (std::vector<ValueId>{s.sum, s.sum}));
  const PassReport& report = reports->front();
  EXPECT_EQ(report.name, "share_common");
  EXPECT_EQ(report.nodes_before, 4U);
  EXPECT_EQ(report.nodes_after, 3U);
  EXPECT_EQ(report.added, 0U);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_EQ(report.changed, 1U);
}

TEST(Passes, DeadNodesGoAndTheSwitchKeepsThem) {
  for (const bool keep : {false, true}) {
    Sample s = sample();
    ASSERT_TRUE(s.graph.add_node("unused", "add", {s.sum, s.a}).ok());
    const std::vector<std::string> off =
        keep ? std::vector<std::string>{"dead_code"} : std::vector<std::string>{};
    ASSERT_TRUE(run_passes(s.graph, {}, off).ok());
    EXPECT_EQ(s.graph.nodes().size(), keep ? 3U : 2U);
  }
}

TEST(Passes, StreamsStayAlive) {
  Sample s = sample();
  const ValueId stream = s.graph.add_node("passed on", "add", {s.sum, s.b}).value()[0];
  s.graph.begin_segment("left early", stream);
  const auto reports = run_passes(s.graph, {}, {});
  EXPECT_TRUE(reports.ok()) << reports.status().message();
  EXPECT_EQ(s.graph.nodes().size(), 3U);
}

TEST(Passes, AnUnknownNameIsAUsageError) {
  Sample s = sample();
  const std::vector<std::string> off = {"dead_cod"};
  EXPECT_EQ(run_passes(s.graph, {}, off).status().code(), StatusCode::kUsage);
}

TEST(MemoryPlan, LiveBuffersNeverOverlap) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    Graph graph;
    graph.begin_segment("only");
    std::vector<ValueId> values = {graph.add_input("in", f32_rows(16))};
    for (int i = 0; i < 30; ++i) {
      const ValueId a = values[random() % values.size()];
      const ValueId b = values[random() % values.size()];
      values.push_back(
          graph.add_node("n" + std::to_string(i), i % 2 ? "add" : "silu_mul", {a, b}).value()[0]);
    }
    graph.mark_output(values.back());
    const std::array<int64_t, 2> most = {5, 1};
    const auto planned = plan_memory(graph, most);
    ASSERT_TRUE(planned.ok()) << planned.status().message();
    const MemoryPlan& plan = *planned;
    // Replay: each buffer holds the value written last; a read must find the value it wants.
    std::vector<std::pair<int64_t, ValueId>> held;
    auto write = [&](ValueId id) {
      const int64_t at = plan.offsets[static_cast<size_t>(id)];
      const int64_t bytes = ops::value_bytes(graph.value(id).type, most).value();
      ASSERT_GE(at, 0);
      ASSERT_LE(at + bytes, plan.arena_bytes);
      std::erase_if(held, [&](const auto& h) { return h.first < at + bytes && at < h.first + bytes; });
      held.emplace_back(at, id);
    };
    auto present = [&](ValueId id) {
      return std::ranges::find(held, std::pair{plan.offsets[static_cast<size_t>(id)], id}) != held.end();
    };
    write(values[0]);
    for (const Node& node : graph.nodes()) {
      for (const ValueId id : node.inputs) ASSERT_TRUE(present(id)) << graph.value(id).name;
      write(node.outputs[0]);
    }
    ASSERT_TRUE(present(values.back()));
  }
}

}  // namespace
}  // namespace brisk::graph
