#include "models/blocks/mlp.hpp"

namespace brisk::models {

Result<graph::ValueId> mlp_block(Builder& builder, const LlmConfig& config, int64_t layer, graph::ValueId x) {
  const std::string name = "layer." + std::to_string(layer) + ".mlp.";
  const std::string tensor = "blk." + std::to_string(layer) + ".ffn_";
  BRISK_ASSIGN(const graph::ValueId gate,
               builder.linear(name + "gate", x, tensor + "gate.weight", config.ffn, config.width));
  BRISK_ASSIGN(const graph::ValueId up,
               builder.linear(name + "up", x, tensor + "up.weight", config.ffn, config.width));
  BRISK_ASSIGN(const graph::ValueId hidden, builder.node(name + "silu_mul", "silu_mul", {gate, up}));
  return builder.linear(name + "down", hidden, tensor + "down.weight", config.width, config.ffn);
}

}  // namespace brisk::models
