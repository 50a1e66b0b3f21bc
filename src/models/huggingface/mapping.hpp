// How an architecture looks in a Hugging Face folder: the names of its classes and tensors, and its
// config.json in GGUF's keys.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "models/huggingface/config.hpp"

namespace brisk::models {

/// A module of the folder and GGUF's name for it, both without ".weight"; "#" stands for a layer's number.
struct ModuleName {
  std::string_view folder;  ///< "model.layers.#.self_attn.q_proj"
  std::string_view gguf;    ///< "blk.#.attn_q"
};

struct HuggingFaceMapping {
  std::span<const std::string_view> classes;  ///< of config.json's "architectures": "LlamaForCausalLM"
  std::span<const ModuleName> modules;
  bool tied_by_default = false;  ///< whether the head is the embedding when config.json does not say
  /// Fills the hyperparameters in. Settings that would change the numbers and are not read are errors.
  Status (*read_config)(const ConfigReader& config, ModelConfig& out) = nullptr;
};

}  // namespace brisk::models
