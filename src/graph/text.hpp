// A graph as text: dump() writes it for people, tools and tests, read_graph() reads it back. What dump()
// writes reads back as the same graph, and that graph dumps as the same text.
//
// One line per thing; empty lines are passed over:
//     brisk graph 1
//     symbols tokens, outputs
//     input %0 : i32[tokens]  # tokens
//     weight @blk.0.attn_q.weight : q4_1[576, 576]
//     weight @w : FORM[8, 64] {group=32} (codes: u8[8, 32], scales: f16[8, 2])
//     segment layer.0 stream=%4
//       %12 = linear(%10, @blk.0.attn_q.weight) : f32[tokens, 576]  # layer.0.attn.q
//       %13, %14 = attention(%12, %9) {layer=0} : f32[tokens, 576], u8[tokens, 56]  # layer.0.attn.mix
//     output %40
// - The first symbols are always tokens and outputs. %N is a value: dump() counts inputs first, then what the
//   nodes make, in order. @NAME is a weight. What follows # is the name of an input or a node; the values
//   that a node makes are named after it.
// - A type is a data type and dimensions, outermost first; "state", or "q8_rows[rows, width]". A dimension is
//   affine in the symbols (2*tokens+1) or known later: after(SIZE), after(SIZE)<=AFFINE.
// - A weight is its form and the shape of its values, then its settings and components unless the form is one
//   of native blocks, which has the one component.
// - Attributes: integers, reals (with a point or an exponent) and lists of reals, each with the fewest digits
//   that give the same number again.
// - Names other than letters, digits and _ . - / stand in quotes, with \" \\ and \xHH.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "graph/graph.hpp"

namespace brisk::graph {

/// The text of a verified graph. Values that no node makes any more are left out.
std::string dump(const Graph& graph);
/// The type as dump() writes it: "f32[tokens, 576]".
std::string type_text(const ops::ValueType& type, const std::vector<std::string>& symbols);

/// Finds a weight by name; null when there is none of that name.
using WeightLookup = std::function<const Weight*(const std::string& name)>;

/// The graph of a text, verified. `where` names the text in errors, which give line and column. Weights come
/// from `weights` and must be of the form and shape that the text says; without a lookup they have no data:
/// such a graph can be dumped, verified and rewritten, but not planned. At most 64 MiB of text, 2^20 values,
/// and 2^40 as a number in a dimension.
Result<Graph> read_graph(std::string_view text, std::string_view where, const WeightLookup& weights = {});

}  // namespace brisk::graph
