// Llama (Touvron et al. 2023, Grattafiori et al. 2024) and what shares its shape: SmolLM2, Mistral.
// Pre-norm blocks, RMS norm, rotary positions on interleaved pairs, grouped query heads, SwiGLU.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <numbers>

#include "models/architecture.hpp"
#include "models/blocks/attention.hpp"
#include "models/blocks/mlp.hpp"

namespace brisk::models {

namespace {

// Far above any model; they keep products of sizes within 64 bits.
constexpr int64_t kMostLayers = 4096;
constexpr int64_t kMostWidth = 1 << 20;
constexpr int64_t kMostHeads = 1 << 10;
constexpr int64_t kMostHeadWidth = 1 << 20;  // heads * head_dim
constexpr int64_t kMostContext = int64_t{1} << 30;

class HyperparameterReader {
 public:
  explicit HyperparameterReader(const ModelSource& source) : source_(source) {}

  Result<int64_t> positive(const char* key, int64_t most) {
    BRISK_ASSIGN(const int64_t value, source_.metadata().get_int(key));
    return in_range(key, value, most);
  }
  Result<int64_t> positive_or(const char* key, int64_t otherwise, int64_t most) {
    BRISK_ASSIGN(const int64_t value, source_.metadata().get_int_or(key, otherwise));
    return in_range(key, value, most);
  }
  Status wrong(const char* key, std::string expected, std::string got) {
    return bad_input({source_.where() + ", " + key, std::move(expected), std::move(got),
                      "a complete file, or converting the model again"});
  }

