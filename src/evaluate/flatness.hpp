// How much an amateur's prediction says: entropy, spread and likeness to the expert's, per position, and the
// table of their means for early exits and for a pruned amateur (paper 27: early exits are flat).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "evaluate/layer_search.hpp"
#include "evaluate/multiple_choice.hpp"
#include "runtime/contrast.hpp"
#include "runtime/prunecd_profile.hpp"

namespace brisk::evaluate {

/// The `count` tokens with the greatest logits, best first; of equal ones the lower id first.
std::vector<int32_t> top_tokens(std::span<const float> logits, size_t count);

/// Spearman's rank correlation of two lists of values; equal values share their mean rank. 0 when all values
/// of a list are equal.
double rank_correlation(std::span<const float> a, std::span<const float> b);

/// Compares amateurs with one expert at one position.
class FlatnessProbe {
 public:
  explicit FlatnessProbe(std::span<const float> expert);
  /// The figures of one amateur (its name left empty).
  runtime::FlatnessRow compare(std::span<const float> amateur) const;

 private:
  runtime::LogitRow expert_;
  std::vector<int32_t> best10_, best50_;
  std::vector<float> logits50_;
};

/// Positions that the table is a mean of, at most.
inline constexpr int64_t kFlatnessPositions = 1000;

/// Rows "exit 0" (the embedding) to "exit L-1" (what enters the last layer) and, unless `pruned` is empty,
/// "pruned": means over the tokens of the first answers of `task`.
Result<std::vector<runtime::FlatnessRow>> flatness_table(std::shared_ptr<const runtime::Model> model,
                                                         ThreadPool& pool, const ChoiceTask& task,
                                                         const LayerSet& pruned,
                                                         const std::function<void(double)>& progress,
                                                         const std::atomic<bool>* cancel);

}  // namespace brisk::evaluate
