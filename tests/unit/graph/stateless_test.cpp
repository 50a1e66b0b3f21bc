// The stateless form of a graph: equal to the stateful one bit for bit, and refused where it would not be.
#include "graph/stateless.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <random>

#include "graph/plan.hpp"
#include "graph/text.hpp"
#include "support/plan_runner.hpp"

namespace brisk::graph {
namespace {

constexpr int64_t kHeads = 4, kKvHeads = 2, kKDim = 32, kVDim = 64, kLayers = 2;

ops::ValueType rows_of(int64_t width) {
  return {ops::ValueForm::kTensor, DType::kF32, {Dim::symbol(kTokens), Dim(width)}};
}
ops::ValueType state() { return {ops::ValueForm::kState, DType::kU8, {}}; }

ops::Attributes of_layer(int64_t layer, bool attention) {
  ops::Attributes a{{{"layer", layer}, {"kv_heads", kKvHeads}, {"k_dim", kKDim}, {"v_dim", kVDim}}};
  if (attention) a.entries.insert(a.entries.end(), {{"heads", kHeads}, {"scale", 0.2}});
  return a;
}

/// q, k, v -> store and attend in two layers; the second reads what the first made of the rows.
Graph two_layers() {
  Graph graph;
  const ValueId q = graph.add_input("q", rows_of(kHeads * kKDim));
  const ValueId k = graph.add_input("k", rows_of(kKvHeads * kKDim));
  const ValueId v = graph.add_input("v", rows_of(kKvHeads * kVDim));
  ValueId kv = graph.add_input("kv", state());
  ValueId sum = -1;
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    graph.begin_segment("layer." + std::to_string(layer), sum);
    kv = graph.add_node("store", "kv_store", {k, v, kv}, of_layer(layer, false)).value()[0];
    const ValueId mix = graph.add_node("mix", "attention", {q, kv}, of_layer(layer, true)).value()[0];
    sum = sum < 0 ? mix : graph.add_node("sum", "add", {sum, mix}).value()[0];
  }
  graph.mark_output(sum);
  return graph;
}

PlanOptions options(DType kv_type, Isa isa, int64_t rows) {
  PlanOptions options;
  options.isa = isa;
  options.kv_type = kv_type;
  options.most_tokens = rows;
  options.most_outputs = 1;
  return options;
}

/// Fresh uniform sequences of these lengths, in all layers: the state that a stateful plan works on.
class FreshState {
 public:
  FreshState(DType type, const std::vector<int64_t>& lengths)
      : geometry_{kKvHeads, kKDim, kVDim, type}, layers_(lengths.size() * kLayers) {
    int64_t slabs = 0;
    for (const int64_t length : lengths) slabs += (length + kernels::kPageTokens - 1) / kernels::kPageTokens;
    slabs *= kLayers;
    auto made = AlignedBuffer::allocate(static_cast<size_t>(slabs * geometry_.slab_bytes()), "test");
    BRISK_ASSERT(made.ok(), "a test has memory");
    buffer_ = std::move(made).value();
    pages_.reserve(static_cast<size_t>(slabs));
    for (size_t s = 0; s < lengths.size(); ++s) {
      for (int64_t layer = 0; layer < kLayers; ++layer) {
        const int32_t* first = pages_.data() + pages_.size();
        for (int64_t at = 0; at < lengths[s]; at += kernels::kPageTokens) {
          // From the end backwards: the order of pages in memory means nothing.
          pages_.push_back(static_cast<int32_t>((--slabs) * kKvHeads));
        }
        layers_[s * kLayers + static_cast<size_t>(layer)] = {&geometry_, buffer_.data(), first, nullptr,
                                                             nullptr};
      }
      for (int32_t i = 0; i < lengths[s]; ++i) rows_.push_back({&layers_[s * kLayers], i, 0, i + 1, nullptr});
    }
  }
  ops::KvState state() const { return {rows_.data(), nullptr}; }

