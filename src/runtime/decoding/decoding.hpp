// Decoding methods: how the next token's scores come from the model. A method may send every token through
// the network a second time on another way (a *stream*: layers passed by, own keys and values), take logits
// early, or ask a second model, and combines the logits of all into one row of scores.
//
// One file per method in this folder; <name>.cpp defines decoding_<name>(), and the build lists them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "runtime/model.hpp"

namespace brisk::runtime {

/// One more way through the network, beside the model's own.
struct Stream {
  /// [segments] nonzero: passed by.
  std::vector<uint8_t> skip;
  /// Segment at which the stream's rows split off from the model's own; before it they are the same.
  int32_t from = 0;
  /// True: every token takes this way too, with keys and values of its own in the layers from `from` on that
  /// are not passed by. False: only tokens whose scores are wanted; all layers with state are passed by (an
  /// early exit: logits of the model's own row as it enters segment `from`).
  bool every_token = false;
  /// With every_token: begins at the first token whose scores are wanted, and sees the model's own keys and
  /// values of those before (an approximation that saves the prompt's work).
  bool shares_prompt = false;
};

class Decoding {
 public:
  virtual ~Decoding() = default;
  virtual std::string_view name() const = 0;
  /// The ways beside the model's own; fixed for the life of the method.
  virtual std::span<const Stream> streams() const { return {}; }
  /// A second model that sees the same tokens (same vocabulary), or null.
  virtual std::shared_ptr<const Model> second_model() const { return nullptr; }
  /// From logits to scores. `logits` are rows of [vocabulary]: the model's own, then each stream's, then the
  /// second model's. `scores` [vocabulary]: log-domain, -inf for tokens that must not come, at least one
  /// finite; greedy decoding takes the greatest.
  virtual void combine(std::span<const float* const> logits, std::span<float> scores) = 0;
  /// The same without the plausibility filter, for scoring given text; by default combine().
  virtual void combine_unfiltered(std::span<const float* const> logits, std::span<float> scores) {
    combine(logits, scores);
  }
  /// Whether no other policy may touch the stored keys and values while this one runs.
  virtual bool owns_kv() const { return !streams().empty(); }
  /// True when only the order of the scores means something: callers then refuse sampling and scoring.
  virtual bool greedy_only() const { return false; }
  /// What the user should know of these settings, a sentence each; callers print them once.
  virtual std::span<const std::string> notices() const { return {}; }
};

enum class ContrastMode : uint8_t {
  kRatio,        ///< log p_expert - log p_amateur
  kExtrapolate,  ///< (1 + lambda) log p_expert - lambda log p_amateur
};

/// Settings of all methods; each reads its own and refuses what it cannot use.
struct DecodingOptions {
  std::string method = "plain";
  std::string profile;               ///< prunecd: path of the file that names the layers
  std::optional<ContrastMode> mode;  ///< default: the profile's, else ratio
  std::optional<double> alpha;       ///< (0, 1], default 0.1: tokens with p >= alpha * max p may come
  std::optional<double> lambda;      ///< default 0.5
  bool approximate_head = false;     ///< prunecd: raw logits in place of log-probabilities
  bool shared_prompt = false;  ///< prunecd: the amateur looks at the expert's keys and values of the prompt
  std::string layers;          ///< dola: "low", "high", or numbers separated by commas
  std::shared_ptr<const Model> amateur;  ///< contrastive: the second model
};

struct DecodingMethod {
  const char* name;  ///< "prunecd"
  const char* summary;
  /// Names of the members of DecodingOptions that it reads, separated by spaces; others are refused when set.
  std::string_view reads;
  /// Null for plain decoding. Whatever the model lacks is refused here, before anything is computed.
  Result<std::unique_ptr<Decoding>> (*create)(const Model& model, const DecodingOptions& options);
};

std::span<const DecodingMethod> all_decodings();
/// The method of options.method; an unknown one is a usage error that lists those that are known.
Result<std::unique_ptr<Decoding>> create_decoding(const Model& model, const DecodingOptions& options);

}  // namespace brisk::runtime
