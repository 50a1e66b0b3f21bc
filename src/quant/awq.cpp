// AWQ: 4-bit codes with a scale and a zero per group of inputs, as AutoAWQ writes them (version "gemm").
// Words are little-endian; k inputs, n outputs, k / group groups (a whole number).
//
//     qweight  I32 [k, n / 8]       codes of one input, eight outputs in a word
//     qzeros   I32 [k / group, n / 8]
//     scales   F16, BF16 or F32 [k / group, n]
//
// The eight outputs of a word lie in the order 0 2 4 6 1 3 5 7, from the low bits up.
// Settings: group.
//
// value = scale * (code - zero)
#include "quant/grouped.hpp"

namespace brisk::quant {
namespace {

constexpr int64_t kPerWord = 8;

Status check(const Weight& weight) {
  BRISK_TRY(check_bounded_matrix(weight));
  const int64_t n = weight.shape[0], k = weight.shape[1];
  BRISK_ASSIGN(const int64_t group, check_setting(weight, "group", 1, k));
  if (n % kPerWord != 0 || k % group != 0) {
    return bad_input({"weight " + weight.name,
                      "outputs in eights and inputs in groups of " + std::to_string(group),
                      to_string(weight.shape), "quantising again with a group size that divides the width"});
  }
  return check_components(weight, {{"qweight", DType::kI32, {k, n / kPerWord}},
                                   {"qzeros", DType::kI32, {k / group, n / kPerWord}},
                                   {"scales", scale_type(weight), {k / group, n}}});
}

/// The four bits of output `row` in line `line` of a component of packed codes.
int32_t code_at(const WeightComponent& component, int64_t line, int64_t row, int64_t n) noexcept {
  const auto word = component.at<uint32_t>((line * n + row) / kPerWord);
  const int64_t in_word = row % kPerWord;
  return static_cast<int32_t>(code_of(word, in_word / 2 + in_word % 2 * 4, 4));
}

void decode_rows(const Weight& weight, int64_t first_row, int64_t rows, float* out) noexcept {
  const WeightComponent& codes = weight.component("qweight");
  const WeightComponent& zeros = weight.component("qzeros");
  const WeightComponent& scales = weight.component("scales");
  const int64_t n = weight.shape[0];
  const auto values_of = [&](int64_t row, int64_t g) noexcept {
    return GroupValues{scale_at(scales, g * n + row), code_at(zeros, g, row, n)};
  };
  const auto code = [&](int64_t row, int64_t i) noexcept { return code_at(codes, i, row, n); };
  decode_grouped_rows(weight, *weight.setting("group"), first_row, rows, values_of, code, out);
}

}  // namespace

WeightForm quant_awq();
WeightForm quant_awq() { return {"awq", ActivationForm::kF32, check, decode_rows}; }

}  // namespace brisk::quant
