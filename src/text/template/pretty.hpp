// Python's pprint.pformat.
#pragma once

#include <string>
#include <vector>

#include "text/template/runtime.hpp"

namespace brisk::text::tmpl {

Status append_pretty(Runtime& rt, std::string& out, const Value& value);
/// In the order of the keys, as far as they have one.
Result<std::vector<Dict::Entry>> sorted_entries(Runtime& rt, const Dict& dict);

}  // namespace brisk::text::tmpl
