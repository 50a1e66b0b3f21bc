// Many sets of layers measured at once have the figures of each measured alone, and of a model that really
// lacks the layers; the search on them never takes layers that do nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "evaluate/layer_sets.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::evaluate {
namespace {

constexpr uint64_t kSeed = 27;

struct LayerSetsProperty : testing::Test {
  LayerSetsProperty() {
    tiny.layers = 6;
    tiny.ffn = 256;
    std::mt19937_64 random(kSeed);
    const auto tokens = [&random](size_t count) {
      std::vector<int32_t> list(count);
      for (int32_t& token : list) token = static_cast<int32_t>(random() % 200);
      return list;
    };
    for (int i = 0; i < 5; ++i) {
      task.items.push_back({tokens(6), {tokens(2), tokens(3), tokens(1)}});
      task.correct.push_back(1 + static_cast<size_t>(i % 2));
    }
    text.push_back({{}, {tokens(40)}});
    options.context = 128;
  }

  std::shared_ptr<runtime::Model> load(const test::GgufBuilder& builder) {
    auto model = test::TinyLlama::load_bytes(builder.build(), options, *pool);
    EXPECT_TRUE(model.ok()) << model.status().message();
    return *model;
  }

  std::vector<SetFigures> measure(const std::shared_ptr<runtime::Model>& model, size_t at_once,
                                  ThreadPool& threads) {
    SetMeter meter(model, threads, task, text, {.contrast = {}, .sets_at_once = at_once});
    EXPECT_TRUE(meter.measure_full(nullptr).ok());
    auto figures = meter.measure(sets, {}, nullptr);
    EXPECT_TRUE(figures.ok()) << figures.status().message();
    return std::move(*figures);
  }

  /// Makes the answers that the whole model likes best the correct ones, so that there is truth to lose.
  void take_favourites(const std::shared_ptr<runtime::Model>& model) {
    const auto scorer = runtime::Scorer::create(model, *pool).value();
    const auto scores = scorer->score(task.items).value();
    for (size_t i = 0; i < task.size(); ++i) {
      const auto mean = [](const runtime::ScoredText& scored) {
        return scored.sum() / static_cast<double>(scored.logprobs.size());
      };
      const auto best = std::ranges::max_element(scores[i], {}, mean) - scores[i].begin();
      std::swap(task.items[i].continuations[0], task.items[i].continuations[static_cast<size_t>(best)]);
      task.correct[i] = 1;
    }
  }

  static void expect_equal(const SetFigures& a, const SetFigures& b) {
    EXPECT_EQ(a.truth, b.truth);
    EXPECT_EQ(a.mc1, b.mc1);
    EXPECT_EQ(a.contrast, b.contrast);
    EXPECT_EQ(a.contrast_mc1, b.contrast_mc1);
    EXPECT_EQ(a.fluency, b.fluency);
  }

  test::TinyLlama tiny;
  ChoiceTask task;
  std::vector<runtime::ScoreItem> text;
  runtime::LoadOptions options;
  std::unique_ptr<ThreadPool> pool = test::make_pool(1);
  const std::vector<LayerSet> sets = {{1}, {2}, {3}, {1, 2}, {2, 4}, {1, 3, 4}};
};

TEST_F(LayerSetsProperty, TogetherOrAloneOnAnyNumberOfThreads) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  const auto model = load(tiny.builder());
  const auto together = measure(model, 8, *pool);
  const auto threads = test::make_pool(3);
  const auto alone = measure(model, 1, *threads);
  for (size_t i = 0; i < sets.size(); ++i) expect_equal(together[i], alone[i]);
}

/// The model's file without some layers.
test::GgufBuilder without(test::GgufBuilder builder, const LayerSet& layers, int64_t count) {
  std::erase_if(builder.tensors, [&](const auto& tensor) {
    return std::ranges::any_of(
        layers, [&](int64_t layer) { return tensor.name.starts_with("blk." + std::to_string(layer) + "."); });
  });
  for (auto& tensor : builder.tensors) {
    if (!tensor.name.starts_with("blk.")) continue;
    const size_t dot = tensor.name.find('.', 4);
    const int64_t old = std::stoll(tensor.name.substr(4, dot - 4));
    const auto before = std::ranges::count_if(layers, [old](int64_t layer) { return layer < old; });
    tensor.name = "blk." + std::to_string(old - before) + tensor.name.substr(dot);
  }
  const auto left = static_cast<uint32_t>(count - std::ssize(layers));
  for (auto& key : builder.keys) {
    if (key.name == "llama.block_count") std::memcpy(key.value.data(), &left, sizeof(left));
  }
  return builder;
}

TEST_F(LayerSetsProperty, FiguresAreThoseOfAModelThatLacksTheLayers) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  const auto model = load(tiny.builder());
  const auto figures = measure(model, 8, *pool);
  for (size_t i = 0; i < sets.size(); ++i) {
    const auto shallow = load(without(tiny.builder(), sets[i], tiny.layers));
    SetMeter meter(shallow, *pool, task, text, {.contrast = {}});
    const auto expected = meter.measure_full(nullptr);
    ASSERT_TRUE(expected.ok()) << expected.status().message();
    EXPECT_EQ(figures[i].truth, expected->truth);
    EXPECT_EQ(figures[i].mc1, expected->mc1);
  }
}

TEST_F(LayerSetsProperty, LayersThatDoNothingAreNeverTaken) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  tiny.layers = 8;
  test::GgufBuilder builder = tiny.builder();
  const LayerSet useless = {2, 4};
  for (auto& tensor : builder.tensors) {
    for (const int64_t layer : useless) {
      const std::string prefix = "blk." + std::to_string(layer) + ".";
      if (tensor.name == prefix + "attn_output.weight" || tensor.name == prefix + "ffn_down.weight") {
        std::ranges::fill(tensor.data, std::byte{0});
      }
    }
  }
  const auto model = load(builder);
  take_favourites(model);
  SetMeter meter(model, *pool, task, text, {.contrast = {}});
  const SetFigures full = meter.measure_full(nullptr).value();
  const MeasureSets measure = [&](std::span<const LayerSet> some, std::string_view) {
    return meter.measure(some, {}, nullptr);
  };
  LayerSearchOptions search{.kmax = 3, .tau = 1e9, .tau_all = 1e9, .min_gain = 0};
  for (const SearchKind kind : {SearchKind::kGreedy, SearchKind::kTopK}) {
    search.search = kind;
    const auto result = search_layers(8, full, search, measure);
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_FALSE(result->best.layers.empty());
    for (const int64_t layer : useless) {
      EXPECT_EQ(std::ranges::count(result->best.layers, layer), 0) << layer;
      EXPECT_EQ(result->singles[static_cast<size_t>(layer - 1)].figures.truth, full.truth);
      EXPECT_EQ(result->singles[static_cast<size_t>(layer - 1)].figures.fluency, 1);
    }
  }
}

}  // namespace
}  // namespace brisk::evaluate
