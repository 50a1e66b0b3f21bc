#include "formats/gguf/tensor_types.hpp"

#include <string_view>

namespace brisk::formats {

namespace {

struct Supported {
  uint32_t number;
  DType dtype;
};
constexpr Supported kSupported[] = {
    {0, DType::kF32},      {1, DType::kF16},     {30, DType::kBF16},   {28, DType::kF64},
    {2, DType::kQ4_0},     {3, DType::kQ4_1},    {6, DType::kQ5_0},    {7, DType::kQ5_1},
    {8, DType::kQ8_0},     {10, DType::kQ2_K},   {11, DType::kQ3_K},   {12, DType::kQ4_K},
    {13, DType::kQ5_K},    {14, DType::kQ6_K},   {19, DType::kIQ1_S},  {29, DType::kIQ1_M},
    {16, DType::kIQ2_XXS}, {17, DType::kIQ2_XS}, {22, DType::kIQ2_S},  {18, DType::kIQ3_XXS},
    {21, DType::kIQ3_S},   {20, DType::kIQ4_NL}, {23, DType::kIQ4_XS}, {34, DType::kTQ1_0},
    {35, DType::kTQ2_0},   {39, DType::kMXFP4},  {40, DType::kNVFP4},  {24, DType::kI8},
    {25, DType::kI16},     {26, DType::kI32},    {27, DType::kI64},
};

struct Unsupported {
  uint32_t number;
  std::string_view name;
};
constexpr std::string_view kRemoved = ", removed from the format";
constexpr Unsupported kUnsupported[] = {{9, "Q8_1"}, {15, "Q8_K"}, {41, "Q1_0"}};
constexpr Unsupported kRemovedTypes[] = {
    {4, "Q4_2"},      {5, "Q4_3"},        {31, "Q4_0_4_4"},   {32, "Q4_0_4_8"},
    {33, "Q4_0_8_8"}, {36, "IQ4_NL_4_4"}, {37, "IQ4_NL_4_8"}, {38, "IQ4_NL_8_8"},
};

}  // namespace

std::optional<DType> gguf_tensor_dtype(uint32_t number) {
  for (const Supported& type : kSupported) {
    if (type.number == number) return type.dtype;
  }
  return std::nullopt;
}

std::optional<uint32_t> gguf_tensor_number(DType dtype) {
  for (const Supported& type : kSupported) {
    if (type.dtype == dtype) return type.number;
  }
  return std::nullopt;
}

std::string describe_gguf_tensor_type(uint32_t number) {
  const std::string text = std::to_string(number);
  if (const auto dtype = gguf_tensor_dtype(number))
    return text + " (" + std::string(dtype_name(*dtype)) + ")";
  for (const Unsupported& type : kUnsupported) {
    if (type.number == number) return text + " (" + std::string(type.name) + ")";
  }
  for (const Unsupported& type : kRemovedTypes) {
    if (type.number == number) return text + " (" + std::string(type.name) + std::string(kRemoved) + ")";
  }
  return text;
}

std::string supported_gguf_tensor_types() {
  std::string list;
  for (const Supported& type : kSupported) {
    if (!list.empty()) list += ", ";
    list += dtype_name(type.dtype);
  }
  return list;
}

}  // namespace brisk::formats
