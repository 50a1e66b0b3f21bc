// The numbers by which GGUF names tensor types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tensor/dtype.hpp"

namespace brisk::formats {

/// The type, or nothing when Brisk does not read it.
std::optional<DType> gguf_tensor_dtype(uint32_t number);
/// The number of a type, or nothing when GGUF has none for it (unsigned bytes, booleans).
std::optional<uint32_t> gguf_tensor_number(DType dtype);
/// The number and, when known, the name of a type: "15 (Q8_K)", "4 (Q4_2, removed from the format)".
std::string describe_gguf_tensor_type(uint32_t number);
/// "F32, F16, Q4_0, ..."
std::string supported_gguf_tensor_types();

}  // namespace brisk::formats
