// The kernels of this folder, one per ISA level, and the constants of their common definition.
#pragma once

#include "kernels/quantize/quantize.hpp"

namespace brisk::kernels {

/// A block whose largest magnitude is below this counts as zeros: its inverse scale might overflow.
inline constexpr float kSmallestMagnitude = 0x1p-96f;

namespace ref {
void quantize(const QuantizeArgs& args) noexcept;
void residual(const ResidualArgs& args) noexcept;
}  // namespace ref
namespace avx2 {
void quantize(const QuantizeArgs& args) noexcept;
void residual(const ResidualArgs& args) noexcept;
}  // namespace avx2
namespace avx512 {
void quantize(const QuantizeArgs& args) noexcept;
void residual(const ResidualArgs& args) noexcept;
}  // namespace avx512
}  // namespace brisk::kernels
