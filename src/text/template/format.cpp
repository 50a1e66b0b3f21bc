// Both kinds of formatting end in one Spec (fill, sign, width, precision, type) and one place that applies
// it.
#include "text/template/format.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/utf8.hpp"
#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

constexpr int64_t kMaxPrecision = 400;  // digits of a float; more would only be zeros

struct Spec {
  std::string fill = " ";
  char align = 0;  // '<', '>', '^', '=' (pad after the sign); 0: as the type likes
  char sign = '-';
  bool alternate = false;
  char grouping = 0;
  int64_t width = 0;
  int64_t precision = -1;
  char type = 0;
};

Status bad_format(std::string got) { return fail("a format that Python knows", std::move(got)); }

Status append_padded(Runtime& rt, std::string& out, const Spec& spec, std::string_view text, bool right) {
  const int64_t missing = spec.width - count_characters(text);
  if (missing <= 0) {
    out += text;
    return rt.charge_bytes(text.size());
  }
  if (spec.width > static_cast<int64_t>(rt.limits().output_bytes))
    return bad_format("a width beyond the output's limit");
  BRISK_TRY(rt.charge_bytes(static_cast<size_t>(spec.width)));
  const char align = spec.align != 0 ? spec.align : right ? '>' : '<';
  const bool has_sign = !text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == ' ');
  int64_t before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  const int64_t after = missing - before;
  if (align == '=' && has_sign) {
    out += text[0];
    text.remove_prefix(1);
  }
  while (before-- > 0) out += spec.fill;
  out += text;
  for (int64_t i = 0; i < after; ++i) out += spec.fill;
  return {};
}

std::string with_grouping(std::string digits, char separator) {
  const size_t end = std::min(digits.find_first_not_of("0123456789"), digits.size());
  for (size_t at = end; at > 3; at -= 3) digits.insert(at - 3, 1, separator);
  return digits;
}

std::string with_sign(bool negative, char sign, std::string digits) {
  if (negative) return "-" + digits;
  return sign == '-' ? digits : sign + digits;
}

