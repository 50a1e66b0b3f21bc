// Python's two ways to format text, "%s of %d" % values (format_percent.cpp) and "{} of
// {name:>8}".format(...) (format_braces.cpp). Both end in one Spec and the functions here (format_spec.cpp)
// that apply it.
#pragma once

#include <string>
#include <string_view>

#include "text/template/runtime.hpp"

namespace brisk::text::tmpl {

struct Spec {
  std::string fill = " ";
  char align = 0;  // '<', '>', '^', '=' (pads after the sign); 0: as the type likes
  char sign = 0;   // '+', '-', ' '
  bool alternate = false;
  bool no_negative_zero = false;
  char grouping = 0;
  int64_t width = 0;
  int64_t precision = -1;
  char type = 0;
};

Status bad_format(std::string got);

/// Digits at `at`, which moves past them; large numbers become INT32_MAX.
int64_t read_number(std::string_view text, size_t& at);

bool is_integer_type(char type);  // d x X o b n i u
bool is_float_type(char type);    // e E f F g G %

/// Pads to the width. `text` may begin with a sign and a prefix such as 0x, of `head` bytes together.
Status append_padded(Runtime& rt, std::string& out, const Spec& spec, std::string_view text, size_t head,
                     bool right);
/// Cuts to the precision and pads.
Status append_text(Runtime& rt, std::string& out, const Spec& spec, std::string_view text, bool right);
Status append_integer(Runtime& rt, std::string& out, const Spec& spec, int64_t value);
Status append_float(Runtime& rt, std::string& out, const Spec& spec, double value);

/// `values` is a tuple, a dictionary (for %(name)s) or a single value. With `markup` what is put in is
/// escaped as HTML.
Result<Value> format_percent(Runtime& rt, const Value& pattern, const Value& values);
Result<Value> format_braces(Runtime& rt, const Value& pattern, const Arguments& arguments);

}  // namespace brisk::text::tmpl
