#include "evaluate/flatness.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/streams.hpp"

namespace brisk::evaluate {

namespace {

using runtime::FlatnessRow;

/// Streams that run together: bounds the logits of a step.
constexpr size_t kStreamsAtOnce = 16;

/// Ranks from 1, equal values sharing their mean.
std::vector<double> ranks(std::span<const float> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + end + 1) / 2;
  }
  return ranks;
}

struct Amateur {
  std::string name;
  runtime::Stream stream;
};

class Streams final : public runtime::Decoding {
 public:
  explicit Streams(std::span<const Amateur> amateurs) {
    for (const Amateur& amateur : amateurs) streams_.push_back(amateur.stream);
  }
  std::string_view name() const override { return "flatness table"; }
  std::span<const runtime::Stream> streams() const override { return streams_; }
  void combine(std::span<const float* const> logits, std::span<float> scores) override {
    std::copy_n(logits[0], scores.size(), scores.begin());
  }

 private:
  std::vector<runtime::Stream> streams_;
};

void add(FlatnessRow& sum, const FlatnessRow& row) {
  sum.entropy += row.entropy;
  sum.spread += row.spread;
  sum.max_minus_mean += row.max_minus_mean;
  sum.top10_overlap += row.top10_overlap;
  sum.spearman50 += row.spearman50;
  sum.jsd += row.jsd;
}

void divide(FlatnessRow& sum, double count) {
  for (double* value :
       {&sum.entropy, &sum.spread, &sum.max_minus_mean, &sum.top10_overlap, &sum.spearman50, &sum.jsd}) {
    *value /= count;
  }
}

/// The first answers of as many questions as give kFlatnessPositions.
std::vector<runtime::ScoreItem> first_answers(const ChoiceTask& task) {
  std::vector<runtime::ScoreItem> items;
  int64_t positions = 0;
  for (const runtime::ScoreItem& item : task.items) {
    if (positions >= kFlatnessPositions) break;
    items.push_back({item.prompt, {item.continuations[0]}});
    positions += std::ssize(item.continuations[0]);
  }
  return items;
}

Result<std::vector<FlatnessRow>> mean_rows(const std::shared_ptr<const runtime::Model>& model,
                                           ThreadPool& pool, std::span<const runtime::ScoreItem> items,
                                           std::span<const Amateur> amateurs,
                                           const std::function<void(double)>& progress,
                                           const std::atomic<bool>* cancel) {
  runtime::Policies policies;
  policies.decoding = std::make_shared<Streams>(amateurs);
  BRISK_ASSIGN(const auto scorer, runtime::Scorer::create(model, pool, policies));
  std::vector<FlatnessRow> rows(amateurs.size());
  const auto vocabulary = static_cast<size_t>(model->config().vocabulary);
  int64_t positions = 0;
  const auto visit = [&](const runtime::GivenToken& given) {
    const std::span<const float* const> logits = given.scores->logits;
    const FlatnessProbe probe({logits[0], vocabulary});
    for (size_t i = 0; i < rows.size(); ++i) add(rows[i], probe.compare({logits[i + 1], vocabulary}));
    ++positions;
  };
  BRISK_TRY(scorer->visit(items, visit, progress, cancel));
  for (size_t i = 0; i < rows.size(); ++i) {
    divide(rows[i], static_cast<double>(std::max<int64_t>(positions, 1)));
    rows[i].amateur = amateurs[i].name;
  }
  return rows;
}

Result<std::vector<Amateur>> all_amateurs(const runtime::Model& model, const LayerSet& pruned) {
  std::vector<Amateur> amateurs;
  for (int64_t layer = 0; layer < model.config().layers; ++layer) {
    BRISK_ASSIGN(runtime::Stream stream, runtime::early_exit_stream(model, layer));
    amateurs.push_back({"exit " + std::to_string(layer), std::move(stream)});
  }
  if (!pruned.empty()) {
    BRISK_ASSIGN(runtime::Stream stream, runtime::pruned_stream(model, pruned));
    amateurs.push_back({"pruned", std::move(stream)});
  }
  return amateurs;
}

}  // namespace

std::vector<int32_t> top_tokens(std::span<const float> logits, size_t count) {
  std::vector<int32_t> best;  // so far, best first
  count = std::min(count, logits.size());
  best.reserve(count + 1);
  for (size_t v = 0; v < logits.size(); ++v) {
    if (best.size() == count && !(logits[v] > logits[static_cast<size_t>(best.back())])) continue;
    const auto place = std::ranges::upper_bound(best, logits[v], std::ranges::greater(), [&](int32_t token) {
      return logits[static_cast<size_t>(token)];
    });
    best.insert(place, static_cast<int32_t>(v));
    if (best.size() > count) best.pop_back();
  }
  return best;
}

double rank_correlation(std::span<const float> a, std::span<const float> b) {
  const std::vector<double> x = ranks(a), y = ranks(b);
  const double mean = static_cast<double>(a.size() + 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

FlatnessProbe::FlatnessProbe(std::span<const float> expert)
    : expert_(runtime::measure(expert)), best10_(top_tokens(expert, 10)), best50_(top_tokens(expert, 50)) {
  std::ranges::sort(best10_);
  for (const int32_t token : best50_) logits50_.push_back(expert[static_cast<size_t>(token)]);
}

FlatnessRow FlatnessProbe::compare(std::span<const float> amateur) const {
  const runtime::LogitRow row = runtime::measure(amateur);
  const auto count = static_cast<double>(amateur.size());
  double sum = 0, squares = 0;
  for (const float logit : amateur) sum += static_cast<double>(logit);
  const double mean = sum / count;
  for (const float logit : amateur) {
    const double centred = static_cast<double>(logit) - mean;
    squares += centred * centred;
  }
  size_t common = 0;
  for (const int32_t token : top_tokens(amateur, best10_.size())) {
    common += std::ranges::binary_search(best10_, token) ? 1 : 0;
  }
  std::vector<float> on_best;
  for (const int32_t token : best50_) on_best.push_back(amateur[static_cast<size_t>(token)]);
  return {.amateur = {},
          .entropy = runtime::entropy(row),
          .spread = std::sqrt(squares / count),
          .max_minus_mean = static_cast<double>(row.greatest) - mean,
          .top10_overlap = static_cast<double>(common) / static_cast<double>(best10_.size()),
          .spearman50 = rank_correlation(logits50_, on_best),
          .jsd = runtime::js_divergence(expert_, row)};
}

Result<std::vector<FlatnessRow>> flatness_table(std::shared_ptr<const runtime::Model> model, ThreadPool& pool,
                                                const ChoiceTask& task, const LayerSet& pruned,
                                                const std::function<void(double)>& progress,
                                                const std::atomic<bool>* cancel) {
  BRISK_ASSIGN(const std::vector<Amateur> amateurs, all_amateurs(*model, pruned));
  const std::vector<runtime::ScoreItem> items = first_answers(task);
  std::vector<FlatnessRow> table;
  while (table.size() < amateurs.size()) {
    const size_t done = table.size();
    const auto some = std::span(amateurs).subspan(done, std::min(kStreamsAtOnce, amateurs.size() - done));
    const auto part = [&](double share) {
      if (!progress) return;
      progress((static_cast<double>(done) + share * static_cast<double>(some.size())) /
               static_cast<double>(amateurs.size()));
    };
    BRISK_ASSIGN(std::vector<FlatnessRow> rows, mean_rows(model, pool, items, some, part, cancel));
    std::ranges::move(rows, std::back_inserter(table));
  }
  return table;
}

}  // namespace brisk::evaluate
