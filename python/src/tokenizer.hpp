// Tokenizers in Python.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nanobind/nanobind.h>

#include "runtime/model.hpp"

namespace brisk::python {

/// A tokenizer and what its vocabulary lies in.
using TokenizerOfFile = runtime::TextParts;

std::vector<int32_t> encode(const text::Tokenizer& tokenizer, std::string_view text, bool add_special,
                            bool parse_special);
/// Needs the GIL.
std::string decode(const text::Tokenizer& tokenizer, const std::vector<int32_t>& ids, bool special);

void bind_tokenizer(nanobind::module_& module);

}  // namespace brisk::python
