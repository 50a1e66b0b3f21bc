// Which tokens end generation.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/token_table.hpp"

namespace brisk::text {

/// Whether models give this name to a token that ends a turn or a text (<|im_end|>, <|eot_id|>, </s>, ...).
bool is_end_name(std::string_view text);

/// EOS, what the file lists, and control tokens of the known names.
std::vector<int32_t> generation_ends(const TokenTable& table, int32_t eos, std::span<const int32_t> listed);

}  // namespace brisk::text
