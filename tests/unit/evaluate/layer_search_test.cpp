// The search on made-up figures, where the right answer is known.
#include "evaluate/layer_search.hpp"

#include <gtest/gtest.h>

#include <map>

namespace brisk::evaluate {
namespace {

constexpr SetFigures kFull = {.truth = 0.6, .mc1 = 0.5, .contrast = 0.6, .contrast_mc1 = 0.5, .fluency = 1};

/// A model of 16 layers in which what layers cost adds up.
class World {
 public:
  std::map<int64_t, double> drops, fluency;  // of a layer; else 0 and 1
  std::map<int64_t, double> contrast;        // gained by contrast
  std::vector<LayerSet> asked;

  Result<LayerSearchResult> search(const LayerSearchOptions& options, int64_t layers = 16) {
    const MeasureSets measure = [this](std::span<const LayerSet> sets,
                                       std::string_view) -> Result<std::vector<SetFigures>> {
      std::vector<SetFigures> figures;
      for (const LayerSet& set : sets) figures.push_back(of(set));
      asked.insert(asked.end(), sets.begin(), sets.end());
      return figures;
    };
    return search_layers(layers, kFull, options, measure);
  }

 private:
  static double value(const std::map<int64_t, double>& map, int64_t layer, double otherwise) {
    const auto found = map.find(layer);
    return found == map.end() ? otherwise : found->second;
  }
  SetFigures of(const LayerSet& set) const {
    SetFigures figures = kFull;
    for (const int64_t layer : set) {
      figures.truth -= value(drops, layer, 0);
      figures.contrast += value(contrast, layer, 0);
      figures.fluency *= value(fluency, layer, 1);
    }
    return figures;
  }
};

TEST(LayerSearch, GrowsByTheGreatestDrop) {
  World world;
  world.drops = {{3, 0.05}, {7, 0.10}, {9, 0.02}, {11, 0.001}};
  const auto result = world.search({.kmax = 4});
  ASSERT_TRUE(result.ok()) << result.status().message();
  // The fourth would bring 0.1 points, less than min_gain.
  EXPECT_EQ(result->best.layers, (LayerSet{3, 7, 9}));
  EXPECT_NEAR(result->best.figures.truth, 0.43, 1e-12);
  EXPECT_EQ(result->singles.size(), 13U);  // layers 1 to 13: the last two are never asked for
  EXPECT_EQ(result->singles.front().layers, LayerSet{1});
  EXPECT_EQ(result->singles.back().layers, LayerSet{13});
}

TEST(LayerSearch, KeepsToKmax) {
  World world;
  world.drops = {{3, 0.05}, {7, 0.10}, {9, 0.02}};
  EXPECT_EQ(world.search({.kmax = 1})->best.layers, LayerSet{7});
  EXPECT_EQ(world.search({})->best.layers, (LayerSet{3, 7}));  // max(2, 16 / 8)
}

TEST(LayerSearch, FluencyIsGuarded) {
  World world;
  world.drops = {{3, 0.05}, {7, 0.10}, {9, 0.30}};
  world.fluency = {{3, 1.2}, {7, 1.25}, {9, 1.31}};
  EXPECT_EQ(world.search({.kmax = 3})->best.layers, (LayerSet{3, 7}));
  EXPECT_EQ(world.search({.kmax = 3, .tau_all = 1.4})->best.layers, LayerSet{7});
  EXPECT_EQ(world.search({.kmax = 3, .tau = 2, .tau_all = 1.6})->best.layers, (LayerSet{3, 9}));
}

TEST(LayerSearch, WhatChangesNothingIsNeverTaken) {
  World world;
  for (const SearchObjective objective : {SearchObjective::kDrop, SearchObjective::kContrast}) {
    for (const SearchKind kind :
         {SearchKind::kGreedy, SearchKind::kTopK, SearchKind::kWindow, SearchKind::kExhaustive}) {
      world.contrast = {{4, 0.2}, {5, 0.2}};  // even where contrast alone would like it
      const auto result = world.search({.search = kind, .objective = objective, .min_gain = 0});
      ASSERT_TRUE(result.ok()) << result.status().message();
      EXPECT_TRUE(result->best.layers.empty());
      EXPECT_EQ(result->best.figures.truth, kFull.truth);
    }
  }
}

TEST(LayerSearch, LayersThatHelpTheModelAreNoCandidates) {
  World world;
  world.drops = {{3, 0.05}, {7, -0.10}};
  EXPECT_EQ(world.search({.search = SearchKind::kTopK, .kmax = 3})->best.layers, LayerSet{3});
}

TEST(LayerSearch, CandidatesAreTheBestFew) {
  World world;
  for (int64_t layer = 1; layer < 14; ++layer) world.drops[layer] = 0.01 * static_cast<double>(layer);
  ASSERT_TRUE(world.search({.kmax = 3, .candidates = 2}).ok());
  for (const LayerSet& set : world.asked) {
    if (set.size() == 1) continue;
    EXPECT_EQ(set, (LayerSet{12, 13}));
  }
}

TEST(LayerSearch, WindowsAreNeighbours) {
  World world;
  world.drops = {{3, 0.05}, {7, 0.04}, {8, 0.04}};
  const auto result = world.search({.search = SearchKind::kWindow, .kmax = 2});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->best.layers, (LayerSet{7, 8}));
  EXPECT_EQ(world.asked.size(), 12U);
}

TEST(LayerSearch, ExhaustiveTriesAllPairs) {
  World world;
  world.drops = {{3, 0.05}, {7, 0.04}, {12, 0.05}};
  const auto result = world.search({.search = SearchKind::kExhaustive});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(result->best.layers, (LayerSet{3, 12}));
  EXPECT_EQ(world.asked.size(), 13U + 13U * 12U / 2U);
}

TEST(LayerSearch, TheContrastCanBeTheAim) {
  World world;
  world.drops = {{3, 0.05}, {7, 0.04}};
  world.contrast = {{3, 0.01}, {7, 0.06}};
  EXPECT_EQ(world.search({.objective = SearchObjective::kContrast, .kmax = 1})->best.layers, LayerSet{7});
}

TEST(LayerSearch, ModelsTooShallowAreRefused) {
  World world;
  EXPECT_EQ(world.search({}, 3).status().code(), StatusCode::kUsage);
  EXPECT_TRUE(world.search({}, 4).ok());
  EXPECT_EQ(world.search({.kmax = 14}).status().code(), StatusCode::kUsage);
  EXPECT_EQ(world.search({.kmax = 14}).status().parts().where, "--kmax");
}

TEST(LayerSearch, ErrorsOfMeasuringArePassedOn) {
  const MeasureSets measure = [](std::span<const LayerSet>,
                                 std::string_view) -> Result<std::vector<SetFigures>> { return cancelled(); };
  EXPECT_EQ(search_layers(16, kFull, {}, measure).status().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace brisk::evaluate
