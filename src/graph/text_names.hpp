// What the two directions of the text form share.
#pragma once

#include <string>
#include <string_view>

#include "tensor/weight.hpp"

namespace brisk::graph {

/// The letters of names that need no quotes.
constexpr bool is_bare_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '/';
}

/// The name, in quotes when it needs them.
std::string quoted_name(std::string_view name);

/// Form, shape, settings and components of a weight, without its data: "q4_1[576, 576]".
std::string weight_text(const Weight& weight);

}  // namespace brisk::graph
