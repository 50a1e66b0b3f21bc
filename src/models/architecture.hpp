// Language-model architectures: one file each in llm/, built from blocks/. llm/<name>.cpp defines
// llm_<name>(), and the build lists them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "graph/graph.hpp"
#include "kernels/rope/rope.hpp"
#include "models/huggingface/mapping.hpp"
#include "models/source.hpp"

namespace brisk::models {

/// Hyperparameters, read and checked against each other once; nothing downstream checks them again.
struct LlmConfig {
  std::string architecture;
  int64_t vocabulary = 0, width = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0;
  int64_t trained_context = 0;
  double norm_eps = 1e-5;
  kernels::RopeStyle rope_style = kernels::RopeStyle::kInterleaved;
  std::vector<float> rope_frequencies;  ///< one per rotated pair
};

struct Architecture {
  const char* name;  ///< general.architecture
  HuggingFaceMapping huggingface;
  Result<LlmConfig> (*read_config)(const ModelSource& source);
  /// The graph with inputs tokens, positions, output_rows and kv, and the logits as its output.
  Result<graph::Graph> (*build)(const LlmConfig& config, const ModelSource& source);
};

std::span<const Architecture> all_architectures();
/// The architecture of a model; an unknown one is an error listing those that are known.
Result<const Architecture*> find_architecture(const ModelSource& source);

}  // namespace brisk::models
