#include "evaluate/layer_sets.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/streams.hpp"

namespace brisk::evaluate {

namespace {

/// Tokens stored at once: more make larger batches, up to a few steps' worth.
constexpr int64_t kStoredTokens = 1024;

/// Runs the model without each set beside the whole model, and combines nothing.
class SkipSets final : public runtime::Decoding {
 public:
  explicit SkipSets(std::vector<runtime::Stream> streams) : streams_(std::move(streams)) {}
  std::string_view name() const override { return "layer search"; }
  std::span<const runtime::Stream> streams() const override { return streams_; }
  void combine(std::span<const float* const> logits, std::span<float> scores) override {
    std::copy_n(logits[0], scores.size(), scores.begin());
  }

 private:
  std::vector<runtime::Stream> streams_;
};

int64_t longest_text(std::span<const runtime::ScoreItem> items) {
  size_t longest = 0;
  for (const runtime::ScoreItem& item : items) {
    for (const auto& rest : item.continuations) longest = std::max(longest, item.prompt.size() + rest.size());
  }
  return static_cast<int64_t>(longest);
}

ChoiceFigures mean_figures(const ChoiceTask& task, const std::vector<std::vector<double>>& sums,
                           Normalisation normalisation) {
  ChoiceReport report;
  for (size_t i = 0; i < task.size(); ++i) {
    std::vector<double> logprobs;
    for (size_t c = 0; c < sums[i].size(); ++c) {
      logprobs.push_back(normalised(sums[i][c], task.items[i].continuations[c].size(), normalisation));
    }
    report.items.push_back(judge(logprobs, task.correct[i]));
  }
  return report.mean();
}

}  // namespace

/// What one way through the network collects.
struct SetMeter::Sums {
  std::vector<std::vector<double>> own, contrast;  // log-probability of [items][answers]
  double text = 0;                                 // of all tokens of the text
  int64_t text_tokens = 0;

  explicit Sums(const ChoiceTask& task) {
    for (const runtime::ScoreItem& item : task.items) own.emplace_back(item.continuations.size(), 0.0);
    contrast = own;
  }
  double text_loss() const { return -text / static_cast<double>(std::max<int64_t>(text_tokens, 1)); }
};

SetMeter::SetMeter(std::shared_ptr<const runtime::Model> model, ThreadPool& pool, const ChoiceTask& task,
                   std::span<const runtime::ScoreItem> text, const SetMeterOptions& options)
    : model_(std::move(model)), pool_(pool), task_(task), options_(options), items_(task.items),
      scores_(static_cast<size_t>(model_->config().vocabulary)) {
  items_.insert(items_.end(), text.begin(), text.end());
  capacity_ = std::min(model_->context(), std::max(kStoredTokens, longest_text(items_)));
}

void SetMeter::add(const runtime::GivenToken& given, std::vector<Sums>& ways, runtime::Contrast& contrast) {
  const std::span<const float* const> logits = given.scores->logits;
  const std::span<const float> expert(logits[0], scores_.size());
  for (size_t way = 0; way < ways.size(); ++way) {
    const std::span<const float> row(logits[way], scores_.size());
    const auto logprob = static_cast<double>(runtime::score_logprob(row, given.token));
    if (given.item >= task_.size()) {
      ways[way].text += logprob;
      ++ways[way].text_tokens;
      continue;
    }
    ways[way].own[given.item][given.continuation] += logprob;
    if (way == 0) continue;
    contrast.filtered(expert, row, scores_);
    ways[way].contrast[given.item][given.continuation] +=
        static_cast<double>(runtime::score_logprob(scores_, given.token));
  }
}

SetFigures SetMeter::figures(const Sums& sums) const {
  const ChoiceFigures own = mean_figures(task_, sums.own, options_.normalisation);
  const ChoiceFigures contrast = mean_figures(task_, sums.contrast, options_.normalisation);
  return {.truth = own.mc2,
          .mc1 = own.mc1,
          .contrast = contrast.mc2,
          .contrast_mc1 = contrast.mc1,
          .fluency = std::exp(sums.text_loss() - full_loss_)};
}

Result<std::vector<SetFigures>> SetMeter::measure_some(std::span<const LayerSet> sets,
                                                       const std::function<void(double)>& progress,
                                                       const std::atomic<bool>* cancel) {
  std::vector<runtime::Stream> streams;
  for (const LayerSet& set : sets) {
    BRISK_ASSIGN(runtime::Stream stream, runtime::pruned_stream(*model_, set));
    streams.push_back(std::move(stream));
  }
  runtime::Policies policies;
  policies.decoding = std::make_shared<SkipSets>(std::move(streams));
  BRISK_ASSIGN(const auto scorer, runtime::Scorer::create(model_, pool_, policies, capacity_));
  std::vector<Sums> ways(sets.size() + 1, Sums(task_));
  runtime::Contrast contrast(options_.contrast);
  const auto visit = [&](const runtime::GivenToken& given) { add(given, ways, contrast); };
  BRISK_TRY(scorer->visit(items_, visit, progress, cancel));
  if (sets.empty()) {
    full_loss_ = ways[0].text_loss();
    ways[0].contrast = ways[0].own;
    return std::vector<SetFigures>{figures(ways[0])};
  }
  std::vector<SetFigures> results;
  for (size_t way = 1; way < ways.size(); ++way) results.push_back(figures(ways[way]));
  return results;
}

Result<SetFigures> SetMeter::measure_full(const std::atomic<bool>* cancel) {
  BRISK_ASSIGN(const std::vector<SetFigures> whole, measure_some({}, {}, cancel));
  return whole[0];
}

Result<std::vector<SetFigures>> SetMeter::measure(std::span<const LayerSet> sets,
                                                  const std::function<void(double)>& progress,
                                                  const std::atomic<bool>* cancel) {
  std::vector<SetFigures> results;
  while (results.size() < sets.size()) {
    const size_t done = results.size();
    const auto some = sets.subspan(done, std::min(options_.sets_at_once, sets.size() - done));
    const auto part = [&](double share) {
      if (!progress) return;
      progress((static_cast<double>(done) + share * static_cast<double>(some.size())) /
               static_cast<double>(sets.size()));
    };
    BRISK_ASSIGN(const std::vector<SetFigures> measured, measure_some(some, part, cancel));
    results.insert(results.end(), measured.begin(), measured.end());
  }
  return results;
}

}  // namespace brisk::evaluate
