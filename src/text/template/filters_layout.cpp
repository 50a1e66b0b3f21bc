// Filters that lay text out: indents, widths, line breaks, and values for people to read.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "text/template/operators.hpp"
#include "text/template/pretty.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"
#include "text/template/wrap.hpp"

namespace brisk::text::tmpl {
namespace {

Result<Value> indent(Runtime& rt, const Value& self, const Bound& arguments) {
  if (!self.is_string()) return fail("text to indent", std::string(type_name(self)));
  std::string blanks(4, ' ');
  if (arguments.has(0) && arguments[0].is_string()) {
    blanks = arguments[0].text();
  } else if (arguments.has(0)) {
    BRISK_ASSIGN(const int64_t width, integer_argument(arguments[0], "the width"));
    BRISK_TRY(rt.charge(std::max<int64_t>(width, 0)));
    blanks.assign(static_cast<size_t>(std::max<int64_t>(width, 0)), ' ');
  }
  // The last line is known by the newline that is added, as in the reference.
  BRISK_TRY(rt.charge(self.length));
  std::vector<std::string_view> lines;
  std::string_view rest = self.text();
  bool more = true;
  while (more) {
    size_t end = 0;
    for (size_t length = 0; end < rest.size() && !is_line_break(character_at(rest, end, length));)
      end += length;
    lines.push_back(rest.substr(0, end));
    more = end < rest.size();
    if (more)
      rest.remove_prefix(
          end + (rest.substr(end).starts_with("\r\n") ? 2 : first_character(rest.substr(end)).size()));
  }
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool wanted = i == 0 ? arguments.flag(1) : arguments.flag(2) || !lines[i].empty();
    BRISK_TRY(rt.charge_bytes(lines[i].size() + blanks.size()));
    if (i > 0) out += '\n';
    if (wanted) out += blanks;
    out += lines[i];
  }
  BRISK_ASSIGN(Value text, rt.copy_string(out));
  text.markup = self.markup;
  return text;
}

Result<Value> wordcount(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(const Value text, to_str(rt, self));
  BRISK_TRY(rt.charge(text.length));
  int64_t words = 0;
  bool inside = false;
  for (size_t at = 0, length = 0; at < text.length; at += length) {
    const char32_t c = character_at(text.text(), at, length);
    const bool is_word = c == '_' || is_alphabetic(c) || is_numeric(c);
    words += is_word && !inside ? 1 : 0;
    inside = is_word;
  }
  return of(words);
}

Result<Value> center(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const Value text, to_str(rt, self));
  Arguments width;
  width.positional.push_back(arguments.has(0) ? arguments[0] : of(int64_t{80}));
  return call_builtin(rt, *find_builtin(string_methods(), "center"), text, width);
}

Result<Value> truncate(Runtime& rt, const Value& self, const Bound& arguments) {
  int64_t length = 255;
  int64_t leeway = 5;
  const Value end = arguments.has(2) ? arguments[2] : of(std::string_view("..."));
  if (arguments.has(0)) {
    BRISK_ASSIGN(length, integer_argument(arguments[0], "the length"));
  }
  if (!arguments.is_none(3)) {
    BRISK_ASSIGN(leeway, integer_argument(arguments[3], "the leeway"));
  }
  BRISK_ASSIGN(const int64_t end_length, length_of(rt, end));
  if (length < end_length || leeway < 0)
    return fail("a length of at least " + std::to_string(end_length), std::to_string(length));
  BRISK_ASSIGN(const int64_t size, length_of(rt, self));
  if (size - leeway <= length) return self;
  if (!self.is_string()) return fail("text to cut", std::string(type_name(self)));
  BRISK_TRY(rt.charge(self.length));
  Value cut = of(self.text().substr(0, offset_of_character(self.text(), length - end_length)));
  if (!arguments.flag(1)) cut = of(cut.text().substr(0, std::min(cut.text().rfind(' '), cut.text().size())));
  cut.markup = self.markup;
  return binary(rt, BinaryOp::kAdd, cut, end);
}

Result<Value> wordwrap(Runtime& rt, const Value& self, const Bound& arguments) {
  if (!self.is_string()) return fail("text to wrap", std::string(type_name(self)));
  WrapOptions options;
  if (arguments.has(0)) {
    BRISK_ASSIGN(options.width, integer_argument(arguments[0], "the width"));
  }
  options.break_long_words = !arguments.has(1) || arguments.flag(1);
  options.break_on_hyphens = !arguments.has(3) || arguments.flag(3);
  std::string_view newline = "\n";
  if (!arguments.is_none(2)) {
    BRISK_ASSIGN(newline, string_argument(arguments[2], "the text between lines"));
  }
  std::string out;
  const auto paragraphs = split_lines(self.text());
  for (size_t i = 0; i < paragraphs.size(); ++i) {
    if (options.width <= 0) return fail("a width of at least 1", std::to_string(options.width));
    BRISK_TRY(rt.charge(1 + 2 * static_cast<int64_t>(paragraphs[i].size())));
    if (i > 0) out += newline;
    const std::vector<std::string> lines = wrapped_lines(paragraphs[i], options);
    for (size_t k = 0; k < lines.size(); ++k) {
      BRISK_TRY(rt.charge_bytes(lines[k].size() + newline.size()));
      if (k > 0) out += newline;
      out += lines[k];
    }
  }
  return rt.copy_string(out);
}

Result<Value> pprint(Runtime& rt, const Value& self, const Bound&) {
  std::string out;
  BRISK_TRY(append_pretty(rt, out, self));
  return rt.copy_string(out);
}

Result<Value> filesizeformat(Runtime& rt, const Value& self, const Bound& arguments) {
  Arguments fallback;
  fallback.positional.push_back(none());
  BRISK_ASSIGN(const Value number, call_builtin(rt, *find_filter("float"), self, fallback));
  if (!number.is(Kind::kFloat)) return fail("a number of bytes", std::string(type_name(self)));
  const double bytes = number.real;
  const bool binary = arguments.flag(0);
  const double base = binary ? 1024 : 1000;
  if (bytes == 1) return of(std::string_view("1 Byte"));
  char buffer[400];  // 309 digits fit
  if (bytes < base) {
    if (std::isinf(bytes)) return fail("a finite number of bytes", "another one");
    std::snprintf(buffer, sizeof buffer, "%.0f Bytes", std::trunc(bytes) + 0.0);
    return rt.copy_string(buffer);
  }
  constexpr std::string_view kPrefixes = "kMGTPEZY";
  size_t i = 0;
  double unit = base * base;
  for (; i + 1 < kPrefixes.size() && !(bytes < unit); ++i) unit *= base;
  const char prefix = binary && i == 0 ? 'K' : kPrefixes[i];
  std::snprintf(buffer, sizeof buffer, "%.1f %c%s", base * bytes / unit, prefix, binary ? "iB" : "B");
  return rt.copy_string(buffer);
}

constexpr Builtin kFilters[] = {
    {"indent", "width? first? blank?", indent},
    {"wordcount", "", wordcount},
    {"center", "width?", center},
    {"truncate", "length? killwords? end? leeway?", truncate},
    {"wordwrap", "width? break_long_words? wrapstring? break_on_hyphens?", wordwrap},
    {"pprint", "", pprint},
    {"filesizeformat", "binary?", filesizeformat},
};

}  // namespace

std::span<const Builtin> layout_filters() { return kFilters; }

}  // namespace brisk::text::tmpl
