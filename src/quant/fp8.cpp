// FP8: E4M3 values (fp8_values.hpp) under one scale per block of rows by columns (scaled_blocks.hpp).
//
//     codes   F8_E4M3 [n, k]
//     scales  F32, F16, BF16 or F8_E8M0 [ceil(n / block_rows), ceil(k / block_columns)]
//
// value = scale of the block * code, in f32
#include "quant/scaled_blocks.hpp"

namespace brisk::quant {
namespace {

Status check(const Weight& weight) {
  BRISK_ASSIGN(const Shape blocks, scaled_blocks(weight));
  return check_components(weight,
                          {{"codes", DType::kF8E4M3, weight.shape}, {"scales", scale_type(weight), blocks}});
}

void decode_rows(const Weight& weight, int64_t first_row, int64_t rows, float* out) noexcept {
  const WeightComponent& codes = weight.component("codes");
  const auto value = [&](int64_t index, int64_t) noexcept { return e4m3_to_f32(codes.at<uint8_t>(index)); };
  decode_scaled_rows(weight, first_row, rows, value, out);
}

}  // namespace

WeightForm quant_fp8();
WeightForm quant_fp8() { return {"fp8", ActivationForm::kF32, check, decode_rows}; }

}  // namespace brisk::quant
