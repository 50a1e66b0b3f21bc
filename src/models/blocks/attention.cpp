#include "models/blocks/attention.hpp"

#include <cmath>

namespace brisk::models {

Result<graph::ValueId> attention_block(Builder& builder, const LlmConfig& config, int64_t layer,
                                       graph::ValueId x, StepValues& step) {
  const std::string name = "layer." + std::to_string(layer) + ".attn.";
  const std::string tensor = "blk." + std::to_string(layer) + ".attn_";
  const int64_t q_width = config.heads * config.head_dim;
  const int64_t kv_width = config.kv_heads * config.head_dim;
  BRISK_ASSIGN(graph::ValueId q, builder.linear(name + "q", x, tensor + "q.weight", q_width, config.width));
  BRISK_ASSIGN(graph::ValueId k, builder.linear(name + "k", x, tensor + "k.weight", kv_width, config.width));
  BRISK_ASSIGN(const graph::ValueId v,
               builder.linear(name + "v", x, tensor + "v.weight", kv_width, config.width));
  const ops::Attributes rope{
      {{"head_dim", config.head_dim}, {"style", static_cast<int64_t>(config.rope_style)}}};
  BRISK_ASSIGN(q, builder.node(name + "q_rope", "rope", {q, step.rope_table}, rope));
  BRISK_ASSIGN(k, builder.node(name + "k_rope", "rope", {k, step.rope_table}, rope));
  BRISK_ASSIGN(step.state, builder.node(name + "store", "kv_store", {k, v, step.state},
                                        {{{"layer", layer},
                                          {"kv_heads", config.kv_heads},
                                          {"k_dim", config.head_dim},
                                          {"v_dim", config.head_dim}}}));
  BRISK_ASSIGN(const graph::ValueId mixed,
               builder.node(name + "mix", "attention", {q, step.state},
                            {{{"layer", layer},
                              {"heads", config.heads},
                              {"kv_heads", config.kv_heads},
                              {"k_dim", config.head_dim},
                              {"v_dim", config.head_dim},
                              {"scale", 1.0 / std::sqrt(static_cast<double>(config.head_dim))}}}));
  return builder.linear(name + "out", mixed, tensor + "output.weight", config.width, q_width);
}

}  // namespace brisk::models
