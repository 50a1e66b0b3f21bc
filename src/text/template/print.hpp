// Values as text: Python's str() and repr(), JSON out, and JSON in.
#pragma once

#include <string>

#include "base/json.hpp"
#include "text/template/runtime.hpp"

namespace brisk::text::tmpl {

Status append_str(Runtime& rt, std::string& out, const Value& value);
Status append_repr(Runtime& rt, std::string& out, const Value& value);
/// As append_repr(), with dictionaries in the order of their keys.
Status append_sorted_repr(Runtime& rt, std::string& out, const Value& value);
/// The value itself when it is a string, else its str().
Result<Value> to_str(Runtime& rt, const Value& value);
/// The shortest text that reads back as the same double, written as Python does.
std::string float_repr(double value);
/// The text in quotes, as repr() of a str.
std::string quoted(std::string_view text);
/// What ascii() makes of a repr(): all but ASCII as escapes.
std::string ascii_repr(std::string_view repr);

struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  bool indented = false;
  std::string indent;  // one level, when indented
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
/// json.dumps.
Status append_json(Runtime& rt, std::string& out, const Value& value, const JsonStyle& style);

/// Strings stay views into `json`, which must outlive the rendering. Integers beyond int64_t become
/// big integers; what the JSON reader took for a float stays one.
Result<Value> from_json(Runtime& rt, const Json& json);

/// "<", ">", "&", and quotes as HTML entities.
std::string escape_html(std::string_view text);
/// The value as text that is safe in HTML: itself when it is marked so.
Result<Value> escaped_text(Runtime& rt, const Value& value);

}  // namespace brisk::text::tmpl
