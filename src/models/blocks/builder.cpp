#include "models/blocks/builder.hpp"

#include <algorithm>

#include "quant/weight_form.hpp"

namespace brisk::models {

namespace {

constexpr const char* kConvertAgain = "converting the model again";

std::string describe(const Weight& tensor) {
  return std::string(quant::type_name(tensor)) + " " + to_string(tensor.shape);
}

}  // namespace

Result<graph::ValueId> Builder::weight(const std::string& name, const Shape& shape) {
  const Weight* tensor = source_->find(name);
  const std::string where = source_->where() + ", tensor " + name;
  if (tensor == nullptr) {
    return bad_input({where, "a tensor " + to_string(shape),
                      "none of that name among " + std::to_string(source_->tensors().size()) + " tensors",
                      "a complete file, or one whose hyperparameters match its tensors"});
  }
  if (tensor->shape != shape)
    return bad_input({where, "shape " + to_string(shape), to_string(tensor->shape), kConvertAgain});
  if (tensor->form == nullptr) {
    return bad_input({where, "a type that holds weights", describe(*tensor), kConvertAgain});
  }
  return checked(*tensor);
}

Result<graph::ValueId> Builder::checked(Weight weight) {
  if (const Status status = weight.form->check(weight); !status.ok()) {
    ErrorParts parts = status.parts();
    parts.where = source_->where() + ", " + parts.where;
    return Status(status.code(), std::move(parts));
  }
  return graph_->add_weight(std::move(weight));
}

Result<graph::ValueId> Builder::f32_weight(const std::string& name, const Shape& shape) {
  BRISK_ASSIGN(const graph::ValueId id, weight(name, shape));
  const Weight& weight = *graph_->value(id).weight;
  const WeightComponent& values = weight.only();
  if (values.dtype != DType::kF32 || reinterpret_cast<uintptr_t>(values.data.data()) % alignof(float) != 0) {
    return bad_input({source_->where() + ", tensor " + name, "type F32 at an aligned offset",
                      std::string(dtype_name(values.dtype)), kConvertAgain});
  }
  return id;
}

Status Builder::check_all_used(std::span<const std::string_view> apart) const {
  for (const Weight& tensor : source_->tensors()) {
    const bool empty = element_count(tensor.shape) == 0;  // holds no numbers that could matter
    if (empty || graph_->has_weight(tensor.name) || std::ranges::find(apart, tensor.name) != apart.end()) {
      continue;
    }
    return bad_input({source_->where() + ", tensor " + tensor.name,
                      "only tensors that this architecture reads",
                      "one that it does not (" + describe(tensor) + ")",
                      "a model of a known architecture whose hyperparameters match its tensors"});
  }
  return {};
}

Result<graph::ValueId> Builder::node(std::string name, std::string_view op,
                                     std::vector<graph::ValueId> inputs, ops::Attributes attributes) {
  BRISK_ASSIGN(const std::vector<graph::ValueId> outputs,
               graph_->add_node(std::move(name), op, std::move(inputs), std::move(attributes)));
  return outputs[0];
}

Result<graph::ValueId> Builder::linear(std::string name, graph::ValueId x, const std::string& tensor,
                                       int64_t n, int64_t k) {
  BRISK_ASSIGN(const graph::ValueId w, weight(tensor, {n, k}));
  return node(std::move(name), "linear", {x, w});
}

Result<graph::ValueId> Builder::rms_norm(std::string name, graph::ValueId x, const std::string& tensor,
                                         int64_t width, double eps) {
  BRISK_ASSIGN(const graph::ValueId w, f32_weight(tensor, {width}));
  return node(std::move(name), "rms_norm", {x, w}, {{{"eps", eps}}});
}

}  // namespace brisk::models
