// The probes of this folder, one set per ISA level.
#pragma once

#include "kernels/probe/probe.hpp"

namespace brisk::kernels {
namespace ref {
uint64_t probe_read(const std::byte* data, int64_t bytes) noexcept;
int64_t probe_f32(int64_t rounds) noexcept;
int64_t probe_int8(int64_t rounds) noexcept;
}  // namespace ref
namespace avx2 {
uint64_t probe_read(const std::byte* data, int64_t bytes) noexcept;
int64_t probe_f32(int64_t rounds) noexcept;
int64_t probe_int8(int64_t rounds) noexcept;
}  // namespace avx2
namespace avx512 {
uint64_t probe_read(const std::byte* data, int64_t bytes) noexcept;
int64_t probe_f32(int64_t rounds) noexcept;
int64_t probe_int8(int64_t rounds) noexcept;
int64_t probe_bf16(int64_t rounds) noexcept;  ///< needs AVX512_BF16 beside the level
}  // namespace avx512
}  // namespace brisk::kernels