 private:
  kernels::KvGeometry geometry_;
  std::vector<kernels::KvLayer> layers_;
  AlignedBuffer buffer_;
  std::vector<int32_t> pages_;
  std::vector<ops::KvRow> rows_;
};

std::vector<float> random_values(std::mt19937_64& random, int64_t count) {
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

TEST(Stateless, EqualsTheStatefulFormBitForBit) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<int64_t> lengths = {1, 300, 33, 7};  // across a block of 256 keys, pages, and one row
  const int64_t rows = 341;
  const std::vector<float> q = random_values(random, rows * kHeads * kKDim);
  const std::vector<float> k = random_values(random, rows * kKvHeads * kKDim);
  const std::vector<float> v = random_values(random, rows * kKvHeads * kVDim);
  std::vector<int32_t> segments;
  const std::array<int32_t, 4> names = {5, -2, 0, 5};  // any numbers that change from segment to segment
  for (size_t s = 0; s < lengths.size(); ++s)
    segments.insert(segments.end(), static_cast<size_t>(lengths[s]), names[s]);

  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0}) {
    for (const Isa isa : kAllIsas) {
      if (isa > cpu_info().best || kernels::find_attention(type, isa) == nullptr) continue;
      SCOPED_TRACE(std::string(dtype_name(type)) + " " + kernels::find_attention(type, isa)->name);
      auto rewritten = stateless(two_layers());
      ASSERT_TRUE(rewritten.ok()) << rewritten.status().message();
      std::vector<std::vector<float>> results;
      for (const bool with_state : {true, false}) {
        const auto plan =
            Plan::create(with_state ? two_layers() : std::move(rewritten).value(), options(type, isa, rows));
        ASSERT_TRUE(plan.ok()) << plan.status().message();
        const auto pool = ThreadPool::create(with_state ? 1 : 2);
        test::PlanRunner runner(**plan, **pool);
        const Graph& graph = (*plan)->graph();
        runner.set<float>(graph.find_input("q"), q);
        runner.set<float>(graph.find_input("k"), k);
        runner.set<float>(graph.find_input("v"), v);
        const FreshState fresh(type, lengths);
        if (with_state) {
          runner.set_kv(fresh.state());
        } else {
          runner.set<int32_t>(graph.find_input("segments"), segments);
        }
        runner.run({rows, 1});
        results.push_back(runner.get<float>(graph.outputs()[0]));
      }
      ASSERT_EQ(results[0].size(), results[1].size());
      for (size_t i = 0; i < results[0].size(); ++i) {
        ASSERT_EQ(std::bit_cast<uint32_t>(results[0][i]), std::bit_cast<uint32_t>(results[1][i])) << i;
      }
    }
  }
}

/// One segment of `rows` rows through attention_segments with further attributes.
std::vector<float> attend(ops::Attributes attributes, const std::vector<float>& q,
                          const std::vector<float>& k, const std::vector<float>& v, int64_t rows) {
  Graph graph;
  const ValueId qs = graph.add_input("q", rows_of(kHeads * kKDim));
  const ValueId ks = graph.add_input("k", rows_of(kKvHeads * kKDim));
  const ValueId vs = graph.add_input("v", rows_of(kKvHeads * kVDim));
  const ValueId segments =
      graph.add_input("segments", {ops::ValueForm::kTensor, DType::kI32, {Dim::symbol(kTokens)}});
  graph.begin_segment("only");
  ops::Attributes all = of_layer(0, true);
  all.entries.erase(all.entries.begin());
  all.entries.insert(all.entries.end(), attributes.entries.begin(), attributes.entries.end());
  const ValueId out = graph.add_node("mix", "attention_segments", {qs, ks, vs, segments}, all).value()[0];
  graph.mark_output(out);
  const auto plan = Plan::create(std::move(graph), options(DType::kF32, cpu_info().best, rows));
  BRISK_ASSERT(plan.ok(), "the test's graph can be planned");
  const auto pool = ThreadPool::create(1);
  test::PlanRunner runner(**plan, **pool);
  runner.set<float>(qs, q);
  runner.set<float>(ks, k);
  runner.set<float>(vs, v);
  runner.set<int32_t>(segments, std::vector<int32_t>(static_cast<size_t>(rows), 3));
  runner.run({rows, 1});
  return runner.get<float>(out);
}

