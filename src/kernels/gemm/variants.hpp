// The lists of products that the files of this folder offer; variants.cpp joins them.
#pragma once

#include <span>

#include "kernels/gemm/gemm.hpp"

namespace brisk::kernels {
namespace ref {
std::span<const GemmVariant> gemm_list();
}
namespace avx2 {
std::span<const GemmVariant> gemm_q8_list();
std::span<const GemmVariant> gemm_f32_list();
}  // namespace avx2
namespace avx512 {
std::span<const GemmVariant> gemm_q8_list();
std::span<const GemmVariant> gemm_f32_list();
}  // namespace avx512
}  // namespace brisk::kernels
