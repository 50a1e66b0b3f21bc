// Data types of tensors: plain numbers and the block formats of quantised weights.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace brisk {

enum class DType : uint8_t {
  kF64,
  kF32,
  kF16,
  kBF16,
  kI8,
  kU8,
  kI16,
  kI32,
  kI64,
  kBool,
  kU16,
  kU32,
  kU64,
  kF8E4M3,  // 1 sign, 4 exponent (bias 7), 3 mantissa bits; no infinities, 0x7f and 0xff are NaN
  kF8E5M2,  // 1 sign, 5 exponent (bias 15), 2 mantissa bits; infinities and NaNs as in IEEE 754
  kF8E8M0,  // a power of two: 2^(code - 127), 0xff is NaN
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kIQ1_S,
  kIQ1_M,
  kIQ2_XXS,
  kIQ2_XS,
  kIQ2_S,
  kIQ3_XXS,
  kIQ3_S,
  kIQ4_NL,
  kIQ4_XS,
  kTQ1_0,
  kTQ2_0,
  kMXFP4,
  kNVFP4,
};

struct DTypeInfo {
  DType dtype;
  std::string_view name;  ///< as users write it: "F32", "Q4_K"
  int32_t block_values;   ///< values per block along the innermost dimension (1 for plain numbers)
  int32_t block_bytes;    ///< bytes per block
};

const DTypeInfo& dtype_info(DType dtype);
inline std::string_view dtype_name(DType dtype) { return dtype_info(dtype).name; }
/// Case-insensitive.
std::optional<DType> dtype_from_name(std::string_view name);
/// Bytes of `count` values that form whole blocks; nothing when they do not, or on overflow.
std::optional<uint64_t> dtype_bytes(DType dtype, int64_t count);

}  // namespace brisk
