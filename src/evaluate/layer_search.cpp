#include "evaluate/layer_search.hpp"

#include <algorithm>
#include <string>

namespace brisk::evaluate {

namespace {

constexpr int64_t kFewestLayers = 4;
constexpr double kPoint = 0.01;

class Search {
 public:
  Search(int64_t layers, const SetFigures& full, const LayerSearchOptions& options,
         const MeasureSets& measure)
      : first_(1), last_(layers - std::max<int64_t>(2, layers / 8)), full_(full), options_(options),
        measure_(measure), kmax_(options.kmax > 0 ? options.kmax : std::max<int64_t>(2, layers / 8)) {
    if (options.kmax == 0) kmax_ = std::min(kmax_, last_ - first_);
  }

  Result<LayerSearchResult> run() {
    if (kmax_ > last_ - first_) {
      return usage_error({"--kmax",
                          "at most the " + std::to_string(last_ - first_) + " layers from " +
                              std::to_string(first_) + " to " + std::to_string(last_ - 1),
                          std::to_string(kmax_), "leaving it out"});
    }
    switch (options_.search) {
      case SearchKind::kGreedy: BRISK_TRY(grow()); break;
      case SearchKind::kTopK: BRISK_TRY(take_best_singles()); break;
      case SearchKind::kWindow: BRISK_TRY(try_all(windows(), "windows")); break;
      case SearchKind::kExhaustive: BRISK_TRY(try_all(singles_and_pairs(), "pairs")); break;
    }
    if (result_.best.layers.empty()) result_.best.figures = full_;
    return std::move(result_);
  }

 private:
  double drop(const SetFigures& figures) const { return full_.truth - figures.truth; }
  double gain(const SetFigures& figures) const {
    return options_.objective == SearchObjective::kDrop ? drop(figures) : figures.contrast - full_.truth;
  }
  /// An amateur that is no less truthful has nothing to be contrasted with, whatever the score says.
  bool qualifies(const SetFigures& figures, double tau) const {
    return drop(figures) > 0 && figures.fluency <= tau;
  }

  Result<std::vector<MeasuredSet>> measure(std::vector<LayerSet> sets, std::string_view stage) {
    BRISK_ASSIGN(const std::vector<SetFigures> figures, measure_(sets, stage));
    std::vector<MeasuredSet> measured;
    for (size_t i = 0; i < sets.size(); ++i) measured.push_back({std::move(sets[i]), figures[i]});
    return measured;
  }

  /// Step 1; returns the candidates, best first.
  Result<std::vector<MeasuredSet>> candidates() {
    std::vector<LayerSet> sets;
    for (int64_t layer = first_; layer < last_; ++layer) sets.push_back({layer});
    BRISK_ASSIGN(result_.singles, measure(std::move(sets), "layer by layer"));
    std::vector<MeasuredSet> kept;
    for (const MeasuredSet& single : result_.singles) {
      if (qualifies(single.figures, options_.tau)) kept.push_back(single);
    }
    std::ranges::stable_sort(kept, std::ranges::greater(),
                             [this](const MeasuredSet& set) { return gain(set.figures); });
    kept.resize(std::min(kept.size(), static_cast<size_t>(options_.candidates)));
    return kept;
  }

  /// The set with the greatest gain of those that keep `tau_all`; null: none does.
  const MeasuredSet* best_of(const std::vector<MeasuredSet>& sets) const {
    const MeasuredSet* best = nullptr;
    for (const MeasuredSet& set : sets) {
      if (!qualifies(set.figures, options_.tau_all)) continue;
      if (best == nullptr || gain(set.figures) > gain(best->figures)) best = &set;
    }
    return best;
  }

  bool accept(const MeasuredSet* set) {
    const double before = result_.best.layers.empty() ? 0 : gain(result_.best.figures);
    if (set == nullptr || gain(set->figures) - before <= options_.min_gain * kPoint) return false;
    result_.best = *set;
    return true;
  }

  Status grow() {
    BRISK_ASSIGN(const std::vector<MeasuredSet> pool, candidates());
    bool grew = accept(best_of(pool));
    while (grew && std::ssize(result_.best.layers) < kmax_) {
      BRISK_ASSIGN(const std::vector<MeasuredSet> larger, measure(one_more(pool), "growing the set"));
      result_.tried.insert(result_.tried.end(), larger.begin(), larger.end());
      grew = accept(best_of(larger));
    }
    return {};
  }

  std::vector<LayerSet> one_more(const std::vector<MeasuredSet>& pool) const {
    std::vector<LayerSet> sets;
    for (const MeasuredSet& candidate : pool) {
      LayerSet set = result_.best.layers;
      const auto place = std::ranges::lower_bound(set, candidate.layers[0]);
      if (place != set.end() && *place == candidate.layers[0]) continue;
      set.insert(place, candidate.layers[0]);
      sets.push_back(std::move(set));
    }
    return sets;
  }

  Status take_best_singles() {
    BRISK_ASSIGN(std::vector<MeasuredSet> pool, candidates());
    pool.resize(std::min(pool.size(), static_cast<size_t>(kmax_)));
    LayerSet set;
    for (const MeasuredSet& single : pool) set.push_back(single.layers[0]);
    std::ranges::sort(set);
    if (set.empty()) return {};
    BRISK_ASSIGN(result_.tried, measure({std::move(set)}, "the best layers together"));
    accept(best_of(result_.tried));
    return {};
  }

  Status try_all(std::vector<LayerSet> sets, std::string_view stage) {
    BRISK_ASSIGN(result_.tried, measure(std::move(sets), stage));
    accept(best_of(result_.tried));
    return {};
  }

  std::vector<LayerSet> windows() const {
    std::vector<LayerSet> sets;
    for (int64_t begin = first_; begin + kmax_ <= last_; ++begin) {
      LayerSet& set = sets.emplace_back();
      for (int64_t layer = begin; layer < begin + kmax_; ++layer) set.push_back(layer);
    }
    return sets;
  }

  std::vector<LayerSet> singles_and_pairs() const {
    std::vector<LayerSet> sets;
    for (int64_t a = first_; a < last_; ++a) {
      sets.push_back({a});
      for (int64_t b = a + 1; kmax_ > 1 && b < last_; ++b) sets.push_back({a, b});
    }
    return sets;
  }

  const int64_t first_, last_;  // layers in question: [first, last)
  const SetFigures full_;
  const LayerSearchOptions options_;
  const MeasureSets& measure_;
  int64_t kmax_;
  LayerSearchResult result_;
};

}  // namespace

Result<LayerSearchResult> search_layers(int64_t layers, const SetFigures& full,
                                        const LayerSearchOptions& options, const MeasureSets& measure) {
  if (layers < kFewestLayers) {
    return usage_error({"layer search", "a model of at least " + std::to_string(kFewestLayers) + " layers",
                        std::to_string(layers), "a deeper model"});
  }
  return Search(layers, full, options, measure).run();
}

}  // namespace brisk::evaluate
