// Element types of safetensors files.
#include <algorithm>

#include "base/checked.hpp"
#include "formats/safetensors/safetensors.hpp"

namespace brisk::formats {

namespace {

constexpr SafetensorsType kTypes[] = {
    {"F64", 64, DType::kF64},
    {"F32", 32, DType::kF32},
    {"F16", 16, DType::kF16},
    {"BF16", 16, DType::kBF16},
    {"I64", 64, DType::kI64},
    {"I32", 32, DType::kI32},
    {"I16", 16, DType::kI16},
    {"I8", 8, DType::kI8},
    {"U64", 64, DType::kU64},
    {"U32", 32, DType::kU32},
    {"U16", 16, DType::kU16},
    {"U8", 8, DType::kU8},
    {"BOOL", 8, DType::kBool},
    {"F8_E4M3", 8, DType::kF8E4M3},
    {"F8_E5M2", 8, DType::kF8E5M2},
    {"F8_E8M0", 8, DType::kF8E8M0},
    {"F8_E4M3FNUZ", 8, {}},
    {"F8_E5M2FNUZ", 8, {}},
    {"F6_E2M3", 6, {}},
    {"F6_E3M2", 6, {}},
    {"F4", 4, {}},
    {"C64", 64, {}},
};

}  // namespace

std::span<const SafetensorsType> safetensors_types() { return kTypes; }

const SafetensorsType* find_safetensors_type(std::string_view name) {
  const auto* found = std::ranges::find(kTypes, name, &SafetensorsType::name);
  return found != std::end(kTypes) ? found : nullptr;
}

const SafetensorsType* find_safetensors_type(DType dtype) {
  const auto* found = std::ranges::find(kTypes, dtype, &SafetensorsType::dtype);
  return found != std::end(kTypes) ? found : nullptr;
}

std::optional<uint64_t> safetensors_bytes(const SafetensorsType& type, const Shape& shape) {
  std::optional<uint64_t> bits = 1;
  for (const int64_t dim : shape) {
    if (dim < 0) return std::nullopt;
    bits = checked_mul(*bits, static_cast<uint64_t>(dim));
    if (!bits) return std::nullopt;
  }
  bits = checked_mul(*bits, static_cast<uint64_t>(type.bits));
  if (!bits || *bits % 8 != 0) return std::nullopt;
  return *bits / 8;
}

}  // namespace brisk::formats
