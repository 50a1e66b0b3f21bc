// prunecd: contrasts the model with itself without some of its layers (Yu et al. 2025). The layers come from
// a file that a search wrote for this very model (runtime/prunecd_profile.hpp). Below the first of them both
// predictions are the same rows; from there on the amateur is a stream of its own.
#include "runtime/contrast.hpp"
#include "runtime/prunecd_profile.hpp"
#include "runtime/streams.hpp"

namespace brisk::runtime {

namespace {

class Prunecd final : public Decoding {
 public:
  Prunecd(const ContrastSettings& settings, std::vector<Stream> streams, std::vector<std::string> notices)
      : contrast_(settings), streams_(std::move(streams)), notices_(std::move(notices)) {}

  std::string_view name() const override { return "prunecd"; }
  std::span<const Stream> streams() const override { return streams_; }
  std::span<const std::string> notices() const override { return notices_; }
  bool greedy_only() const override { return contrast_.settings().approximate; }

  void combine(std::span<const float* const> logits, std::span<float> scores) override {
    if (streams_.empty()) return copy(logits[0], scores);
    contrast_.filtered({logits[0], scores.size()}, {logits[1], scores.size()}, scores);
  }
  void combine_unfiltered(std::span<const float* const> logits, std::span<float> scores) override {
    if (streams_.empty()) return copy(logits[0], scores);
    contrast_.unfiltered({logits[0], scores.size()}, {logits[1], scores.size()}, scores);
  }

 private:
  static void copy(const float* logits, std::span<float> scores) {
    std::copy_n(logits, scores.size(), scores.begin());
  }
  Contrast contrast_;
  std::vector<Stream> streams_;  // one, or none when no layer is pruned
  std::vector<std::string> notices_;
};

std::vector<std::string> make_notices(const PrunecdProfile& profile) {
  if (profile.pruned.empty()) return {"prunecd: the profile prunes no layer, so decoding is plain"};
  std::vector<std::string> notices;
  const auto warn = [&](int64_t layer, const char* which) {
    notices.push_back("prunecd: the profile prunes layer " + std::to_string(layer) + ", the " + which +
                      ": the amateur may not be fluent, and the contrast noise");
  };
  if (profile.pruned.front() == 0) warn(0, "first");
  if (profile.pruned.back() == profile.layers - 1) warn(profile.layers - 1, "last");
  return notices;
}

Result<std::unique_ptr<Decoding>> create(const Model& model, const DecodingOptions& options) {
  if (options.profile.empty()) {
    return usage_error({"decoding prunecd", "a profile (prunecd.json)", "none",
                        "`brisk profile layers MODEL --method prunecd` to make one"});
  }
  BRISK_ASSIGN(const PrunecdProfile profile, read_prunecd_profile(options.profile));
  BRISK_TRY(check_prunecd_model(profile, options.profile, model.fingerprint(), model.config().layers));
  const ContrastSettings settings = {options.mode.value_or(profile.mode),
                                     options.alpha.value_or(profile.alpha),
                                     options.lambda.value_or(profile.lambda), options.approximate_head};
  BRISK_TRY(check_contrast(settings, "decoding prunecd"));
  std::vector<Stream> streams;
  if (!profile.pruned.empty()) {
    BRISK_ASSIGN(Stream stream, pruned_stream(model, profile.pruned));
    stream.shares_prompt = options.shared_prompt;
    streams.push_back(std::move(stream));
  }
  return std::unique_ptr<Decoding>(
      std::make_unique<Prunecd>(settings, std::move(streams), make_notices(profile)));
}

}  // namespace

DecodingMethod decoding_prunecd() {
  return {"prunecd", "contrast with the model without some middle layers",
          "profile mode alpha lambda approximate_head shared_prompt", create};
}

}  // namespace brisk::runtime