 private:
  Result<int64_t> in_range(const char* key, int64_t value, int64_t most) {
    if (value >= 1 && value <= most) return value;
    return wrong(key, "1 to " + std::to_string(most), std::to_string(value));
  }
  const ModelSource& source_;
};

// frequency[i] = base^(-2 i / rotated), in f32 as transformers computes it; a file may divide them
// (rope_freqs.weight of Llama 3) or scale all positions (linear scaling).
Status read_rope(const ModelSource& source, LlmConfig& config) {
  HyperparameterReader read(source);
  BRISK_ASSIGN(const int64_t rotated,
               read.positive_or("llama.rope.dimension_count", config.head_dim, config.head_dim));
  if (rotated % 2 != 0)
    return read.wrong("llama.rope.dimension_count", "an even number", std::to_string(rotated));
  BRISK_ASSIGN(const double base, source.metadata().get_float_or("llama.rope.freq_base", 10000.0));
  if (!(base > 1.0 && base <= 1e12)) {
    return read.wrong("llama.rope.freq_base", "above 1, up to 1e12", std::to_string(base));
  }
  double factor = 1.0;
  if (source.metadata().find("llama.rope.scaling.type") != nullptr) {
    BRISK_ASSIGN(const std::string_view type, source.metadata().get_string("llama.rope.scaling.type"));
    if (type != "none" && type != "linear") {
      return read.wrong("llama.rope.scaling.type", "none or linear", "'" + std::string(type) + "'");
    }
    if (type == "linear") {
      BRISK_ASSIGN(factor, source.metadata().get_float("llama.rope.scaling.factor"));
      if (!(factor > 0) || !std::isfinite(factor)) {
        return read.wrong("llama.rope.scaling.factor", "a positive number", std::to_string(factor));
      }
    }
  }
  const Weight* divisors = source.find("rope_freqs.weight");
  if (divisors != nullptr && (divisors->dtype() != DType::kF32 || divisors->shape != Shape{rotated / 2})) {
    return read.wrong("tensor rope_freqs.weight", "F32 " + to_string({rotated / 2}),
                      to_string(divisors->shape));
  }
  for (int64_t i = 0; i < rotated / 2; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(rotated);
    float frequency = 1.0F / std::pow(static_cast<float>(base), exponent);
    if (divisors != nullptr) {
      float divisor = 1.0F;
      std::memcpy(&divisor, divisors->only().data.data() + i * static_cast<int64_t>(sizeof(float)),
                  sizeof(float));
      frequency /= divisor;
    }
    config.rope_frequencies.push_back(frequency / static_cast<float>(factor));
  }
  return {};
}

// Keys that would change the numbers and that this architecture does not read.
Status refuse_other_arithmetic(const ModelSource& source) {
  HyperparameterReader read(source);
  for (const char* key :
       {"llama.expert_count", "llama.expert_used_count", "llama.attention.sliding_window"}) {
    BRISK_ASSIGN(const int64_t value, source.metadata().get_int_or(key, 0));
    if (value != 0) return read.wrong(key, "none", std::to_string(value));
  }
  BRISK_ASSIGN(const bool causal, source.metadata().get_bool_or("llama.attention.causal", true));
  if (!causal) return read.wrong("llama.attention.causal", "true", "false");
  BRISK_ASSIGN(const double linear, source.metadata().get_float_or("llama.rope.scale_linear", 1.0));
  if (linear != 1.0) return read.wrong("llama.rope.scale_linear", "1", std::to_string(linear));
  return {};
}

Result<LlmConfig> read_config(const ModelSource& source) {
  HyperparameterReader read(source);
  LlmConfig config;
  config.architecture = "llama";
  if (source.origin() == Origin::kHuggingFace) config.rope_style = kernels::RopeStyle::kHalves;
  BRISK_ASSIGN(config.layers, read.positive("llama.block_count", kMostLayers));
  BRISK_ASSIGN(config.width, read.positive("llama.embedding_length", kMostWidth));
  BRISK_ASSIGN(config.ffn, read.positive("llama.feed_forward_length", kMostWidth));
  BRISK_ASSIGN(config.heads, read.positive("llama.attention.head_count", kMostHeads));
  BRISK_ASSIGN(config.kv_heads, read.positive_or("llama.attention.head_count_kv", config.heads, kMostHeads));
  BRISK_ASSIGN(config.trained_context, read.positive("llama.context_length", kMostContext));
  BRISK_ASSIGN(config.norm_eps, source.metadata().get_float("llama.attention.layer_norm_rms_epsilon"));
  if (!(config.norm_eps >= 0 && config.norm_eps < 1)) {
    return read.wrong("llama.attention.layer_norm_rms_epsilon", "0 to 1", std::to_string(config.norm_eps));
  }
  if (config.heads % config.kv_heads != 0) {
    return read.wrong("llama.attention.head_count_kv",
                      "a divisor of the " + std::to_string(config.heads) + " query heads",
                      std::to_string(config.kv_heads));
  }
  if (source.metadata().find("llama.attention.key_length") == nullptr && config.width % config.heads != 0) {
    return read.wrong("llama.attention.head_count", "a divisor of the width " + std::to_string(config.width),
                      std::to_string(config.heads));
  }
  BRISK_ASSIGN(config.head_dim,
               read.positive_or("llama.attention.key_length", config.width / config.heads, 1 << 12));
  if (config.head_dim % 8 != 0) {
    return read.wrong("llama.attention.key_length", "a multiple of 8", std::to_string(config.head_dim));
  }
  BRISK_ASSIGN(const int64_t v_dim,
               read.positive_or("llama.attention.value_length", config.head_dim, 1 << 12));
  if (v_dim != config.head_dim) {
    return read.wrong("llama.attention.value_length", "the key length " + std::to_string(config.head_dim),
                      std::to_string(v_dim));
  }
  if (config.heads * config.head_dim > kMostHeadWidth) {
    return read.wrong("llama.attention.key_length",
                      "heads of at most " + std::to_string(kMostHeadWidth) + " in all",
                      std::to_string(config.heads) + " of " + std::to_string(config.head_dim));
  }
  const Weight* embedding = source.find("token_embd.weight");
  if (embedding == nullptr || embedding->shape.size() != 2) {
    return read.wrong("tensor token_embd.weight", "a table [vocabulary, width]",
                      embedding == nullptr ? "none" : to_string(embedding->shape));
  }
  config.vocabulary = embedding->shape[0];
  if (config.vocabulary > std::numeric_limits<int32_t>::max()) {
    return read.wrong("tensor token_embd.weight", "fewer than 2^31 rows", to_string(embedding->shape));
  }
  BRISK_ASSIGN(const int64_t stated, source.metadata().get_int_or("llama.vocab_size", config.vocabulary));
  if (stated != config.vocabulary) {
    return read.wrong("llama.vocab_size",
                      "the " + std::to_string(config.vocabulary) + " rows of token_embd.weight",
                      std::to_string(stated));
  }
  BRISK_TRY(refuse_other_arithmetic(source));
  BRISK_TRY(read_rope(source, config));
  return config;
}

ops::ValueType rows_of_ints(SymbolId symbol) {
  return {ops::ValueForm::kTensor, DType::kI32, {Dim::symbol(symbol)}};
}

Result<graph::Graph> build(const LlmConfig& config, const ModelSource& source) {
  graph::Graph graph;
  Builder builder(graph, source);
  const graph::ValueId tokens = graph.add_input("tokens", rows_of_ints(graph::kTokens));
  StepValues step{};
  step.positions = graph.add_input("positions", rows_of_ints(graph::kTokens));
  const graph::ValueId output_rows = graph.add_input("output_rows", rows_of_ints(graph::kOutputs));
  step.state = graph.add_input("kv", {ops::ValueForm::kState, DType::kU8, {}});

  graph.begin_segment("embedding");
  BRISK_ASSIGN(const graph::ValueId table,
               builder.weight("token_embd.weight", {config.vocabulary, config.width}));
  BRISK_ASSIGN(
      step.rope_table,
      builder.node("rope_table", "rope_table", {step.positions},
                   {{{"frequencies", std::make_shared<const std::vector<float>>(config.rope_frequencies)}}}));
  BRISK_ASSIGN(graph::ValueId x, builder.node("embedding", "embed", {tokens, table}));

  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string name = "layer." + std::to_string(layer);
    const std::string tensor = "blk." + std::to_string(layer);
    graph.begin_segment(name, x);
    BRISK_ASSIGN(graph::ValueId normed, builder.rms_norm(name + ".attn.norm", x, tensor + ".attn_norm.weight",
                                                         config.width, config.norm_eps));
    BRISK_ASSIGN(const graph::ValueId attended, attention_block(builder, config, layer, normed, step));
    BRISK_ASSIGN(x, builder.node(name + ".attn.residual", "add", {x, attended}));
    BRISK_ASSIGN(normed, builder.rms_norm(name + ".mlp.norm", x, tensor + ".ffn_norm.weight", config.width,
                                          config.norm_eps));
    BRISK_ASSIGN(const graph::ValueId fed, mlp_block(builder, config, layer, normed));
    BRISK_ASSIGN(x, builder.node(name + ".residual", "add", {x, fed}));
  }

