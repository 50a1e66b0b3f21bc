// What a weight form is: which components and settings a weight of that form has, how its rows are read,
// and which activations its products want. A form is the only thing that knows; everyone else asks it.
// One file per form: quant/<name>.cpp defines quant_<name>(), and the build lists them (registry.cpp).
// How to add one: docs/howto/add-a-weight-form.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "quant/activation_form.hpp"
#include "quant/block_format.hpp"
#include "tensor/weight.hpp"

namespace brisk::quant {

struct WeightForm {
  const char* name;      ///< "q4_1"; kernels name the form that they serve by it, so no two are alike
  ActivationForm wants;  ///< what a product reads where a kernel for that exists; else it reads f32
  /// Whether the weight can be read: all components there, of the right types, shapes and sizes, settings in
  /// range. A weight is checked before anything else here or in a kernel may see it.
  Status (*check)(const Weight& weight);
  /// The values of rows [first_row, first_row + rows) to out [rows, width]: the readable reference, which
  /// serves every machine and judges every kernel. It gives the values that multiply plain f32 activations.
  void (*decode_rows)(const Weight& weight, int64_t first_row, int64_t rows, float* out) noexcept;
  /// For forms whose one component "blocks" is a stream of native blocks (plain numbers included).
  std::optional<BlockFormat> blocks = std::nullopt;
};

/// All forms.
std::span<const WeightForm> all_forms();
/// The form of this name, or null.
const WeightForm* find_form(std::string_view name);
/// The form whose weights are native blocks of `dtype`, or null when that is no weight format (integers,
/// booleans).
const WeightForm* find_form(DType dtype);

/// The form of one kind of native blocks, for the files of block formats.
WeightForm block_form(const char* name, ActivationForm wants, BlockFormat blocks);

/// A weight of native blocks of a type that has a form.
Weight block_weight(std::string name, DType dtype, Shape shape, std::span<const std::byte> data);

/// What a weight is stored as, for people: the type of its only component ("Q4_K"), else the form's name.
std::string_view type_name(const Weight& weight);

/// Bits of all components per value of the weight.
double bits_per_weight(const Weight& weight);

/// What a form expects of one component.
struct ComponentRule {
  const char* name;
  DType dtype;
  Shape shape;
};
/// For WeightForm::check: that the weight is a matrix [n, k] of at least one value.
Status check_matrix(const Weight& weight);
/// For WeightForm::check: that the components are exactly these.
Status check_components(const Weight& weight, std::span<const ComponentRule> rules);
inline Status check_components(const Weight& weight, std::initializer_list<ComponentRule> rules) {
  return check_components(weight, std::span(rules.begin(), rules.size()));
}
/// For WeightForm::check: the setting `name`, which is in [low, high].
Result<int64_t> check_setting(const Weight& weight, std::string_view name, int64_t low, int64_t high);

}  // namespace brisk::quant
