// Streams that decoding methods and the search for layers are made of: the model without some layers, and the
// model left early.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.hpp"
#include "runtime/decoding/decoding.hpp"

namespace brisk::runtime {

/// The segment of the model's plan that is this layer ("layer.N"). A layer that the model lacks, or a plan
/// without such segments, is a usage error.
Result<int32_t> layer_segment(const Model& model, int64_t layer);

/// The model without these layers (ascending, at least one): every token takes this way too, and splits off
/// at the first of them.
Result<Stream> pruned_stream(const Model& model, std::span<const int64_t> pruned);

/// Logits of what enters `layer` (0: the embedding), by the model's own final norm and head.
Result<Stream> early_exit_stream(const Model& model, int64_t layer);

}  // namespace brisk::runtime
