// The list of weight forms, written by the build from the files of this folder, and what they share.
#include <array>

#include "base/check.hpp"
#include "base/checked.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

#define BRISK_ITEM(name) WeightForm name();
#include "quant_forms.inc"
#undef BRISK_ITEM

std::span<const WeightForm> all_forms() {
  static const std::array forms = {
#define BRISK_ITEM(name) name(),
#include "quant_forms.inc"
#undef BRISK_ITEM
  };
  return forms;
}

const WeightForm* find_form(std::string_view name) {
  for (const WeightForm& form : all_forms()) {
    if (form.name == name) return &form;
  }
  return nullptr;
}

const WeightForm* find_form(DType dtype) {
  for (const WeightForm& form : all_forms()) {
    if (form.blocks && form.blocks->dtype == dtype) return &form;
  }
  return nullptr;
}

const BlockFormat* find_format(DType dtype) {
  const WeightForm* form = find_form(dtype);
  return form != nullptr ? &*form->blocks : nullptr;
}

namespace {

constexpr const char* kConvertAgain = "converting the model again";

Status wrong(const Weight& weight, std::string_view part, std::string expected, std::string got) {
  const std::string where = "weight " + weight.name + (part.empty() ? "" : ", ") + std::string(part);
  return bad_input({where, std::move(expected), std::move(got), kConvertAgain});
}

std::string describe(DType dtype, const Shape& shape) {
  return std::string(dtype_name(dtype)) + " " + to_string(shape);
}

/// Bytes of a tensor whose rows are whole blocks, or nothing when there is no such tensor.
std::optional<uint64_t> tensor_bytes(DType dtype, const Shape& shape) {
  const auto count = element_count(shape);
  if (!count || shape.empty() || shape.back() % dtype_info(dtype).block_values != 0) return std::nullopt;
  return dtype_bytes(dtype, *count);
}

Status check_component(const Weight& weight, const ComponentRule& rule) {
  const std::string part = "component " + std::string(rule.name);
  const WeightComponent* component = weight.find(rule.name);
  const std::string expected = describe(rule.dtype, rule.shape);
  if (component == nullptr) return wrong(weight, part, expected, "no component of that name");
  if (component->dtype != rule.dtype || component->shape != rule.shape) {
    return wrong(weight, part, expected, describe(component->dtype, component->shape));
  }
  const auto bytes = tensor_bytes(rule.dtype, rule.shape);
  if (!bytes) return wrong(weight, part, "rows of whole blocks and a size that can be counted", expected);
  if (component->data.size() == *bytes) return {};
  return wrong(weight, part, std::to_string(*bytes) + " bytes for " + expected,
               std::to_string(component->data.size()) + " bytes");
}

Status check_blocks(const Weight& weight) {
  return check_components(weight, {{"blocks", weight.form->blocks->dtype, weight.shape}});
}

void decode_block_rows(const Weight& weight, int64_t first_row, int64_t rows, float* out) noexcept {
  const BlockFormat& format = *weight.form->blocks;
  const DTypeInfo& info = dtype_info(format.dtype);
  const int64_t row_bytes = weight.width() / info.block_values * info.block_bytes;
  format.decode(weight.only().data.data() + first_row * row_bytes, rows * weight.width(), out);
}

}  // namespace

WeightForm block_form(const char* name, ActivationForm wants, BlockFormat blocks) {
  return {name, wants, check_blocks, decode_block_rows, blocks};
}

Weight block_weight(std::string name, DType dtype, Shape shape, std::span<const std::byte> data) {
  const WeightForm* form = find_form(dtype);
  BRISK_ASSERT(form != nullptr, "the type is a weight format");
  WeightComponent blocks{"blocks", dtype, shape, data};
  return {std::move(name), std::move(shape), form, {std::move(blocks)}};
}

std::string_view type_name(const Weight& weight) {
  return weight.components.size() == 1 ? dtype_name(weight.components.front().dtype) : weight.form->name;
}

double bits_per_weight(const Weight& weight) {
  const auto count = static_cast<double>(element_count(weight.shape).value_or(0));
  return count > 0 ? static_cast<double>(weight.bytes()) * 8 / count : 0;
}

Status check_matrix(const Weight& weight) {
  if (weight.shape.size() == 2 && weight.shape[0] > 0 && weight.shape[1] > 0) return {};
  return wrong(weight, "", "a matrix [n, k]", to_string(weight.shape));
}

Status check_components(const Weight& weight, std::span<const ComponentRule> rules) {
  if (element_count(weight.shape).value_or(0) < 1) {
    return wrong(weight, "", "a shape that holds at least one value", to_string(weight.shape));
  }
  for (const ComponentRule& rule : rules) BRISK_TRY(check_component(weight, rule));
  if (weight.components.size() == rules.size()) return {};
  std::string names;
  for (const ComponentRule& rule : rules) names += (names.empty() ? "" : ", ") + std::string(rule.name);
  return wrong(weight, "", "no components but " + names, std::to_string(weight.components.size()));
}

Result<int64_t> check_setting(const Weight& weight, std::string_view name, int64_t low, int64_t high) {
  const auto value = weight.setting(name);
  if (value && *value >= low && *value <= high) return *value;
  return wrong(weight, "setting " + std::string(name),
               "a number from " + std::to_string(low) + " to " + std::to_string(high),
               value ? std::to_string(*value) : "none");
}

}  // namespace brisk::quant
