// What a model is worth without some of its layers, for many sets of layers at once.
//
// Each set is a stream of the same steps (runtime/decoding/decoding.hpp): its rows share the layers below the
// first that is passed by, and stand in one batch with those of other sets, so that weights are streamed
// once. The row law makes the figures those of each set measured alone, whatever the number of threads.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "evaluate/layer_search.hpp"
#include "evaluate/multiple_choice.hpp"
#include "runtime/contrast.hpp"

namespace brisk::evaluate {

struct SetMeterOptions {
  Normalisation normalisation = Normalisation::kToken;
  runtime::ContrastSettings contrast;
  size_t sets_at_once = 8;  ///< bounds the memory: each has keys and values of its own
};

class SetMeter {
 public:
  /// Truth is measured on `task`, fluency on `text`; both must outlive the meter.
  SetMeter(std::shared_ptr<const runtime::Model> model, ThreadPool& pool, const ChoiceTask& task,
           std::span<const runtime::ScoreItem> text, const SetMeterOptions& options);

  /// Figures of the whole model; its contrast figures are its own.
  Result<SetFigures> measure_full(const std::atomic<bool>* cancel);
  /// Figures of the model without each of these sets. measure_full() comes first: fluency is a ratio to it.
  Result<std::vector<SetFigures>> measure(std::span<const LayerSet> sets,
                                          const std::function<void(double)>& progress,
                                          const std::atomic<bool>* cancel);

 private:
  struct Sums;
  Result<std::vector<SetFigures>> measure_some(std::span<const LayerSet> sets,
                                               const std::function<void(double)>& progress,
                                               const std::atomic<bool>* cancel);
  void add(const runtime::GivenToken& given, std::vector<Sums>& ways, runtime::Contrast& contrast);
  SetFigures figures(const Sums& sums) const;

  std::shared_ptr<const runtime::Model> model_;
  ThreadPool& pool_;
  const ChoiceTask& task_;
  const SetMeterOptions options_;
  std::vector<runtime::ScoreItem> items_;  // of the task, then the text
  int64_t capacity_ = 0;
  double full_loss_ = 0;       // mean negative log-probability of a token of the text, whole model
  std::vector<float> scores_;  // [vocabulary]
};

}  // namespace brisk::evaluate
