// The lists of products that the files of this folder offer; variants.cpp joins them.
//
// Beside the variants of one form, each level has one for any form, `gemm_decoded`. It decodes 64 rows at a
// time by the form's own decode_rows into the lane's scratch and multiplies with the level's f32 tiles. So a
// new form runs at once, and gives the bits of a dense f32 weight that holds its decoded values. It decodes
// in every step: a form that matters gets a kernel of its own.
#pragma once

#include <span>

#include "kernels/gemm/gemm.hpp"

namespace brisk::kernels {
/// GemmVariant::scratch_floats of gemm_decoded, and its decoding: rows [n, n + rows) of the weight to the
/// scratch [rows, k]. In variants.cpp, compiled for every machine.
int64_t decoded_scratch_floats(int64_t k) noexcept;
void decode_to_scratch(const GemmArgs& args, int64_t n, int64_t rows) noexcept;

namespace ref {
extern const GemmVariant gemm_decoded;
std::span<const GemmVariant> gemm_list();
}  // namespace ref
namespace avx2 {
extern const GemmVariant gemm_decoded;
std::span<const GemmVariant> gemm_q8_list();
std::span<const GemmVariant> gemm_f32_list();
}  // namespace avx2
namespace avx512 {
extern const GemmVariant gemm_decoded;
std::span<const GemmVariant> gemm_q8_list();
std::span<const GemmVariant> gemm_f32_list();
}  // namespace avx512
}  // namespace brisk::kernels
