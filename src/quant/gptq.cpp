// GPTQ: 2-, 3-, 4- or 8-bit codes with a scale and a zero per group of inputs, as AutoGPTQ and GPTQModel
// write them. Words are little-endian; k inputs, n outputs, ceil(k / group) groups.
//
//     qweight  I32 [ceil(k bits / 32), n]       codes of one output, down the column, low bits first
//     qzeros   I32 [groups, ceil(n bits / 32)]  zeros of one group, along the row, low bits first
//     scales   F16, BF16 or F32 [groups, n]
//     g_idx    I32 [k], optional                the group of each input; without it, i / group
//
// Three-bit codes run on across words: 32 codes in 3 words (k and n are then multiples of 32).
// Settings: bits; group; zeros_less_one: 1 where the file holds each zero less one (checkpoint format
// "gptq"), 0 where it holds it as it is ("gptq_v2").
//
// value = scale * (code - zero)
//
// GPTQModel takes the one off from a whole word, so a zero of 0 borrows from its neighbour: it is added to
// the whole word here too, which gives back what there was. With three bits it works code by code, modulo 8.
#include "quant/grouped.hpp"

namespace brisk::quant {
namespace {

Status check(const Weight& weight) {
  BRISK_TRY(check_bounded_matrix(weight));
  const int64_t n = weight.shape[0], k = weight.shape[1];
  BRISK_ASSIGN(const int64_t bits, check_setting(weight, "bits", 2, 8));
  BRISK_ASSIGN(const int64_t group, check_setting(weight, "group", 1, k));
  BRISK_TRY(check_setting(weight, "zeros_less_one", 0, 1));
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
    return bad_input({"weight " + weight.name + ", setting bits", "2, 3, 4 or 8", std::to_string(bits),
                      "quantising again with one of these"});
  }
  if (bits == 3 && (n % 32 != 0 || k % 32 != 0)) {
    return bad_input({"weight " + weight.name, "multiples of 32 for 3-bit codes", to_string(weight.shape),
                      "quantising again with 4 bits"});
  }
  const int64_t groups = div_up(k, group);
  const ComponentRule rules[] = {{"qweight", DType::kI32, {div_up(k * bits, 32), n}},
                                 {"qzeros", DType::kI32, {groups, div_up(n * bits, 32)}},
                                 {"scales", scale_type(weight), {groups, n}},
                                 {"g_idx", DType::kI32, {k}}};
  const bool ordered = weight.find("g_idx") != nullptr;
  BRISK_TRY(check_components(weight, std::span(rules).first(ordered ? 4 : 3)));
  return check_group_indices(weight, groups);
}

/// Where codes of one kind lie: word w of line `line` is at w * step + line * stride.
struct Words {
  const WeightComponent& component;
  int64_t step;
  int64_t stride;
  uint32_t at(int64_t line, int64_t word) const noexcept {
    return component.at<uint32_t>(word * step + line * stride);
  }
};

uint32_t code_at(const Words& words, int64_t line, int64_t index, int64_t bits, uint32_t add) noexcept {
  if (bits != 3) return code_of(words.at(line, index * bits / 32) + add, index, bits);
  const int64_t bit = index * 3, word = bit / 32, shift = bit % 32;
  uint64_t both = words.at(line, word);
  if (shift > 29) both |= static_cast<uint64_t>(words.at(line, word + 1)) << 32;
  return static_cast<uint32_t>(both >> shift) & 7U;
}

void decode_rows(const Weight& weight, int64_t first_row, int64_t rows, float* out) noexcept {
  const WeightComponent& scales = weight.component("scales");
  const int64_t n = weight.shape[0];
  const int64_t bits = *weight.setting("bits"), group = *weight.setting("group");
  const Words codes{weight.component("qweight"), n, 1};
  const Words zeros{weight.component("qzeros"), 1, div_up(n * bits, 32)};
  const bool less_one = *weight.setting("zeros_less_one") == 1;
  // A one in every code of a word.
  const uint32_t ones = 0xFFFFFFFFU / ((1U << bits) - 1U);
  const auto values_of = [&](int64_t row, int64_t g) noexcept {
    uint32_t zero = code_at(zeros, g, row, bits, less_one && bits != 3 ? ones : 0);
    if (less_one && bits == 3) zero = (zero + 1) & 7U;
    return GroupValues{scale_at(scales, g * n + row), static_cast<int32_t>(zero)};
  };
  const auto code = [&](int64_t row, int64_t i) noexcept {
    return static_cast<int32_t>(code_at(codes, row, i, bits, 0));
  };
  decode_grouped_rows(weight, group, first_row, rows, values_of, code, out);
}

}  // namespace

WeightForm quant_gptq();
WeightForm quant_gptq() { return {"gptq", ActivationForm::kF32, check, decode_rows}; }

}  // namespace brisk::quant
