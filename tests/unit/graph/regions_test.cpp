// Regions: where they begin, that a run-time size has one finder and a bound, and nonzero run through a plan.
#include "graph/regions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "graph/memory_plan.hpp"
#include "graph/plan.hpp"
#include "support/plan_runner.hpp"

namespace brisk::graph {
namespace {

ops::ValueType tensor(DType dtype, std::vector<Dim> shape) {
  return {ops::ValueForm::kTensor, dtype, std::move(shape)};
}

ValueId node(Graph& graph, const char* op, std::vector<ValueId> inputs, ops::Attributes attributes = {}) {
  auto made = graph.add_node(op, op, std::move(inputs), std::move(attributes));
  BRISK_ASSERT(made.ok(), "the test's graph is right");
  return made->at(0);
}

ops::Attributes size(int64_t id) { return {{{"size", id}}}; }

TEST(Regions, OneWithoutRunTimeSizes) {
  Graph graph;
  EXPECT_TRUE(regions(graph).empty());
  const ValueId x = graph.add_input("x", tensor(DType::kF32, {Dim::symbol(kTokens), Dim(4)}));
  graph.begin_segment("only");
  node(graph, "add", {x, node(graph, "add", {x, x})});
  EXPECT_EQ(regions(graph), (std::vector<Region>{{0, 2}}));
  EXPECT_EQ(run_time_size_count(graph), 0);
}

TEST(Regions, CutInFrontOfTheFirstNodeThatNeedsTheSize) {
  Graph graph;
  const ValueId x = graph.add_input("x", tensor(DType::kF32, {Dim::symbol(kTokens), Dim(4)}));
  graph.begin_segment("only");
  const ValueId first = node(graph, "nonzero", {x}, size(0));   // 0
  const ValueId second = node(graph, "nonzero", {x}, size(3));  // 1: needs no size, same region
  node(graph, "add", {x, x});                                   // 2: nor does this
  const ValueId a = node(graph, "cast", {first});               // 3: a new region
  const ValueId b = node(graph, "cast", {second});              // 4: both sizes are known now
  const ValueId third = node(graph, "nonzero", {a}, size(1));   // 5
  node(graph, "add", {b, b});                                   // 6
  node(graph, "cast", {third});                                 // 7: the third region
  ASSERT_TRUE(verify(graph).ok()) << verify(graph).message();
  EXPECT_EQ(regions(graph), (std::vector<Region>{{0, 3}, {3, 7}, {7, 8}}));
  EXPECT_EQ(run_time_size_count(graph), 4);
}

TEST(Regions, ASizeIsFoundByOneNode) {
  Graph graph;
  const ValueId x = graph.add_input("x", tensor(DType::kF32, {Dim(4)}));
  const ValueId y = graph.add_input("y", tensor(DType::kF32, {Dim(4)}));
  graph.begin_segment("only");
  node(graph, "nonzero", {x}, size(0));
  EXPECT_TRUE(verify(graph).ok());
  node(graph, "nonzero", {y}, size(0));
  EXPECT_THAT(verify(graph).message(), testing::HasSubstr("a run-time size of its own"));
}

TEST(Regions, InputsHaveKnownSizes) {
  Graph graph;
  graph.add_input("x", tensor(DType::kF32, {Dim::known_after(0, Dim(4))}));
  EXPECT_THAT(verify(graph).message(), testing::HasSubstr("known before the step"));
}

// Dimensions tokens x outputs have no affine bound: no buffer can be planned.
TEST(Regions, ASizeWithoutABoundIsRefusedByThePlan) {
  Graph graph;
  const ValueId x = graph.add_input("x", tensor(DType::kF32, {Dim::symbol(kTokens), Dim::symbol(kOutputs)}));
  graph.begin_segment("only");
  graph.mark_output(node(graph, "cast", {node(graph, "nonzero", {x}, size(0))}));
  ASSERT_TRUE(verify(graph).ok());
  const auto plan = Plan::create(std::move(graph), {});
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.status().message(), testing::HasSubstr("an upper bound"));
  EXPECT_THAT(plan.status().message(), testing::HasSubstr("the first op that needs them"));
}

TEST(Regions, SymbolsThatTheStepDoesNotLimitAreRefusedByThePlan) {
  Graph graph;
  graph.add_input("x", tensor(DType::kF32, {Dim::symbol(graph.add_symbol("pixels"))}));
  EXPECT_THAT(Plan::create(std::move(graph), {}).status().message(), testing::HasSubstr("pixels"));
}

/// The coordinates of what is not zero, [rank, count] row-major, by dividing the flat index.
std::vector<int64_t> plain_nonzero(const std::vector<float>& x, const std::vector<int64_t>& shape) {
  std::vector<std::vector<int64_t>> rows(shape.size());
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == 0) continue;
    auto rest = static_cast<int64_t>(i);
    for (size_t d = shape.size(); d-- > 0; rest /= shape[d]) rows[d].push_back(rest % shape[d]);
  }
  std::vector<int64_t> out;
  for (const auto& row : rows) out.insert(out.end(), row.begin(), row.end());
  return out;
}

