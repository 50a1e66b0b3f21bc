// What the weight forms of quantised Hugging Face folders share: scales of several types, and matrices whose
// rows are read in groups:
//     value[row, i] = scale[group of i, row] * (code[row, i] - zero[group of i, row])
// in f32: the difference is exact, so there is one rounding, that of the product.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/checked.hpp"
#include "quant/fp8_values.hpp"
#include "quant/half.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

// Far above any model; they keep sums and products of sizes within 64 bits.
inline constexpr int64_t kMostMatrixSide = int64_t{1} << 30;

/// Whether scales can be of this type.
inline bool is_scale_type(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF8E8M0;
}

/// Element `index` of scales whose type has been checked.
inline float scale_at(const WeightComponent& scales, int64_t index) noexcept {
  switch (scales.dtype) {
    case DType::kF16: return f16_to_f32(scales.at<uint16_t>(index));
    case DType::kBF16: return bf16_to_f32(scales.at<uint16_t>(index));
    case DType::kF8E8M0: return e8m0_to_f32(scales.at<uint8_t>(index));
    default: return scales.at<float>(index);
  }
}

/// The type of the component "scales" where it is one that scales can have; F32, which the check of the
/// components then asks for, where it is not.
inline DType scale_type(const Weight& weight) {
  const WeightComponent* scales = weight.find("scales");
  return scales != nullptr && is_scale_type(scales->dtype) ? scales->dtype : DType::kF32;
}

/// That the weight is a matrix whose sides can be computed with.
inline Status check_bounded_matrix(const Weight& weight) {
  BRISK_TRY(check_matrix(weight));
  if (std::max(weight.shape[0], weight.shape[1]) <= kMostMatrixSide) return {};
  return bad_input({"weight " + weight.name, "sides up to " + std::to_string(kMostMatrixSide),
                    to_string(weight.shape), "converting the model again"});
}

/// The group of each input, component "g_idx", where a form has one: each is in [0, groups). The component's
/// type, shape and size are checked already.
inline Status check_group_indices(const Weight& weight, int64_t groups) {
  const WeightComponent* indices = weight.find("g_idx");
  if (indices == nullptr) return {};
  for (int64_t i = 0; i < weight.width(); ++i) {
    const auto group = indices->at<int32_t>(i);
    if (group >= 0 && group < groups) continue;
    return bad_input(
        {"weight " + weight.name + ", component g_idx", "groups from 0 to " + std::to_string(groups - 1),
         std::to_string(group) + " for input " + std::to_string(i), "converting the model again"});
  }
  return {};
}

/// Code `index` of a stream of `bits`-bit codes (2, 4 or 8: none crosses a word), low bits first.
inline uint32_t code_of(uint32_t word, int64_t index, int64_t bits) noexcept {
  const auto shift = static_cast<uint32_t>(index * bits % 32);
  return (word >> shift) & ((1U << bits) - 1U);
}

/// Scale and zero of one group of one row.
struct GroupValues {
  float scale;
  int32_t zero;
};

/// Rows [first_row, first_row + rows) to out [rows, width]. `values_of(row, group)` gives a GroupValues,
/// `code(row, i)` an int32_t. Groups are `group` inputs long, or as the component "g_idx" says.
template <typename ValuesOf, typename Code>
void decode_grouped_rows(const Weight& weight, int64_t group, int64_t first_row, int64_t rows,
                         const ValuesOf& values_of, const Code& code, float* out) noexcept {
  const int64_t k = weight.width();
  const WeightComponent* indices = weight.find("g_idx");
  const auto value = [&](const GroupValues& of, int64_t row, int64_t i) {
    return of.scale * static_cast<float>(code(row, i) - of.zero);
  };
  // In the order of activations neighbours differ in their group: a table spares reading it for each value.
  constexpr int64_t kTabled = 1024;
  std::array<GroupValues, kTabled> table;
  const int64_t tabled = indices != nullptr ? std::min(div_up(k, group), kTabled) : 0;
  for (int64_t row = first_row; row < first_row + rows; ++row, out += k) {
    for (int64_t g = 0; g < tabled; ++g) table[static_cast<size_t>(g)] = values_of(row, g);
    if (indices != nullptr) {
      for (int64_t i = 0; i < k; ++i) {
        const int64_t g = indices->at<int32_t>(i);
        out[i] = value(g < tabled ? table[static_cast<size_t>(g)] : values_of(row, g), row, i);
      }
      continue;
    }
    for (int64_t begin = 0, g = 0; begin < k; begin += group, ++g) {
      const GroupValues of = values_of(row, g);
      for (int64_t i = begin; i < std::min(begin + group, k); ++i) out[i] = value(of, row, i);
    }
  }
}

}  // namespace brisk::quant
