// quantize_activations: where the form of a linear's weight wants its activations in another form, and there
// is a kernel for that, the input is put into it. The transform is a node of its own, made once per input and
// shared by all products that read it (q, k and v; gate and up).
#include <map>

#include "graph/passes/pass.hpp"
#include "kernels/gemm/gemm.hpp"
#include "quant/weight_form.hpp"

namespace brisk::graph {

namespace {

bool wants_q8(const Graph& graph, const Node& node, Isa isa) {
  if (std::string_view(node.op->name) != "linear") return false;
  if (graph.value(node.inputs[0]).type.form != ops::ValueForm::kTensor) return false;
  const Weight& weight = *graph.value(node.inputs[1]).weight;
  constexpr auto kQ8 = kernels::ActivationForm::kQ8;
  return weight.form->wants == kQ8 && weight.width() % kernels::kQ8Block == 0 &&
         kernels::find_gemm(*weight.form, kQ8, isa) != nullptr;
}

Status run(Graph& graph, const PassContext& context) {
  if (context.exact) return {};
  const ops::Op* quantize = ops::find_op("quantize_rows");
  std::map<ValueId, ValueId> quantized;
  std::vector<Node> nodes;
  for (Node& node : graph.take_nodes()) {
    if (wants_q8(graph, node, context.isa)) {
      const ValueId input = node.inputs[0];
      auto [entry, fresh] = quantized.try_emplace(input, -1);
      if (fresh) {
        Node transform{graph.value(input).name + ".q8", quantize, {input}, {}, {}, node.segment};
        NodeViewStorage storage;
        BRISK_ASSIGN(std::vector<ops::ValueType> types,
                     quantize->infer(view_node(graph, transform, storage)));
        entry->second = graph.add_activation(transform.name, std::move(types[0]));
        transform.outputs = {entry->second};
        nodes.push_back(std::move(transform));
      }
      node.inputs[0] = entry->second;
    }
    nodes.push_back(std::move(node));
  }
  graph.set_nodes(std::move(nodes));
  return {};
}

}  // namespace

Pass pass_quantize_activations() { return {"quantize_activations", 20, run}; }

}  // namespace brisk::graph
