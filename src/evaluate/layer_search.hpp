// The search for layers to pass by: which set, taken out of a model, makes it least truthful while it stays
// fluent. Only the search itself is here; what a set is worth is measured elsewhere (layer_sets.hpp).
//
//   1. each layer alone, from the second to well before the last: `drop` = truth of the whole model - truth
//      without the layer; candidates are those that cost truth and keep fluency (perplexity ratio) <= tau
//   2. greedy growth: add the candidate with the greatest gain while fluency stays <= tau_all and the gain
//      grows by more than min_gain
//
// A layer whose removal changes nothing has a drop of exactly 0 and is never taken.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace brisk::evaluate {

/// Layers of a model, ascending.
using LayerSet = std::vector<int64_t>;

/// What the model without a set of layers is worth; shares from 0 to 1.
struct SetFigures {
  double truth = 0, mc1 = 0;              ///< MC2 and MC1 of the pruned model itself
  double contrast = 0, contrast_mc1 = 0;  ///< of the whole model contrasted with it
  double fluency = 1;                     ///< perplexity without the layers / with them
};

struct MeasuredSet {
  LayerSet layers;
  SetFigures figures;
};

enum class SearchObjective : uint8_t {
  kDrop,      ///< truth lost by the pruned model
  kContrast,  ///< truth won by contrasting with it
};

enum class SearchKind : uint8_t {
  kGreedy,
  kTopK,        ///< the best kmax of step 1
  kWindow,      ///< every run of kmax neighbouring layers
  kExhaustive,  ///< every set of one or two layers
};

struct LayerSearchOptions {
  SearchKind search = SearchKind::kGreedy;
  SearchObjective objective = SearchObjective::kDrop;
  int64_t kmax = 0;        ///< layers of the set at most; 0: max(2, layers / 8)
  int64_t candidates = 8;  ///< kept after step 1
  double tau = 1.3;        ///< greatest fluency ratio of a candidate
  double tau_all = 2.0;    ///< and of the set
  double min_gain = 0.2;   ///< points (hundredths) that one more layer must bring
};

struct LayerSearchResult {
  std::vector<MeasuredSet> singles;  ///< step 1, by layer; empty for searches without it
  std::vector<MeasuredSet> tried;    ///< all other sets, in order
  MeasuredSet best;                  ///< without layers when none qualified
};

/// Figures of some sets, all at once; `stage` says to people what is going on.
using MeasureSets =
    std::function<Result<std::vector<SetFigures>>(std::span<const LayerSet> sets, std::string_view stage)>;

/// Searches a model of `layers` layers; `full` are the figures of the whole model. Usage error for models of
/// fewer than four layers and for a kmax beyond the layers in question.
Result<LayerSearchResult> search_layers(int64_t layers, const SetFigures& full,
                                        const LayerSearchOptions& options, const MeasureSets& measure);

}  // namespace brisk::evaluate
