// The list of operators, written by the build from the files of this folder, and what they share.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/checked.hpp"
#include "kernels/gemm/gemm.hpp"
#include "ops/op.hpp"
#include "ops/q8_rows.hpp"
#include "quant/weight_form.hpp"

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

int64_t Attributes::integer_or(std::string_view name, int64_t otherwise) const {
  for (const auto& [key, value] : entries) {
    if (key == name) return std::get<int64_t>(value);
  }
  return otherwise;
}

std::optional<int64_t> value_bytes(const ValueType& type, std::span<const int64_t> most) {
  if (type.form == ValueForm::kState) return 0;
  constexpr int64_t kMostBytes = int64_t{1} << 60;
  // Bounds what q8_rows_bytes and the rounding add: less than 16 bytes a value, and some lines of 64.
  int64_t room = kMostBytes / (type.form == ValueForm::kQ8Rows ? 16 : dtype_info(type.dtype).block_bytes);
  int64_t count = 1;
  for (const Dim& dim : type.shape) {
    const std::optional<int64_t> size = dim.most(most);
    if (!size || (*size > 0 && count > room / *size)) return std::nullopt;
    count *= *size;
  }
  if (type.form == ValueForm::kTensor) return round_up(count * dtype_info(type.dtype).block_bytes, 64);
  return q8_rows_bytes(*type.shape[0].most(most), type.shape[1].constant());
}

namespace {

/// What is wrong with an attribute's value; empty when nothing is.
std::string attribute_fault(const Attribute& value, const AttributeRule& rule) {
  if (value.index() != static_cast<size_t>(rule.kind)) return "an attribute of another kind";
  const auto in_range = [&rule](int64_t number) { return number >= rule.least && number <= rule.most; };
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    return in_range(*integer) ? "" : std::to_string(*integer);
  }
  if (const auto* real = std::get_if<double>(&value)) return std::isfinite(*real) ? "" : "no finite number";
  const std::vector<float>& list = *std::get<2>(value);
  if (!in_range(static_cast<int64_t>(list.size()))) return std::to_string(list.size()) + " numbers";
  return std::ranges::all_of(list, [](float x) { return std::isfinite(x); }) ? ""
                                                                             : "a number that is not finite";
}

std::string describe(const AttributeRule& rule) {
  const std::string range = std::to_string(rule.least) + " to " + std::to_string(rule.most);
  switch (rule.kind) {
    case AttributeKind::kInteger: return "an integer from " + range;
    case AttributeKind::kReal: return "a real number";
    case AttributeKind::kReals: return "a list of " + range + " real numbers";
  }
  return "";
}

Status check_attributes(const Op& op, const NodeView& node) {
  std::vector<const Attribute*> given(op.attributes.size(), nullptr);
  for (const auto& [key, value] : node.attributes.entries) {
    const auto rule = std::ranges::find(op.attributes, key, &AttributeRule::name);
    if (rule == op.attributes.end()) {
      return node_error(node, "only attributes that " + std::string(op.name) + " declares", key);
    }
    const std::string which = "attribute " + key + " of " + std::string(op.name) + " to be ";
    const Attribute*& place = given[static_cast<size_t>(rule - op.attributes.begin())];
    if (place != nullptr) return node_error(node, which + "given once", "it twice");
    place = &value;
    if (const std::string fault = attribute_fault(value, *rule); !fault.empty()) {
      return node_error(node, which + describe(*rule), fault);
    }
  }
  for (size_t i = 0; i < given.size(); ++i) {
    if (given[i] != nullptr || !op.attributes[i].required) continue;
    return node_error(node, "the attribute " + std::string(op.attributes[i].name) + " of " + op.name, "none");
  }
  return {};
}

}  // namespace

Result<std::vector<ValueType>> infer_outputs(const Op& op, const NodeView& node) {
  BRISK_TRY(check_attributes(op, node));
  return op.infer(node);
}

Status node_error(const NodeView& node, std::string expected, std::string got) {
  return internal_error({"node " + std::string(node.name), std::move(expected), std::move(got)});
}

Status expect_inputs(const NodeView& node, size_t count) {
  if (node.inputs.size() == count) return {};
  return node_error(node, std::to_string(count) + " inputs", std::to_string(node.inputs.size()));
}

Status expect_rows(const NodeView& node, size_t index, int64_t width, bool same_rows) {
  const ValueType& type = node.inputs[index];
  const std::string which = "input " + std::to_string(index);
  if (type.form != ValueForm::kTensor || type.dtype != DType::kF32 || type.shape.size() != 2 ||
      !type.shape[1].is_constant() || type.shape[1].constant() < 1 || node.weights[index] != nullptr) {
    return node_error(node, which + " to be f32 rows", "something else");
  }
  if (width >= 0 && !(type.shape[1] == Dim(width))) {
    return node_error(node, which + " of width " + std::to_string(width),
                      std::to_string(type.shape[1].constant()));
  }
  if (same_rows && !(type.shape[0] == node.inputs[0].shape[0])) {
    return node_error(node, which + " with as many rows as input 0", "another number of rows");
  }
  return {};
}

Status expect_row_numbers(const NodeView& node, size_t index, const Dim* rows) {
  const ValueType& type = node.inputs[index];
  const std::string which = "input " + std::to_string(index);
  if (type.form != ValueForm::kTensor || type.dtype != DType::kI32 || type.shape.size() != 1 ||
      node.weights[index] != nullptr) {
    return node_error(node, which + " to be i32 [rows]", "something else");
  }
  if (rows != nullptr && !(type.shape[0] == *rows)) {
    return node_error(node, which + " with a number for each row", "another length");
  }
  return {};
}

Status expect_weight(const NodeView& node, size_t index, const Shape& shape, const DType* dtype) {
  const Weight* weight = node.weights[index];
  const std::string which = "input " + std::to_string(index) + " to be a weight " + to_string(shape);
  if (weight == nullptr) return node_error(node, which, "an activation");
  if (weight->shape != shape) return node_error(node, which, to_string(weight->shape));
  if (weight->form == nullptr) return node_error(node, which + " of some form", "one without");
  if (dtype != nullptr && weight->form != quant::find_form(*dtype)) {
    return node_error(node, which + " of type " + std::string(dtype_name(*dtype)), weight->form->name);
  }
  return {};
}

}  // namespace brisk::ops
