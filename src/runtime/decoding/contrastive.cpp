// contrastive: contrasts the model with a second, weaker model of the same vocabulary (Li et al. 2023).
#include "runtime/contrast.hpp"

namespace brisk::runtime {

namespace {

class Contrastive final : public Decoding {
 public:
  Contrastive(const ContrastSettings& settings, std::shared_ptr<const Model> amateur)
      : contrast_(settings), amateur_(std::move(amateur)) {}

  std::string_view name() const override { return "contrastive"; }
  std::shared_ptr<const Model> second_model() const override { return amateur_; }
  bool greedy_only() const override { return contrast_.settings().approximate; }

  void combine(std::span<const float* const> logits, std::span<float> scores) override {
    contrast_.filtered({logits[0], scores.size()}, {logits[1], scores.size()}, scores);
  }
  void combine_unfiltered(std::span<const float* const> logits, std::span<float> scores) override {
    contrast_.unfiltered({logits[0], scores.size()}, {logits[1], scores.size()}, scores);
  }

 private:
  Contrast contrast_;
  std::shared_ptr<const Model> amateur_;
};

// Token n must mean the same to both models.
Status check_vocabulary(const Model& model, const Model& amateur) {
  const std::string where = "decoding contrastive, " + amateur.info().name;
  const char* hint = "a smaller model of the same family";
  const int64_t size = model.config().vocabulary;
  if (amateur.config().vocabulary != size) {
    return bad_input({where, "a vocabulary of " + std::to_string(size) + ", as " + model.info().name,
                      std::to_string(amateur.config().vocabulary), hint});
  }
  const text::Tokenizer& tokens = model.tokenizer();
  const text::Tokenizer& others = amateur.tokenizer();
  if (tokens.size() != others.size()) {
    return bad_input({where, std::to_string(tokens.size()) + " tokens, as " + model.info().name,
                      std::to_string(others.size()), hint});
  }
  for (int32_t id = 0; id < tokens.size(); ++id) {
    if (tokens.token_text(id) == others.token_text(id)) continue;
    return bad_input({where + ", token " + std::to_string(id), "'" + std::string(tokens.token_text(id)) + "'",
                      "'" + std::string(others.token_text(id)) + "'", hint});
  }
  return {};
}

Result<std::unique_ptr<Decoding>> create(const Model& model, const DecodingOptions& options) {
  if (options.amateur == nullptr) {
    return usage_error({"decoding contrastive", "a second model, the amateur", "none",
                        "a smaller model of the same family"});
  }
  BRISK_TRY(check_vocabulary(model, *options.amateur));
  ContrastSettings settings;
  settings.mode = options.mode.value_or(settings.mode);
  settings.alpha = options.alpha.value_or(settings.alpha);
  settings.lambda = options.lambda.value_or(settings.lambda);
  settings.approximate = options.approximate_head;
  BRISK_TRY(check_contrast(settings, "decoding contrastive"));
  return std::unique_ptr<Decoding>(std::make_unique<Contrastive>(settings, options.amateur));
}

}  // namespace

DecodingMethod decoding_contrastive() {
  return {"contrastive", "contrast with a second, weaker model", "mode alpha lambda approximate_head amateur",
          create};
}

}  // namespace brisk::runtime