  graph.begin_segment("head", x);
  BRISK_ASSIGN(x, builder.node("head.rows", "select_rows", {x, output_rows}));
  BRISK_ASSIGN(x, builder.rms_norm("head.norm", x, "output_norm.weight", config.width, config.norm_eps));
  const std::string head = builder.has_tensor("output.weight") ? "output.weight" : "token_embd.weight";
  BRISK_ASSIGN(const graph::ValueId logits,
               builder.linear("logits", x, head, config.vocabulary, config.width));
  graph.mark_output(logits);
  constexpr std::string_view kReadByConfig[] = {"rope_freqs.weight"};
  BRISK_TRY(builder.check_all_used(kReadByConfig));
  return graph;
}

// --- Hugging Face folders

constexpr std::string_view kClasses[] = {"LlamaForCausalLM", "MistralForCausalLM"};

constexpr ModuleName kModules[] = {
    {"model.embed_tokens", "token_embd"},
    {"model.norm", "output_norm"},
    {"lm_head", "output"},
    {"model.layers.#.input_layernorm", "blk.#.attn_norm"},
    {"model.layers.#.self_attn.q_proj", "blk.#.attn_q"},
    {"model.layers.#.self_attn.k_proj", "blk.#.attn_k"},
    {"model.layers.#.self_attn.v_proj", "blk.#.attn_v"},
    {"model.layers.#.self_attn.o_proj", "blk.#.attn_output"},
    {"model.layers.#.post_attention_layernorm", "blk.#.ffn_norm"},
    {"model.layers.#.mlp.gate_proj", "blk.#.ffn_gate"},
    {"model.layers.#.mlp.up_proj", "blk.#.ffn_up"},
    {"model.layers.#.mlp.down_proj", "blk.#.ffn_down"},
};

// Llama 3's scaling of rotary frequencies: long waves are slowed by `factor`, short ones are kept, those
// between are blended (Grattafiori et al. 2024; transformers' rope type "llama3").
Status read_llama3_scaling(const ConfigReader& rope, double theta, int64_t head_dim, ModelConfig& out) {
  BRISK_ASSIGN(const double factor, rope.number("factor"));
  BRISK_ASSIGN(const double low, rope.number("low_freq_factor"));
  BRISK_ASSIGN(const double high, rope.number("high_freq_factor"));
  BRISK_ASSIGN(const double trained, rope.number("original_max_position_embeddings"));
  if (!(factor >= 1 && low > 0 && high > low && trained >= 1)) {
    return rope.wrong("factor", "factor >= 1, 0 < low_freq_factor < high_freq_factor, a positive length",
                      std::to_string(factor) + ", " + std::to_string(low) + ", " + std::to_string(high) +
                          ", " + std::to_string(trained));
  }
  std::vector<float> divisors;
  for (int64_t i = 0; i < head_dim / 2; ++i) {
    const double frequency = std::pow(theta, -static_cast<double>(2 * i) / static_cast<double>(head_dim));
    const double turns = trained * frequency / (2 * std::numbers::pi);
    const double kept = std::clamp((turns - low) / (high - low), 0.0, 1.0);
    divisors.push_back(static_cast<float>(1.0 / (kept + (1.0 - kept) / factor)));
  }
  out.tensors.emplace_back("rope_freqs.weight", std::move(divisors));
  return {};
}

// rope_parameters (transformers 5) or rope_scaling (before). What these lack stands beside them.
Status read_rope_config(const ConfigReader& config, int64_t head_dim, ModelConfig& out) {
  const char* key = config.find("rope_parameters") != nullptr ? "rope_parameters" : "rope_scaling";
  const Json nothing = Json::object();
  ConfigReader rope(nothing, config.where());
  if (config.find(key) != nullptr) {
    BRISK_ASSIGN(rope, config.object(key));
  }
  BRISK_ASSIGN(const double beside, config.number_or("rope_theta", 10000.0));
  BRISK_ASSIGN(const double theta, rope.number_or("rope_theta", beside));
  out.metadata.add("llama.rope.freq_base", static_cast<float>(theta));
  BRISK_ASSIGN(const double partial_beside, config.number_or("partial_rotary_factor", 1.0));
  BRISK_ASSIGN(const double partial, rope.number_or("partial_rotary_factor", partial_beside));
  if (partial != 1.0) return rope.wrong("partial_rotary_factor", "1", std::to_string(partial));
  BRISK_ASSIGN(const std::string older, rope.text_or("type", "default"));
  BRISK_ASSIGN(const std::string type, rope.text_or("rope_type", older));
  if (type == "default") return {};
  if (type == "llama3") return read_llama3_scaling(rope, theta, head_dim, out);
  if (type != "linear") return rope.wrong("rope_type", "default, linear or llama3", "'" + type + "'");
  BRISK_ASSIGN(const double factor, rope.number("factor"));
  out.metadata.add("llama.rope.scaling.type", "linear");
  out.metadata.add("llama.rope.scaling.factor", static_cast<float>(factor));
  return {};
}

// Settings of config.json that would change the numbers and that this architecture does not read.
Status refuse_other_settings(const ConfigReader& config) {
  BRISK_ASSIGN(const std::string activation, config.text_or("hidden_act", "silu"));
  if (activation != "silu") return config.wrong("hidden_act", "silu", "'" + activation + "'");
  for (const char* key : {"attention_bias", "mlp_bias"}) {
    BRISK_ASSIGN(const bool bias, config.flag_or(key, false));
    if (bias) return config.wrong(key, "false", "true");
  }
  BRISK_ASSIGN(const int64_t window, config.integer_or("sliding_window", 0));
  if (window != 0) return config.wrong("sliding_window", "null", std::to_string(window));
  return {};
}

Status read_folder_config(const ConfigReader& config, ModelConfig& out) {
  BRISK_TRY(refuse_other_settings(config));
  struct Size {
    const char* key;
    const char* gguf;
  };
  for (const Size& size : {Size{"num_hidden_layers", "llama.block_count"},
                           {"hidden_size", "llama.embedding_length"},
                           {"intermediate_size", "llama.feed_forward_length"},
                           {"max_position_embeddings", "llama.context_length"},
                           {"vocab_size", "llama.vocab_size"}}) {
    BRISK_ASSIGN(const int64_t value, config.integer(size.key));
    out.metadata.add(size.gguf, static_cast<uint32_t>(value));
  }
  BRISK_ASSIGN(const int64_t width, config.integer("hidden_size"));
  BRISK_ASSIGN(const int64_t heads, config.integer("num_attention_heads"));
  BRISK_ASSIGN(const int64_t kv_heads, config.integer_or("num_key_value_heads", heads));
  if (heads == 0) return config.wrong("num_attention_heads", "at least 1", "0");
  BRISK_ASSIGN(const int64_t head_dim, config.integer_or("head_dim", width / heads));
  BRISK_ASSIGN(const double eps, config.number_or("rms_norm_eps", 1e-6));
  out.metadata.add("llama.attention.head_count", static_cast<uint32_t>(heads));
  out.metadata.add("llama.attention.head_count_kv", static_cast<uint32_t>(kv_heads));
  out.metadata.add("llama.attention.key_length", static_cast<uint32_t>(head_dim));
  out.metadata.add("llama.attention.value_length", static_cast<uint32_t>(head_dim));
  out.metadata.add("llama.attention.layer_norm_rms_epsilon", static_cast<float>(eps));
  return read_rope_config(config, head_dim, out);
}

}  // namespace

Architecture llm_llama() {
  return {"llama", {kClasses, kModules, false, read_folder_config}, read_config, build};
}

}  // namespace brisk::models
