// A loaded language model: the file or folder, its tokenizer and chat template, and the plan that runs it.
// Immutable after load and shared by any number of engines.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/cpu.hpp"
#include "base/json.hpp"
#include "base/status.hpp"
#include "base/thread_pool.hpp"
#include "graph/plan.hpp"
#include "models/architecture.hpp"
#include "models/source.hpp"
#include "runtime/kv_store.hpp"
#include "runtime/text_parts.hpp"
#include "text/chat_template.hpp"
#include "text/tokenizer.hpp"

namespace brisk::runtime {

struct LoadOptions {
  Isa isa = Isa::kRef;                ///< highest level to use; callers pass active_isa()
  bool exact = false;                 ///< f32 activations and keys and values: the reference arithmetic
  std::optional<DType> kv_type = {};  ///< of stored keys and values; default f16, f32 when exact
  int64_t context = 0;                ///< tokens a sequence may hold; 0: the model's own, at most 8192
  int64_t step_tokens = 512;          ///< rows of one step at most (the plan's token budget)
  int64_t step_outputs = 64;          ///< rows of one step that may ask for logits
  std::vector<std::string> passes_off = {};  ///< graph passes to leave out, by name
  /// Techniques that change the graph before it is planned (adapters, experts elsewhere, other forms), in
  /// order. What they capture lives as long as the model.
  std::vector<std::function<Status(graph::Graph&)>> rewrites = {};
  const std::atomic<bool>* cancel = nullptr;
  /// Called with the share of the weights that is packed, 0 to 1; may be empty.
  std::function<void(double)> progress = {};
};

/// What `show`, `plan` and the Python module say of a model.
struct ModelInfo {
  std::string name;          ///< ModelSource::name()
  std::string architecture;  ///< "llama"
  int64_t parameters = 0;
  uint64_t file_bytes = 0;
  double bits_per_weight = 0;
  int64_t vocabulary = 0, width = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0;
  int64_t trained_context = 0;
};

class Model {
 public:
  /// Refuses before loading when weights, keys and values and work space exceed the memory offered.
  static Result<std::shared_ptr<Model>> load(const std::string& path, const LoadOptions& options,
                                             ThreadPool& pool);
  /// The same from an opened source.
  static Result<std::shared_ptr<Model>> load(std::shared_ptr<const models::ModelSource> source,
                                             const LoadOptions& options, ThreadPool& pool);
  /// The same from an opened file (tests build files in memory).
  static Result<std::shared_ptr<Model>> load(std::shared_ptr<formats::GgufFile> file,
                                             const LoadOptions& options, ThreadPool& pool);

  const ModelInfo& info() const { return info_; }
  const LoadOptions& options() const { return options_; }
  const models::LlmConfig& config() const { return config_; }
  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  const graph::Plan& plan() const { return *plan_; }
  /// Tokens that a sequence may hold.
  int64_t context() const { return context_; }

  bool has_chat_template() const { return !template_source_.empty(); }
  const std::string& chat_template_source() const { return template_source_; }
  /// Renders `messages` (array of {role, content}) by the model's template; `variables` are further
  /// template variables (tools, ...). A model without one is a bad-input error.
  Result<std::string> render_chat(const Json& messages, bool add_generation_prompt,
                                  const Json& variables = Json::object()) const;
  /// Ok unless a mapped file changed or shrank since it was opened.
  Status check_file() const;
  /// Whether a read met a missing page of a file; cheap.
  bool file_damaged() const;
  /// Tells this model from others (runtime/fingerprint.hpp); worked out when first asked for, by any thread.
  /// Empty when the file shrank meanwhile or memory ran out.
  const std::string& fingerprint() const;
  /// Where a layer's keys and values are stored: the segment of the plan that does it.
  struct StatefulLayer {
    int32_t layer, segment;
  };
  /// All layers that keep state.
  std::span<const StatefulLayer> stateful_layers() const { return stateful_layers_; }
  /// Numbers that a row's rotary position has.
  int64_t position_components() const { return position_components_; }
  /// How keys and values are stored.
  DType kv_type() const;
  /// The groups of layers that keep state.
  std::vector<KvGroup> kv_groups() const;

 private:
  Model() = default;
  Status read_text_parts();
  void find_stateful_layers();
  Status check_memory(const ThreadPool& pool) const;

  std::shared_ptr<const models::ModelSource> source_;
  mutable std::once_flag fingerprint_once_;
  mutable std::string fingerprint_;
  LoadOptions options_;
  ModelInfo info_;
  models::LlmConfig config_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::string template_source_;
  std::unique_ptr<text::ChatTemplate> template_;
  Status template_status_;  // why template_ is null although the file has one
  std::unique_ptr<graph::Plan> plan_;
  std::vector<StatefulLayer> stateful_layers_;
  int64_t position_components_ = 1;
  int64_t context_ = 0;
};

}  // namespace brisk::runtime
