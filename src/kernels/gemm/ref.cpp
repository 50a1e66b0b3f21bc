// The reference products: native blocks, plain loops, the sequence of operations that gemm.hpp defines.
// Every other variant is judged by these, bit for bit.
#include <algorithm>
#include <cmath>

#include "kernels/gemm/native.hpp"
#include "kernels/gemm/variants.hpp"
#include "quant/half.hpp"
#include "quant/weight_form.hpp"

namespace brisk::kernels::ref {
namespace {

template <DType kType>
int64_t native_bytes_of(int64_t n, int64_t k) noexcept {
  const DTypeInfo& info = dtype_info(kType);
  return n * (k / info.block_values) * info.block_bytes;
}

void clear(const GemmArgs& args) {
  for (int64_t r = 0; r < args.m; ++r) {
    std::fill(args.y + r * args.y_stride + args.n_begin, args.y + r * args.y_stride + args.n_end, 0.0f);
  }
}

/// y serves as the accumulator, so that each piece of a weight row is decoded once for all rows of x.
template <DType kType>
void run_f32(const GemmArgs& args) noexcept {
  constexpr int64_t kPiece = 256;  // whole blocks of every format
  const quant::BlockFormat& format = *quant::find_format(kType);
  const std::byte* native = args.weight->only().data.data();
  float w[kPiece];
  clear(args);
  for (int64_t n = args.n_begin; n < args.n_end; ++n) {
    const std::byte* row = native + native_bytes_of<kType>(n, args.k);
    for (int64_t k0 = 0; k0 < args.k; k0 += kPiece) {
      const int64_t count = std::min(kPiece, args.k - k0);
      format.decode(row + native_bytes_of<kType>(1, k0), count, w);
      for (int64_t r = 0; r < args.m; ++r) {
        const float* x = args.x_f32 + r * args.x_stride + k0;
        float acc = args.y[r * args.y_stride + n];
        for (int64_t i = 0; i < count; ++i) acc = std::fma(w[i], x[i], acc);
        args.y[r * args.y_stride + n] = acc;
      }
    }
  }
}

int32_t dot16(const uint8_t* code, int offset, const int8_t* x) {
  int32_t sum = 0;
  for (int i = 0; i < 16; ++i) sum += (code[i] - offset) * x[i];
  return sum;
}

/// Adds block `b` (32 values along k) of one weight row to the output of row r of x.
template <DType kType>
float add_block(const NativeSub& w, const Q8Rows& x, int64_t k, int64_t r, int64_t b, float acc) {
  constexpr R16Layout kLayout = r16_layout(kType);
  const int8_t* values = x.values + r * x.value_stride + b * 32;
  const int32_t* sums = x.sums + r * (k / 16) + b * 2;
  const float scale_x = x.scales[r * (k / 32) + b];
  const int32_t dots[2] = {dot16(w.code, kLayout.offset, values),
                           dot16(w.code + 16, kLayout.offset, values + 16)};

  float scale_w = quant::f16_to_f32(w.d);
  if constexpr (kLayout.scales == 2) {
    for (int s = 0; s < 2; ++s) {
      acc = std::fma(static_cast<float>(dots[s]), scale_w * static_cast<float>(w.scale[s]) * scale_x, acc);
    }
    return acc;
  }
  if constexpr (kLayout.super()) scale_w = scale_w * static_cast<float>(w.scale[0]);
  acc = std::fma(static_cast<float>(dots[0] + dots[1]), scale_w * scale_x, acc);
  if constexpr (kLayout.has_min) {
    float min_w = quant::f16_to_f32(w.m);
    if constexpr (kLayout.super()) min_w = -(min_w * static_cast<float>(w.min));
    acc = std::fma(min_w, scale_x * static_cast<float>(sums[0] + sums[1]), acc);
  }
  return acc;
}

template <DType kType>
void run_q8(const GemmArgs& args) noexcept {
  constexpr R16Layout kLayout = r16_layout(kType);
  const std::byte* native = args.weight->only().data.data();
  NativeSub w;
  clear(args);
  for (int64_t n = args.n_begin; n < args.n_end; ++n) {
    const std::byte* row = native + native_bytes_of<kType>(n, args.k);
    for (int64_t b = 0; b < args.k / 32; ++b) {
      const std::byte* block = row + b / kLayout.sub_blocks * dtype_info(kType).block_bytes;
      read_sub<kType>(block, static_cast<int>(b % kLayout.sub_blocks), w);
      for (int64_t r = 0; r < args.m; ++r) {
        float& acc = args.y[r * args.y_stride + n];
        acc = add_block<kType>(w, args.x_q8, args.k, r, b, acc);
      }
    }
  }
}

/// Any form: a row at a time, as the form decodes it.
void run_any(const GemmArgs& args) noexcept {
  for (int64_t n = args.n_begin; n < args.n_end; ++n) {
    decode_to_scratch(args, n, 1);
    for (int64_t r = 0; r < args.m; ++r) {
      const float* x = args.x_f32 + r * args.x_stride;
      float acc = 0.0f;
      for (int64_t i = 0; i < args.k; ++i) acc = std::fma(args.scratch[i], x[i], acc);
      args.y[r * args.y_stride + n] = acc;
    }
  }
}

#define BRISK_F32(type, name)        \
  {"gemm_f32_" name "_f32_1x1__ref", \
   Isa::kRef,                        \
   name,                             \
   ActivationForm::kF32,             \
   nullptr,                          \
   nullptr,                          \
   run_f32<DType::type>}
#define BRISK_Q8(type, name)        \
  {"gemm_q8_" name "_f32_1x1__ref", \
   Isa::kRef,                       \
   name,                            \
   ActivationForm::kQ8,             \
   nullptr,                         \
   nullptr,                         \
   run_q8<DType::type>}

constexpr GemmVariant kList[] = {
    BRISK_F32(kF32, "f32"),   BRISK_F32(kF16, "f16"),   BRISK_F32(kBF16, "bf16"), BRISK_F32(kQ4_0, "q4_0"),
    BRISK_F32(kQ4_1, "q4_1"), BRISK_F32(kQ5_0, "q5_0"), BRISK_F32(kQ5_1, "q5_1"), BRISK_F32(kQ8_0, "q8_0"),
    BRISK_F32(kQ4_K, "q4_k"), BRISK_F32(kQ5_K, "q5_k"), BRISK_F32(kQ6_K, "q6_k"), BRISK_Q8(kQ4_0, "q4_0"),
    BRISK_Q8(kQ4_1, "q4_1"),  BRISK_Q8(kQ5_0, "q5_0"),  BRISK_Q8(kQ5_1, "q5_1"),  BRISK_Q8(kQ8_0, "q8_0"),
    BRISK_Q8(kQ4_K, "q4_k"),  BRISK_Q8(kQ5_K, "q5_k"),  BRISK_Q8(kQ6_K, "q6_k"),
};

}  // namespace

const GemmVariant gemm_decoded = {"gemm_f32_decoded_f32_1x1__ref",
                                  Isa::kRef,
                                  nullptr,
                                  ActivationForm::kF32,
                                  nullptr,
                                  nullptr,
                                  run_any,
                                  kGemmColumns,
                                  decoded_scratch_floats};

std::span<const GemmVariant> gemm_list() { return kList; }

}  // namespace brisk::kernels::ref
