// The stateless form of a language model's graph, with equal numbers: training, tests and ONNX use it.
#pragma once

#include "graph/graph.hpp"

namespace brisk::graph {

/// The graph with every kv_store and attention pair as one attention_segments, and the input `segments`
/// i32 [tokens] in the place of its state: rows of one segment stand side by side and are a fresh sequence.
/// Its logits are, bit for bit, those of the stateful graph on fresh sequences with the same type of keys and
/// values. Refused: other ops that touch state, a state as output, a layer that is read but not stored.
/// Weights are shared views; nodes that only order states go away. Verified.
Result<Graph> stateless(const Graph& graph);

}  // namespace brisk::graph