Result<std::string> format_integer(const Spec& spec, int64_t value) {
  const uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const char type =
      spec.type == 0 || spec.type == 'i' || spec.type == 'u' || spec.type == 'n' ? 'd' : spec.type;
  const int base = type == 'd' ? 10 : type == 'x' || type == 'X' ? 16 : type == 'o' ? 8 : 2;
  char buffer[72];
  std::string digits(buffer, std::to_chars(buffer, buffer + sizeof buffer, magnitude, base).ptr);
  if (type == 'X')
    std::transform(digits.begin(), digits.end(), digits.begin(),
                   [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  if (spec.precision > static_cast<int64_t>(digits.size()) && spec.precision <= kMaxPrecision) {
    digits.insert(0, static_cast<size_t>(spec.precision) - digits.size(), '0');
  }
  if (spec.grouping != 0) digits = with_grouping(digits, spec.grouping);
  if (spec.alternate && base != 10) digits = std::string("0") + type + digits;
  return with_sign(value < 0, spec.sign, digits);
}

Result<std::string> format_float(const Spec& spec, double value) {
  if (spec.precision > kMaxPrecision) return bad_format("a precision above " + std::to_string(kMaxPrecision));
  const double magnitude = std::fabs(value);
  std::string digits;
  if (spec.type == 0 && spec.precision < 0) {
    digits = float_repr(magnitude);
  } else {
    const char type = spec.type == 0 ? 'g' : spec.type == '%' ? 'f' : spec.type;
    const char pattern[] = {'%',
                            spec.alternate ? '#' : '.',
                            spec.alternate ? '.' : '*',
                            spec.alternate ? '*' : type,
                            spec.alternate ? type : '\0',
                            '\0'};
    char buffer[1024];  // 309 digits and the largest precision fit
    const int precision = static_cast<int>(spec.precision < 0 ? 6 : spec.precision);
    const int written = std::snprintf(buffer, sizeof buffer, pattern, precision,
                                      spec.type == '%' ? magnitude * 100 : magnitude);
    digits.assign(buffer, static_cast<size_t>(std::clamp(written, 0, static_cast<int>(sizeof buffer) - 1)));
    if (spec.type == '%') digits += '%';
  }
  if (spec.grouping != 0) digits = with_grouping(digits, spec.grouping);
  return with_sign(std::signbit(value) && !std::isnan(value), spec.sign, digits);
}

bool is_integer_type(char type) {
  return type != 0 && std::string_view("dxXobniu").find(type) != std::string_view::npos;
}
bool is_float_type(char type) {
  return type != 0 && std::string_view("eEfFgG%").find(type) != std::string_view::npos;
}

Status append_number(Runtime& rt, std::string& out, const Spec& spec, const Value& value) {
  const bool as_integer = value.is_integral() && !is_float_type(spec.type);
  if (!as_integer && is_integer_type(spec.type))
    return bad_format("a float for the format '" + std::string(1, spec.type) + "'");
  BRISK_ASSIGN(const std::string text,
               as_integer ? format_integer(spec, value.as_int()) : format_float(spec, value.as_double()));
  return append_padded(rt, out, spec, text, true);
}

Status append_text(Runtime& rt, std::string& out, const Spec& spec, std::string_view text, bool right) {
  if (spec.precision >= 0) text = text.substr(0, offset_of_character(text, spec.precision));
  return append_padded(rt, out, spec, text, right);
}

int64_t read_number(std::string_view text, size_t& at) {
  int64_t value = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (value < INT32_MAX) value = value * 10 + (text[at] - '0');
  }
  return value;
}

// --- percent ---

class PercentFormatter {
 public:
  PercentFormatter(Runtime& rt, std::string_view pattern, const Value& values)
      : rt_(rt), pattern_(pattern), values_(values) {}

  Result<Value> run() {
    for (at_ = 0; at_ < pattern_.size();) {
      const size_t percent = std::min(pattern_.find('%', at_), pattern_.size());
      BRISK_TRY(rt_.charge_bytes(percent - at_));
      out_ += pattern_.substr(at_, percent - at_);
      at_ = percent + 1;
      if (percent < pattern_.size()) BRISK_TRY(conversion());
    }
    const bool is_tuple = values_.is_sequence(SequenceKind::kTuple);
    const bool all_used =
        is_tuple ? used_ == values_.sequence->size
                 : used_ > 0 || values_.is(Kind::kDict) || values_.is_sequence(SequenceKind::kList);
    if (!all_used && !by_name_) return bad_format("more values than the text has places for");
    return rt_.copy_string(out_);
  }

 private:
  Result<Value> next() {
    if (!values_.is_sequence(SequenceKind::kTuple)) {
      if (used_++ == 0) return values_;
    } else if (used_ < values_.sequence->size) {
      return values_.sequence->items[used_++];
    }
    return bad_format("fewer values than the text has places for");
  }

  Result<Value> named() {
    const size_t end = pattern_.find(')', at_);
    if (end == std::string_view::npos) return bad_format("'%(' without ')'");
    if (!values_.is(Kind::kDict)) return bad_format("'%(name)' without a dictionary");
    const Value* value = values_.dict->find(pattern_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    by_name_ = true;
    if (value == nullptr) return bad_format("a name that the dictionary lacks");
    return *value;
  }

  Result<int64_t> number_or_star() {
    if (at_ >= pattern_.size() || pattern_[at_] != '*') return read_number(pattern_, at_);
    ++at_;
    BRISK_ASSIGN(const Value value, next());
    return integer_argument(value, "'*'");
  }

  Status conversion() {
    Spec spec;
    std::optional<Value> value;
    if (at_ < pattern_.size() && pattern_[at_] == '(') {
      BRISK_ASSIGN(value, named());
    }
    bool zero = false;
    for (; at_ < pattern_.size() && std::string_view("-+ #0").find(pattern_[at_]) != std::string_view::npos;
         ++at_) {
      const char flag = pattern_[at_];
      if (flag == '-') spec.align = '<';
      if (flag == '+' || (flag == ' ' && spec.sign != '+')) spec.sign = flag;
      spec.alternate |= flag == '#';
      zero |= flag == '0';
    }
    BRISK_ASSIGN(spec.width, number_or_star());
    if (at_ < pattern_.size() && pattern_[at_] == '.') {
      ++at_;
      BRISK_ASSIGN(spec.precision, number_or_star());
    }
    if (at_ >= pattern_.size()) return bad_format("'%' at the end");
    spec.type = pattern_[at_++];
    if (spec.type == '%') {
      out_ += '%';
      return {};
    }
    if (!value) {
      BRISK_ASSIGN(value, next());
    }
    if (zero && spec.align == 0 && value->is_number()) {
      spec.align = '=';
      spec.fill = "0";
    }
    return append(spec, *value);
  }

  Status append(Spec spec, const Value& value) {
    if (spec.align == 0) spec.align = '>';
    if (spec.type == 's' || spec.type == 'r' || spec.type == 'a') {
      std::string text;
      BRISK_TRY(spec.type == 's' ? append_str(rt_, text, value) : append_repr(rt_, text, value));
      return append_text(rt_, out_, spec, text, true);
    }
    if (spec.type == 'c') return append_character(spec, value);
    if (!value.is_number())
      return bad_format("a value of type " + std::string(type_name(value)) + " for a number");
    if (!is_integer_type(spec.type) && !is_float_type(spec.type))
      return bad_format("'%" + std::string(1, spec.type) + "'");
    if (is_integer_type(spec.type) && value.is(Kind::kFloat)) {
      const double whole = std::trunc(value.real);
      if (spec.type != 'd' || !(std::fabs(whole) < 0x1p63)) return bad_format("a float for an integer");
      return append_number(rt_, out_, spec, of(static_cast<int64_t>(whole)));
    }
    return append_number(rt_, out_, spec, value);
  }

  Status append_character(const Spec& spec, const Value& value) {
    std::string text;
    if (value.is_integral() && value.as_int() >= 0 && value.as_int() <= 0x10FFFF) {
      utf8_append(text, static_cast<char32_t>(value.as_int()));
    } else if (value.is_string() && count_characters(value.text()) == 1) {
      text = value.text();
    } else {
      return bad_format("something other than a character for '%c'");
    }
    return append_text(rt_, out_, spec, text, true);
  }

  Runtime& rt_;
  std::string_view pattern_;
  const Value& values_;
  std::string out_;
  size_t at_ = 0;
  uint32_t used_ = 0;
  bool by_name_ = false;
};

// --- braces ---

Result<Spec> parse_spec(std::string_view text) {
  Spec spec;
  size_t at = 0;
  const auto is_align = [](std::string_view s) {
    return !s.empty() && std::string_view("<>^=").find(s[0]) != std::string_view::npos;
  };
  const std::string_view first = first_character(text);
  if (!first.empty() && is_align(text.substr(first.size()))) {
    spec.fill = first;
    at = first.size();
  }
  if (is_align(text.substr(at))) spec.align = text[at++];
  if (at < text.size() && (text[at] == '+' || text[at] == '-' || text[at] == ' ')) spec.sign = text[at++];
  if (at < text.size() && text[at] == '#') spec.alternate = text[at++] == '#';
  if (at < text.size() && text[at] == '0') {
    if (spec.align == 0) {
      spec.align = '=';
      spec.fill = "0";
    }
    ++at;
  }
  spec.width = read_number(text, at);
  if (at < text.size() && (text[at] == ',' || text[at] == '_')) spec.grouping = text[at++];
  if (at < text.size() && text[at] == '.') {
    const size_t digits = ++at;
    spec.precision = read_number(text, at);
    if (at == digits) return bad_format("'.' without digits");
  }
  if (at < text.size()) spec.type = text[at++];
  if (at < text.size()) return bad_format("'" + std::string(text.substr(0, 60)) + "'");
  return spec;
}

class BraceFormatter {
 public:
  BraceFormatter(Runtime& rt, std::string_view pattern, const Arguments& arguments)
      : rt_(rt), pattern_(pattern), arguments_(arguments) {}

  Result<Value> run() {
    for (size_t at = 0; at < pattern_.size();) {
      const char c = pattern_[at];
      const bool doubled = at + 1 < pattern_.size() && pattern_[at + 1] == c;
      if (c == '{' && !doubled) {
        const size_t end = pattern_.find('}', at);
        if (end == std::string_view::npos) return bad_format("'{' without '}'");
        BRISK_TRY(field(pattern_.substr(at + 1, end - at - 1)));
        at = end + 1;
      } else if (c == '}' && !doubled) {
        return bad_format("'}' without '{'");
      } else {
        BRISK_TRY(rt_.charge(1));
        out_ += c;
        at += c == '{' || c == '}' ? 2 : 1;
      }
    }
    return rt_.copy_string(out_);
  }

 private:
  Status field(std::string_view text) {
    const size_t colon = std::min(text.find(':'), text.size());
    std::string_view name = text.substr(0, colon);
    const std::string_view format = colon < text.size() ? text.substr(colon + 1) : std::string_view();
    char conversion = 0;
    if (name.size() >= 2 && name[name.size() - 2] == '!') {
      conversion = name.back();
      name.remove_suffix(2);
    }
    BRISK_ASSIGN(Value value, lookup(name));
    BRISK_ASSIGN(const Spec spec, parse_spec(format));
    if (conversion != 0) {
      if (conversion != 'r' && conversion != 's') return bad_format("'!" + std::string(1, conversion) + "'");
      std::string converted;
      BRISK_TRY(conversion == 'r' ? append_repr(rt_, converted, value) : append_str(rt_, converted, value));
      BRISK_ASSIGN(value, rt_.copy_string(converted));
    }
    return append(spec, format.empty(), value);
  }

  Status append(const Spec& spec, bool plain, const Value& value) {
    if (plain) return append_str(rt_, out_, value);
    if (value.is_number() && !(value.is(Kind::kBool) && spec.type == 0)) {
      if (spec.type != 0 && !is_integer_type(spec.type) && !is_float_type(spec.type)) {
        return bad_format("'" + std::string(1, spec.type) + "' for a number");
      }
      return append_number(rt_, out_, spec, value);
    }
    if (!value.is_string() && !value.is(Kind::kBool))
      return bad_format("a format for a value of type " + std::string(type_name(value)));
    if (spec.type != 0 && spec.type != 's') return bad_format("'" + std::string(1, spec.type) + "' for text");
    BRISK_ASSIGN(const Value text, to_str(rt_, value));
    return append_text(rt_, out_, spec, text.text(), false);
  }

  /// The argument that "0", "name", "name.attribute" or "name[item]" means.
  Result<Value> lookup(std::string_view path) {
    size_t at = std::min(path.find_first_of(".["), path.size());
    BRISK_ASSIGN(Value value, argument(path.substr(0, at)));
    while (at < path.size()) {
      const bool is_item = path[at] == '[';
      const size_t begin = ++at;
      at = std::min(is_item ? path.find(']', at) : path.find_first_of(".[", at), path.size());
      const std::string_view part = path.substr(begin, at - begin);
      if (is_item) ++at;
      if (part.starts_with("_")) return bad_format("a name that templates may not use");
      size_t end = 0;
      const int64_t number = read_number(part, end);
      const bool is_number = is_item && !part.empty() && end == part.size();
      if (!is_item) {
        BRISK_ASSIGN(value, get_attribute(rt_, value, part));
      } else {
        BRISK_ASSIGN(value, get_item(rt_, value, is_number ? of(number) : of(part)));
      }
      if (value.is_undefined()) return undefined_error(value);
    }
    return value;
  }

  Result<Value> argument(std::string_view name) {
    size_t end = 0;
    const int64_t number = read_number(name, end);
    if (end == name.size()) {
      const size_t index = name.empty() ? next_++ : static_cast<size_t>(number);
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
  const Arguments& arguments_;
  std::string out_;
  size_t next_ = 0;
};

}  // namespace

Result<Value> format_percent(Runtime& rt, std::string_view pattern, const Value& values) {
  return PercentFormatter(rt, pattern, values).run();
}

Result<Value> format_braces(Runtime& rt, std::string_view pattern, const Arguments& arguments) {
  return BraceFormatter(rt, pattern, arguments).run();
}

}  // namespace brisk::text::tmpl
