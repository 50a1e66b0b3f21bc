// "{} of {name:>8}".format(...), by the rules of Python's string.Formatter, which the reference's sandbox
// uses: a missing attribute or item gives an undefined value and no error.
#include <algorithm>

#include "base/utf8.hpp"
#include "text/template/format.hpp"
#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool starts_with_align(std::string_view text) {
  return !text.empty() && std::string_view("<>^=").find(text[0]) != std::string_view::npos;
}

/// [[fill]align][sign][z][#][0][width][grouping][.precision][type]
Result<Spec> parse_spec(std::string_view text, bool is_text) {
  Spec spec;
  size_t at = 0;
  bool has_fill = false;
  const auto skip = [&](char c) {
    const bool found = at < text.size() && text[at] == c;
    if (found) ++at;
    return found;
  };
  const std::string_view first = first_character(text);
  if (!first.empty() && starts_with_align(text.substr(first.size()))) {
    spec.fill = first;
    has_fill = true;
    at = first.size();
  }
  if (starts_with_align(text.substr(at))) spec.align = text[at++];
  if (at < text.size() && (text[at] == '+' || text[at] == '-' || text[at] == ' ')) spec.sign = text[at++];
  spec.no_negative_zero = skip('z');
  spec.alternate = skip('#');
  if (!has_fill && skip('0')) {
    spec.fill = "0";
    if (spec.align == 0 && !is_text) spec.align = '=';
  }
  const size_t width = at;
  spec.width = read_number(text, at);
  if (spec.width == INT32_MAX) return bad_format("a width of '" + std::string(text.substr(width, 60)) + "'");
  if (at < text.size() && (text[at] == ',' || text[at] == '_')) spec.grouping = text[at++];
  if (skip('.')) {
    const size_t digits = at;
    spec.precision = read_number(text, at);
    if (at == digits) return bad_format("'.' without digits");
  }
  if (at < text.size()) spec.type = text[at++];
  if (at < text.size()) return bad_format("'" + std::string(text.substr(0, 60)) + "'");
  return spec;
}

Status check_grouping(const Spec& spec, char default_type) {
  const char type = spec.type != 0 ? spec.type : default_type;
  const std::string_view allowed = spec.grouping == '_' ? "defgEG%FboxX" : "defgEG%F";
  if (spec.grouping == 0 || type == 0 || allowed.find(type) != std::string_view::npos) return {};
  return bad_format(std::string("'") + spec.grouping + "' with '" + type + "'");
}

class BraceFormatter {
 public:
  BraceFormatter(Runtime& rt, const Value& pattern, const Arguments& arguments)
      : rt_(rt), pattern_(pattern.text()), markup_(pattern.markup), arguments_(arguments) {}

  Result<Value> run() {
    BRISK_ASSIGN(const std::string out, formatted(pattern_, 2));
    BRISK_ASSIGN(Value text, rt_.copy_string(out));
    text.markup = markup_;
    return text;
  }

 private:
  /// Formats of fields may have fields themselves, so many `levels` deep.
  Result<std::string> formatted(std::string_view pattern, int levels) {
    if (levels < 0) return bad_format("fields in fields in fields");
    std::string out;
    for (size_t at = 0; at < pattern.size();) {
      const char c = pattern[at];
      const bool doubled = at + 1 < pattern.size() && pattern[at + 1] == c;
      if (c == '{' && !doubled) {
        const size_t end = field_end(pattern, at + 1);
        if (end == std::string_view::npos) return bad_format("'{' without '}'");
        BRISK_TRY(field(out, pattern.substr(at + 1, end - at - 1), levels));
        at = end + 1;
      } else if (c == '}' && !doubled) {
        return bad_format("'}' without '{'");
      } else {
        BRISK_TRY(rt_.charge(1));
        out += c;
        at += c == '{' || c == '}' ? 2 : 1;
      }
    }
    return out;
  }

  static size_t field_end(std::string_view pattern, size_t at) {
    bool in_brackets = false;
    for (int open = 1; at < pattern.size(); ++at) {
      if (pattern[at] == '[') in_brackets = true;
      if (pattern[at] == ']') in_brackets = false;
      if (in_brackets) continue;
      open += pattern[at] == '{' ? 1 : pattern[at] == '}' ? -1 : 0;
      if (open == 0) return at;
    }
    return std::string_view::npos;
  }

  /// name!conversion:format
  Status field(std::string& out, std::string_view text, int levels) {
    size_t end = 0;
    for (bool in_brackets = false; end < text.size(); ++end) {
      if (text[end] == '{') return bad_format("'{' in the name of a field");
      if (text[end] == '[') in_brackets = true;
      if (text[end] == ']') in_brackets = false;
      if (!in_brackets && (text[end] == ':' || text[end] == '!')) break;
    }
    const std::string_view name = text.substr(0, end);
    char conversion = 0;
    if (end < text.size() && text[end] == '!') {
      if (end + 1 >= text.size()) return bad_format("'!' without a letter");
      conversion = text[end + 1];
      end += 2;
      if (end < text.size() && text[end] != ':')
        return bad_format("text after '!" + std::string(1, conversion) + "'");
    }
    BRISK_ASSIGN(Value value, lookup(name));
    if (conversion != 0) {
      BRISK_ASSIGN(value, converted(conversion, value));
    }
    const std::string_view nested = end < text.size() ? text.substr(end + 1) : std::string_view();
    BRISK_ASSIGN(const std::string format, formatted(nested, levels - 1));
    return markup_ ? append_escaped(out, format, value) : append(out, format, value);
  }

