// dola: contrasts the model with one of its own early exits (Chuang et al. 2024). Layers are counted as
// transformers' `dola_layers` counts them: layer j is what enters block j, so 0 is the embedding. Candidates
// of a model of N layers:
//
//   low    0, 2, 4 ... below N / 2 (below 20 when N > 40). With tied embeddings, where the embedding's own
//   exit
//          says nothing, they begin at 2 (at 1 when N = 2); layer 2 alone when N / 2 = 2
//   high   N / 2, N / 2 + 2 ... below N (the last 20 layers when N > 40)
//   list   as given; one layer alone is the static variant
//
// For each token the candidate whose prediction differs most from the model's (dola_divergence) is the
// amateur of a ratio contrast. An early exit goes through the model's final norm and head.
#include <algorithm>
#include <charconv>

#include "runtime/contrast.hpp"
#include "runtime/streams.hpp"

namespace brisk::runtime {

namespace {

class Dola final : public Decoding {
 public:
  Dola(const ContrastSettings& settings, std::vector<Stream> exits)
      : contrast_(settings), exits_(std::move(exits)) {}

  std::string_view name() const override { return "dola"; }
  std::span<const Stream> streams() const override { return exits_; }
  bool owns_kv() const override { return false; }  // exits keep nothing

  void combine(std::span<const float* const> logits, std::span<float> scores) override {
    contrast_.filtered({logits[0], scores.size()}, choose(logits, scores.size()), scores);
  }
  void combine_unfiltered(std::span<const float* const> logits, std::span<float> scores) override {
    contrast_.unfiltered({logits[0], scores.size()}, choose(logits, scores.size()), scores);
  }

 private:
  // The first of the exits that differ most.
  std::span<const float> choose(std::span<const float* const> logits, size_t size) const {
    size_t best = 1;
    if (exits_.size() > 1) {
      const LogitRow own = measure({logits[0], size});
      double most = -1;
      for (size_t exit = 1; exit <= exits_.size(); ++exit) {
        const double differs = dola_divergence(own, measure({logits[exit], size}));
        if (differs <= most) continue;
        most = differs;
        best = exit;
      }
    }
    return {logits[best], size};
  }

  Contrast contrast_;
  std::vector<Stream> exits_;
};

Status wrong_layers(std::string got, int64_t layers) {
  return usage_error(
      {"decoding dola, layers",
       "low, high, or different numbers from 0 to " + std::to_string(layers - 1) + " separated by commas",
       std::move(got)});
}

std::vector<int64_t> every_second(int64_t first, int64_t end) {
  std::vector<int64_t> layers;
  for (int64_t layer = first; layer < end; layer += 2) layers.push_back(layer);
  return layers;
}

constexpr int64_t kDeep = 40, kDeepRange = 20;

std::vector<int64_t> low_layers(int64_t layers, bool tied) {
  const int64_t first = !tied || layers < 2 ? 0 : layers == 2 ? 1 : 2;
  if (first == layers / 2) return {first};
  return every_second(first, layers > kDeep ? kDeepRange : layers / 2);
}

std::vector<int64_t> high_layers(int64_t layers) {
  return every_second(layers > kDeep ? layers - kDeepRange : layers / 2, layers);
}

Result<std::vector<int64_t>> parse_list(std::string_view text, int64_t layers) {
  std::vector<int64_t> list;
  for (const char *at = text.data(), *end = at + text.size();; ++at) {
    int64_t layer = -1;
    const auto [next, error] = std::from_chars(at, end, layer);
    const bool fits = error == std::errc() && layer >= 0 && layer < layers;
    if (!fits || (next != end && *next != ',')) return wrong_layers("'" + std::string(text) + "'", layers);
    if (std::ranges::find(list, layer) != list.end()) {
      return wrong_layers(std::to_string(layer) + " twice", layers);
    }
    list.push_back(layer);
    if (next == end) return list;
    at = next;
  }
}

Result<std::vector<int64_t>> candidates(const Model& model, const std::string& text) {
  const int64_t layers = model.config().layers;
  if (text.empty() || text == "high") return high_layers(layers);
  if (text != "low") return parse_list(text, layers);
  const bool tied = !model.plan().graph().has_weight("output.weight");
  std::vector<int64_t> low = low_layers(layers, tied);
  if (low.empty()) {
    return wrong_layers("low, which holds no layer of a model of " + std::to_string(layers), layers);
  }
  return low;
}

Result<std::unique_ptr<Decoding>> create(const Model& model, const DecodingOptions& options) {
  ContrastSettings settings;
  settings.alpha = options.alpha.value_or(settings.alpha);
  BRISK_TRY(check_contrast(settings, "decoding dola"));
  BRISK_ASSIGN(const std::vector<int64_t> layers, candidates(model, options.layers));
  std::vector<Stream> exits;
  for (const int64_t layer : layers) {
    BRISK_ASSIGN(Stream exit, early_exit_stream(model, layer));
    exits.push_back(std::move(exit));
  }
  return std::unique_ptr<Decoding>(std::make_unique<Dola>(settings, std::move(exits)));
}

}  // namespace

DecodingMethod decoding_dola() {
  return {"dola", "contrast with an early exit of the model", "layers alpha", create};
}

}  // namespace brisk::runtime
