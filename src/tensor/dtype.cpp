#include "tensor/dtype.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/check.hpp"
#include "base/checked.hpp"

namespace brisk {

namespace {

constexpr std::array kInfos = {
    DTypeInfo{DType::kF64, "F64", 1, 8},
    DTypeInfo{DType::kF32, "F32", 1, 4},
    DTypeInfo{DType::kF16, "F16", 1, 2},
    DTypeInfo{DType::kBF16, "BF16", 1, 2},
    DTypeInfo{DType::kI8, "I8", 1, 1},
    DTypeInfo{DType::kU8, "U8", 1, 1},
    DTypeInfo{DType::kI16, "I16", 1, 2},
    DTypeInfo{DType::kI32, "I32", 1, 4},
    DTypeInfo{DType::kI64, "I64", 1, 8},
    DTypeInfo{DType::kBool, "BOOL", 1, 1},
    DTypeInfo{DType::kU16, "U16", 1, 2},
    DTypeInfo{DType::kU32, "U32", 1, 4},
    DTypeInfo{DType::kU64, "U64", 1, 8},
    DTypeInfo{DType::kF8E4M3, "F8_E4M3", 1, 1},
    DTypeInfo{DType::kF8E5M2, "F8_E5M2", 1, 1},
    DTypeInfo{DType::kF8E8M0, "F8_E8M0", 1, 1},
    DTypeInfo{DType::kQ4_0, "Q4_0", 32, 18},
    DTypeInfo{DType::kQ4_1, "Q4_1", 32, 20},
    DTypeInfo{DType::kQ5_0, "Q5_0", 32, 22},
    DTypeInfo{DType::kQ5_1, "Q5_1", 32, 24},
    DTypeInfo{DType::kQ8_0, "Q8_0", 32, 34},
    DTypeInfo{DType::kQ2_K, "Q2_K", 256, 84},
    DTypeInfo{DType::kQ3_K, "Q3_K", 256, 110},
    DTypeInfo{DType::kQ4_K, "Q4_K", 256, 144},
    DTypeInfo{DType::kQ5_K, "Q5_K", 256, 176},
    DTypeInfo{DType::kQ6_K, "Q6_K", 256, 210},
    DTypeInfo{DType::kIQ1_S, "IQ1_S", 256, 50},
    DTypeInfo{DType::kIQ1_M, "IQ1_M", 256, 56},
    DTypeInfo{DType::kIQ2_XXS, "IQ2_XXS", 256, 66},
    DTypeInfo{DType::kIQ2_XS, "IQ2_XS", 256, 74},
    DTypeInfo{DType::kIQ2_S, "IQ2_S", 256, 82},
    DTypeInfo{DType::kIQ3_XXS, "IQ3_XXS", 256, 98},
    DTypeInfo{DType::kIQ3_S, "IQ3_S", 256, 110},
    DTypeInfo{DType::kIQ4_NL, "IQ4_NL", 32, 18},
    DTypeInfo{DType::kIQ4_XS, "IQ4_XS", 256, 136},
    DTypeInfo{DType::kTQ1_0, "TQ1_0", 256, 54},
    DTypeInfo{DType::kTQ2_0, "TQ2_0", 256, 66},
    DTypeInfo{DType::kMXFP4, "MXFP4", 32, 17},
    DTypeInfo{DType::kNVFP4, "NVFP4", 64, 36},
};

constexpr bool in_enum_order() {
  for (size_t i = 0; i < kInfos.size(); ++i) {
    if (static_cast<size_t>(kInfos[i].dtype) != i) return false;
  }
  return true;
}
static_assert(in_enum_order(), "the table follows the order of the enum");

}  // namespace

const DTypeInfo& dtype_info(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  BRISK_ASSERT(index < kInfos.size(), "a DType is one of the enumerators");
  return kInfos[index];
}

std::optional<DType> dtype_from_name(std::string_view name) {
  auto same = [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) == std::toupper(static_cast<unsigned char>(b));
  };
  for (const DTypeInfo& info : kInfos) {
    if (std::equal(name.begin(), name.end(), info.name.begin(), info.name.end(), same)) return info.dtype;
  }
  return std::nullopt;
}

std::optional<uint64_t> dtype_bytes(DType dtype, int64_t count) {
  const DTypeInfo& info = dtype_info(dtype);
  if (count < 0 || count % info.block_values != 0) return std::nullopt;
  return checked_mul<uint64_t>(static_cast<uint64_t>(count / info.block_values),
                               static_cast<uint64_t>(info.block_bytes));
}

}  // namespace brisk
