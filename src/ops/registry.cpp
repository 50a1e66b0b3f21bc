// The list of operators, written by the build from the files of this folder, and what they share.
#include <array>

#include "base/checked.hpp"
#include "kernels/gemm/gemm.hpp"
#include "ops/op.hpp"
#include "ops/q8_rows.hpp"

namespace brisk::ops {

#define BRISK_ITEM(name) Op name();
#include "ops.inc"
#undef BRISK_ITEM

std::span<const Op> all_ops() {
  static const std::array ops = {
#define BRISK_ITEM(name) name(),
#include "ops.inc"
#undef BRISK_ITEM
  };
  return ops;
}

const Op* find_op(std::string_view name) {
  for (const Op& op : all_ops()) {
    if (name == op.name) return &op;
  }
  return nullptr;
}

const Attribute& Attributes::find(std::string_view name) const {
  for (const auto& [key, value] : entries) {
    if (key == name) return value;
  }
  BRISK_ASSERT(false, "the builder gave every attribute that the op requires");
}

int64_t value_bytes(const ValueType& type, std::span<const int64_t> symbols) {
  if (type.form == ValueForm::kState) return 0;
  if (type.form == ValueForm::kQ8Rows) {
    return q8_rows_bytes(type.shape[0].evaluate(symbols), type.shape[1].constant());
  }
  int64_t count = 1;
  for (const Dim& dim : type.shape) count *= dim.evaluate(symbols);
  return round_up(count * dtype_info(type.dtype).block_bytes, 64);
}

Status node_error(const NodeView& node, std::string expected, std::string got) {
  return internal_error({"node " + std::string(node.name), std::move(expected), std::move(got)});
}

Status expect_inputs(const NodeView& node, size_t count) {
  if (node.inputs.size() == count) return {};
  return node_error(node, std::to_string(count) + " inputs", std::to_string(node.inputs.size()));
}

Status expect_rows(const NodeView& node, size_t index, int64_t width) {
  const ValueType& type = node.inputs[index];
  const std::string which = "input " + std::to_string(index);
  if (type.form != ValueForm::kTensor || type.dtype != DType::kF32 || type.shape.size() != 2 ||
      node.weights[index] != nullptr) {
    return node_error(node, which + " to be f32 rows", "something else");
  }
  if (width >= 0 && !(type.shape[1] == Dim(width))) {
    return node_error(node, which + " of width " + std::to_string(width), "another width");
  }
  return {};
}

Status expect_weight(const NodeView& node, size_t index, const Shape& shape, const DType* dtype) {
  const Weight* weight = node.weights[index];
  const std::string which = "input " + std::to_string(index) + " to be a weight " + to_string(shape);
  if (weight == nullptr) return node_error(node, which, "an activation");
  if (weight->shape != shape) return node_error(node, which, to_string(weight->shape));
  if (dtype != nullptr && weight->dtype != *dtype) {
    return node_error(node, which + " of type " + std::string(dtype_name(*dtype)),
                      std::string(dtype_name(weight->dtype)));
  }
  return {};
}

}  // namespace brisk::ops
