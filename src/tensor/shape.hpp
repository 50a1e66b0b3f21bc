// Sizes of a tensor, outermost dimension first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace brisk {

using Shape = std::vector<int64_t>;

/// Product of the dimensions, or nothing on overflow or a negative dimension.
std::optional<int64_t> element_count(const Shape& shape);
std::string to_string(const Shape& shape);  ///< "[49152, 576]"

}  // namespace brisk