  Result<Value> converted(char conversion, const Value& value) {
    if (conversion == 's') return to_str(rt_, value);
    if (conversion != 'r' && conversion != 'a') return bad_format("'!" + std::string(1, conversion) + "'");
    std::string text;
    BRISK_TRY(append_repr(rt_, text, value));
    return rt_.copy_string(conversion == 'a' ? ascii_repr(text) : text);
  }

  Status append_escaped(std::string& out, std::string_view format, const Value& value) {
    if (value.markup && !format.empty()) return bad_format("a format for a value that is marked as safe");
    std::string text;
    BRISK_TRY(append(text, format, value));
    BRISK_TRY(rt_.charge_bytes(text.size()));
    out += value.markup ? text : escape_html(text);
    return {};
  }

  Status append(std::string& out, std::string_view format, const Value& value) {
    if (format.empty()) return append_str(rt_, out, value);
    const bool is_text = value.is_string();
    if (!is_text && !value.is_number())
      return bad_format("a format for a value of type " + std::string(type_name(value)));
    BRISK_ASSIGN(const Spec spec, parse_spec(format, is_text));
    BRISK_TRY(check_grouping(spec, is_text ? 's' : value.is_integral() ? 'd' : 0));
    if (is_text) {
      if (spec.sign != 0 || spec.alternate || spec.no_negative_zero || spec.align == '=' ||
          (spec.type != 0 && spec.type != 's')) {
        return bad_format("'" + std::string(format.substr(0, 60)) + "' for text");
      }
      return append_text(rt_, out, spec, value.text(), false);
    }
    if (value.is_integral() && !is_float_type(spec.type)) return append_integral(out, spec, value.as_int());
    if (spec.type != 0 && spec.type != 'n' && !is_float_type(spec.type)) {
      return bad_format("'" + std::string(1, spec.type) + "' for a float");
    }
    return append_float(rt_, out, spec, value.as_double());
  }

  Status append_integral(std::string& out, const Spec& spec, int64_t value) {
    const bool is_known =
        spec.type == 0 || std::string_view("bcdoxXn").find(spec.type) != std::string_view::npos;
    const bool is_character = spec.type == 'c';
    if (!is_known || spec.precision >= 0 || spec.no_negative_zero ||
        (is_character && (spec.sign != 0 || spec.alternate))) {
      return bad_format("a format that integers do not have");
    }
    if (!is_character) return append_integer(rt_, out, spec, value);
    if (value < 0 || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
      return bad_format("a number that is no character");
    std::string text;
    utf8_append(text, static_cast<char32_t>(value));
    return append_padded(rt_, out, spec, text, 0, true);
  }

  /// The value that "", "0", "name", "name.attribute" or "name[item]" means.
  Result<Value> lookup(std::string_view path) {
    if (path.empty() ? manual_ : is_digits(path) && automatic_ > 0) {
      return bad_format("fields with numbers and without");
    }
    manual_ |= is_digits(path);
    size_t at = std::min(path.find_first_of(".["), path.size());
    BRISK_ASSIGN(Value value, argument(path.substr(0, at), path.empty()));
    while (at < path.size()) {
      const char opening = path[at];
      if (opening != '.' && opening != '[') return bad_format("text after ']'");
      const size_t begin = ++at;
      at = std::min(opening == '[' ? path.find(']', at) : path.find_first_of(".[", at), path.size());
      if (opening == '[' && at == path.size()) return bad_format("'[' without ']'");
      const std::string_view part = path.substr(begin, at - begin);
      if (part.empty()) return bad_format("an empty attribute");
      if (opening == '[') ++at;
      size_t end = 0;
      const int64_t number = read_number(part, end);
      if (opening == '.') {
        BRISK_ASSIGN(value, get_attribute(rt_, value, part));
      } else {
        BRISK_ASSIGN(value, get_item(rt_, value, is_digits(part) ? of(number) : of(part)));
      }
    }
    return value;
  }

  Result<Value> argument(std::string_view name, bool is_automatic) {
    if (is_automatic || is_digits(name)) {
      size_t end = 0;
      const auto index = static_cast<size_t>(is_automatic ? automatic_++ : read_number(name, end));
      if (index < arguments_.positional.size()) return arguments_.positional[index];
      return bad_format("fewer values than the text has places for");
    }
    for (const NamedValue& named : arguments_.named) {
      if (named.name == name) return named.value;
    }
    return bad_format("no value named '" + std::string(name.substr(0, 60)) + "'");
  }

  Runtime& rt_;
  std::string_view pattern_;
  bool markup_;
  const Arguments& arguments_;
  int64_t automatic_ = 0;  // fields without a number so far
  bool manual_ = false;
};

}  // namespace

Result<Value> format_braces(Runtime& rt, const Value& pattern, const Arguments& arguments) {
  return BraceFormatter(rt, pattern, arguments).run();
}

}  // namespace brisk::text::tmpl
