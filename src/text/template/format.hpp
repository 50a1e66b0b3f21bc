// Python's two ways to format text: "%s of %d" % values, and "{} of {name:>8}".format(...).
#pragma once

#include <string_view>

#include "text/template/runtime.hpp"

namespace brisk::text::tmpl {

/// `values` is a tuple, a dictionary (for %(name)s) or a single value.
Result<Value> format_percent(Runtime& rt, std::string_view pattern, const Value& values);
Result<Value> format_braces(Runtime& rt, std::string_view pattern, const Arguments& arguments);

}  // namespace brisk::text::tmpl
