// Attention block with grouped query heads, rotary positions and stored keys and values.
#pragma once

#include "models/architecture.hpp"
#include "models/blocks/builder.hpp"

namespace brisk::models {

/// What all layers of one graph share.
struct StepValues {
  graph::ValueId positions;   ///< i32 [tokens]
  graph::ValueId rope_table;  ///< f32 [tokens, rotated]
  graph::ValueId state;       ///< newest state token; blocks that change the state replace it
};

/// x f32 [tokens, width], normed -> f32 [tokens, width], before the residual. Tensors are prefix + "attn_q"
/// and so on; nodes are named `layer.N.attn.*`.
Result<graph::ValueId> attention_block(Builder& builder, const LlmConfig& config, int64_t layer,
                                       graph::ValueId x, StepValues& step);

}  // namespace brisk::models