// x [tokens, 3, 5] -> nonzero -> cast -> add to itself, against loops.
TEST(Regions, NonZeroRunsThroughAPlan) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Graph graph;
  const ValueId x = graph.add_input("x", tensor(DType::kF32, {Dim::symbol(kTokens), Dim(3), Dim(5)}));
  graph.begin_segment("only");
  const ValueId found = node(graph, "nonzero", {x}, size(2));
  const ValueId numbers = node(graph, "cast", {found});
  const ValueId sum = node(graph, "add", {numbers, numbers});
  for (const ValueId id : {found, sum}) graph.mark_output(id);
  PlanOptions options;
  options.isa = cpu_info().best;
  options.most_tokens = 9;
  options.most_outputs = 1;
  const auto plan = Plan::create(std::move(graph), options);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  for (const int lanes : {1, 2}) {
    const auto pool = ThreadPool::create(lanes);
    ASSERT_TRUE(pool.ok());
    test::PlanRunner runner(**plan, **pool);
    for (int64_t tokens = 0; tokens <= 9; ++tokens) {
      const int64_t kind = static_cast<int64_t>(random() % 4);  // 0: all zero, 1: none, else mixed
      std::vector<float> values(static_cast<size_t>(tokens * 15));
      for (float& value : values) {
        value = kind == 0 ? -0.0F : kind == 1 || random() % 2 == 0 ? 1.5F : 0.0F;
      }
      if (kind > 1 && !values.empty()) values.back() = std::numeric_limits<float>::quiet_NaN();
      runner.set<float>(x, values);
      runner.run({tokens, 1});
      const std::vector<int64_t> expected = plain_nonzero(values, {tokens, 3, 5});
      EXPECT_EQ(runner.get<int64_t>(found), expected);
      std::vector<float> doubled;
      for (const int64_t number : expected) doubled.push_back(2 * static_cast<float>(number));
      EXPECT_EQ(runner.get<float>(sum), doubled);
    }
  }
}

TEST(Regions, NonZeroOfAScalarAndOfBooleans) {
  Graph graph;
  const ValueId scalar = graph.add_input("scalar", tensor(DType::kF32, {}));
  const ValueId bools = graph.add_input("bools", tensor(DType::kBool, {Dim(5)}));
  graph.begin_segment("only");
  const ValueId of_scalar = node(graph, "nonzero", {scalar}, size(0));
  const ValueId of_bools = node(graph, "nonzero", {bools}, size(1));
  for (const ValueId id : {of_scalar, of_bools}) graph.mark_output(id);
  const auto plan = Plan::create(std::move(graph), {});
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  const auto pool = ThreadPool::create(1);
  test::PlanRunner runner(**plan, **pool);
  runner.set<float>(scalar, std::vector<float>{2.0F});
  runner.set<uint8_t>(bools, std::vector<uint8_t>{0, 1, 1, 0, 1});
  runner.run({1, 1});
  EXPECT_EQ(runner.size(0), 1);  // a scalar has no coordinates, but it is counted
  EXPECT_TRUE(runner.get<int64_t>(of_scalar).empty());
  EXPECT_EQ(runner.get<int64_t>(of_bools), (std::vector<int64_t>{1, 2, 4}));
}

}  // namespace
}  // namespace brisk::graph
