#include "tensor/dtype.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/check.hpp"
#include "base/checked.hpp"

namespace brisk {

namespace {

constexpr std::array kInfos = {
    DTypeInfo{DType::kF64, "F64", 1, 8},       DTypeInfo{DType::kF32, "F32", 1, 4},
    DTypeInfo{DType::kF16, "F16", 1, 2},       DTypeInfo{DType::kBF16, "BF16", 1, 2},
    DTypeInfo{DType::kI8, "I8", 1, 1},         DTypeInfo{DType::kU8, "U8", 1, 1},
    DTypeInfo{DType::kI16, "I16", 1, 2},       DTypeInfo{DType::kI32, "I32", 1, 4},
    DTypeInfo{DType::kI64, "I64", 1, 8},       DTypeInfo{DType::kBool, "BOOL", 1, 1},
    DTypeInfo{DType::kQ4_0, "Q4_0", 32, 18},   DTypeInfo{DType::kQ4_1, "Q4_1", 32, 20},
    DTypeInfo{DType::kQ5_0, "Q5_0", 32, 22},   DTypeInfo{DType::kQ5_1, "Q5_1", 32, 24},
    DTypeInfo{DType::kQ8_0, "Q8_0", 32, 34},   DTypeInfo{DType::kQ4_K, "Q4_K", 256, 144},
    DTypeInfo{DType::kQ5_K, "Q5_K", 256, 176}, DTypeInfo{DType::kQ6_K, "Q6_K", 256, 210},
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
