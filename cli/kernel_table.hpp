// Which kernel serves which operation at an ISA level, and why no better one does.
#pragma once

#include <string>

#include "base/cpu.hpp"
#include "base/json.hpp"

namespace brisk::cli {

/// A table for people: operation, weight type, input, kernel, level, remark.
std::string kernel_table_text(Isa isa);
/// The same as an array of objects.
Json kernel_table_json(Isa isa);

}  // namespace brisk::cli
