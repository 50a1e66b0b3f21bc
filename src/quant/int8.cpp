// INT8: signed bytes under one scale, and maybe one zero, per block of rows by columns (scaled_blocks.hpp).
//
//     codes   I8 [n, k]
//     scales  F32, F16, BF16 or F8_E8M0 [ceil(n / block_rows), ceil(k / block_columns)]
//     zeros   I8, of the shape of the scales, optional
//
// value = scale of the block * (code - zero), in f32
#include "quant/scaled_blocks.hpp"

namespace brisk::quant {
namespace {

Status check(const Weight& weight) {
  BRISK_ASSIGN(const Shape blocks, scaled_blocks(weight));
  const ComponentRule rules[] = {{"codes", DType::kI8, weight.shape},
                                 {"scales", scale_type(weight), blocks},
                                 {"zeros", DType::kI8, blocks}};
  const bool has_zeros = weight.find("zeros") != nullptr;
  return check_components(weight, std::span(rules).first(has_zeros ? 3 : 2));
}

void decode_rows(const Weight& weight, int64_t first_row, int64_t rows, float* out) noexcept {
  const WeightComponent& codes = weight.component("codes");
  const WeightComponent* zeros = weight.find("zeros");
  const auto value = [&](int64_t index, int64_t block) noexcept {
    const int32_t zero = zeros != nullptr ? zeros->at<int8_t>(block) : 0;
    return static_cast<float>(codes.at<int8_t>(index) - zero);
  };
  decode_scaled_rows(weight, first_row, rows, value, out);
}

}  // namespace

WeightForm quant_int8();
WeightForm quant_int8() { return {"int8", ActivationForm::kF32, check, decode_rows}; }

}  // namespace brisk::quant
