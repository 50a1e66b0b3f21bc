// Gated feed-forward block (SwiGLU): down(silu(gate(x)) * up(x)).
#pragma once

#include "models/architecture.hpp"
#include "models/blocks/builder.hpp"

namespace brisk::models {

/// x f32 [tokens, width], normed -> f32 [tokens, width], before the residual.
Result<graph::ValueId> mlp_block(Builder& builder, const LlmConfig& config, int64_t layer, graph::ValueId x);

}  // namespace brisk::models