/// Plain attention in double: row i sees rows [first(i), last(i)).
template <typename First, typename Last>
std::vector<double> plain(const std::vector<float>& q, const std::vector<float>& k,
                          const std::vector<float>& v, int64_t rows, First first, Last last) {
  std::vector<double> out;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t h = 0; h < kHeads; ++h) {
      const int64_t g = h / (kHeads / kKvHeads);
      std::vector<double> sum(kVDim, 0.0);
      double total = 0;
      for (int64_t j = first(i); j < last(i); ++j) {
        double score = 0;
        for (int64_t d = 0; d < kKDim; ++d) {
          score += static_cast<double>(q[static_cast<size_t>((i * kHeads + h) * kKDim + d)]) *
                   static_cast<double>(k[static_cast<size_t>((j * kKvHeads + g) * kKDim + d)]);
        }
        const double p = std::exp(score * 0.2);
        total += p;
        for (int64_t d = 0; d < kVDim; ++d) {
          sum[static_cast<size_t>(d)] +=
              p * static_cast<double>(v[static_cast<size_t>((j * kKvHeads + g) * kVDim + d)]);
        }
      }
      for (const double value : sum) out.push_back(value / total);
    }
  }
  return out;
}

TEST(Stateless, WholeSegmentsAndWindows) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const int64_t rows = 70;
  const std::vector<float> q = random_values(random, rows * kHeads * kKDim);
  const std::vector<float> k = random_values(random, rows * kKvHeads * kKDim);
  const std::vector<float> v = random_values(random, rows * kKvHeads * kVDim);
  const auto compare = [](const std::vector<float>& got, const std::vector<double>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    double worst = 0;
    for (size_t i = 0; i < got.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(got[i]) - expected[i]));
    // A score is off by 2^-24 of about 2 sqrt(32) |q| |k|, exp and the weighted mean by a few units of 2^-24.
    EXPECT_LT(worst, 2e-5);
  };
  const auto zero = [](int64_t) { return int64_t{0}; };
  const auto self = [](int64_t i) { return i + 1; };
  compare(attend({}, q, k, v, rows), plain(q, k, v, rows, zero, self));
  compare(attend({{{"causal", int64_t{0}}}}, q, k, v, rows),
          plain(q, k, v, rows, zero, [&](int64_t) { return rows; }));
  compare(attend({{{"window", int64_t{9}}}}, q, k, v, rows),
          plain(q, k, v, rows, [](int64_t i) { return std::max<int64_t>(0, i - 8); }, self));
}

TEST(Stateless, DumpsAndReadsBack) {
  const auto graph = stateless(two_layers());
  ASSERT_TRUE(graph.ok());
  const std::string text = dump(*graph);
  EXPECT_THAT(
      text, testing::HasSubstr("attention_segments(%0, %1, %2, %3) {kv_heads=2, k_dim=32, v_dim=64, heads=4, "
                               "scale=0.2} : f32[tokens, 256]  # mix"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("state")));
  const auto back = read_graph(text, "test");
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(dump(*back), text);
}

TEST(Stateless, RefusesWhatItCannotRewrite) {
  Graph unstored;
  const ValueId q = unstored.add_input("q", rows_of(kHeads * kKDim));
  const ValueId kv = unstored.add_input("kv", state());
  unstored.begin_segment("only");
  ASSERT_TRUE(unstored.add_node("mix", "attention", {q, kv}, of_layer(0, true)).ok());
  EXPECT_THAT(stateless(unstored).status().message(), testing::HasSubstr("a kv_store of layer 0 before it"));

  Graph as_output = two_layers();
  as_output.mark_output(as_output.nodes()[0].outputs[0]);
  EXPECT_EQ(stateless(as_output).status().code(), StatusCode::kBadInput);

  Graph two_states = two_layers();
  two_states.add_input("more", state());
  EXPECT_THAT(stateless(two_states).status().message(), testing::HasSubstr("a second one"));
}

}  // namespace
}  // namespace brisk::graph
