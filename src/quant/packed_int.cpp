// PACKED_INT: 2-, 4- or 8-bit codes with a scale, and maybe a zero, per group of inputs: compressed-tensors'
// "pack-quantized". Words are little-endian; n outputs, k inputs, k / group groups (a whole number).
//
//     codes   I32 [n, ceil(k bits / 32)]       codes of one output, along the row, low bits first
//     scales  F16, BF16 or F32 [n, k / group]
//     zeros   I32 [ceil(n bits / 32), k / group], optional   zeros of one group, down the column
//     g_idx   I32 [k], optional                the group of each input; without it, i / group
//
// A code is stored plus 2^(bits - 1), and so is a zero; without zeros they are all 0.
// Settings: bits, group.
//
// value = scale * (code - zero)
#include "quant/grouped.hpp"

namespace brisk::quant {
namespace {

Status check(const Weight& weight) {
  BRISK_TRY(check_bounded_matrix(weight));
  const int64_t n = weight.shape[0], k = weight.shape[1];
  BRISK_ASSIGN(const int64_t bits, check_setting(weight, "bits", 2, 8));
  BRISK_ASSIGN(const int64_t group, check_setting(weight, "group", 1, k));
  if (32 % bits != 0) {
    return bad_input({"weight " + weight.name + ", setting bits", "2, 4 or 8", std::to_string(bits),
                      "quantising again with one of these"});
  }
  if (k % group != 0) {
    return bad_input({"weight " + weight.name, "inputs in groups of " + std::to_string(group),
                      to_string(weight.shape), "quantising again with a group size that divides the width"});
  }
  const int64_t groups = k / group;
  std::vector<ComponentRule> rules = {{"codes", DType::kI32, {n, div_up(k * bits, 32)}},
                                      {"scales", scale_type(weight), {n, groups}}};
  if (weight.find("zeros") != nullptr) {
    rules.push_back({"zeros", DType::kI32, {div_up(n * bits, 32), groups}});
  }
  if (weight.find("g_idx") != nullptr) rules.push_back({"g_idx", DType::kI32, {k}});
  BRISK_TRY(check_components(weight, rules));
  return check_group_indices(weight, groups);
}

void decode_rows(const Weight& weight, int64_t first_row, int64_t rows, float* out) noexcept {
  const WeightComponent& codes = weight.component("codes");
  const WeightComponent& scales = weight.component("scales");
  const WeightComponent* zeros = weight.find("zeros");
  const int64_t bits = *weight.setting("bits"), group = *weight.setting("group");
  const int64_t k = weight.width(), groups = k / group;
  const int64_t row_words = div_up(k * bits, 32);
  const int32_t middle = 1 << (bits - 1);
  const auto values_of = [&](int64_t row, int64_t g) noexcept {
    int32_t zero = middle;
    if (zeros != nullptr) {
      const auto word = zeros->at<uint32_t>(row * bits / 32 * groups + g);
      zero = static_cast<int32_t>(code_of(word, row, bits));
    }
    return GroupValues{scale_at(scales, row * groups + g), zero};
  };
  const auto code = [&](int64_t row, int64_t i) noexcept {
    return static_cast<int32_t>(code_of(codes.at<uint32_t>(row * row_words + i * bits / 32), i, bits));
  };
  decode_grouped_rows(weight, group, first_row, rows, values_of, code, out);
}

}  // namespace

WeightForm quant_packed_int();
WeightForm quant_packed_int() { return {"packed_int", ActivationForm::kF32, check, decode_rows}; }

}  // namespace brisk::quant
