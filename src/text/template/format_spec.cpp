// Padding, and numbers by a Spec.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "text/template/format.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

constexpr int64_t kMaxPrecision = 100'000;  // digits of a number; nearly all of them would be zeros

bool is_one_of(char type, std::string_view types) {
  return type != 0 && types.find(type) != std::string_view::npos;
}

char upper_char(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

/// Separators between every `group` digits before the first other character, after zeros that fill up to
/// `width` (of digits and separators).
std::string with_grouping(std::string digits, char separator, size_t group, size_t width) {
  const std::string_view members = group == 3 ? "0123456789" : "0123456789abcdefABCDEF";
  const size_t end = std::min(digits.find_first_not_of(members), digits.size());
  std::string rest = digits.substr(end);
  digits.resize(end);
  const auto grouped_size = [&](size_t count) { return count + (count - 1) / group; };
  if (digits.empty()) return rest;
  size_t count = digits.size();
  while (grouped_size(count) + rest.size() < width) ++count;
  digits.insert(0, count - digits.size(), '0');
  for (size_t at = digits.size(); at > group;) {
    at -= group;
    digits.insert(at, 1, separator);
  }
  return digits + rest;
}

/// Sign, prefix and digits as one text, padded.
Status append_digits(Runtime& rt, std::string& out, const Spec& spec, bool negative, std::string_view prefix,
                     std::string digits, size_t group) {
  std::string text = negative ? "-" : spec.sign == '+' || spec.sign == ' ' ? std::string(1, spec.sign) : "";
  text += prefix;
  const size_t head = text.size();
  if (spec.grouping != 0) {
    const bool zeros = spec.fill == "0" && spec.align == '=';
    const auto most = static_cast<int64_t>(rt.limits().output_bytes);
    if (spec.width > most) return bad_format("a width beyond the output's limit");
    BRISK_TRY(rt.charge_bytes(static_cast<size_t>(spec.width)));
    const size_t width = zeros ? static_cast<size_t>(spec.width) - std::min<size_t>(head, spec.width) : 0;
    digits = with_grouping(std::move(digits), spec.grouping, group, width);
  }
  return append_padded(rt, out, spec, text + digits, head, true);
}

/// printf for one number.
std::string printed(const char* pattern, int64_t precision, double value) {
  std::string text(static_cast<size_t>(precision) + 400, '\0');  // 309 digits before the point
  const int written = std::snprintf(text.data(), text.size(), pattern, static_cast<int>(precision), value);
  text.resize(static_cast<size_t>(std::max(written, 0)));
  return text;
}

/// Without the zeros at the end of a fraction, or with a point in any case.
std::string tidy_fraction(std::string digits, bool alternate) {
  const bool has_point = digits.find('.') != std::string::npos;
  if (alternate) return has_point ? digits : digits + ".";
  if (!has_point) return digits;
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) digits.pop_back();
  return digits;
}

/// "%g", or with `add_zero` the form of a float without a type, which has a digit after the point.
std::string general_digits(double magnitude, int64_t precision, bool alternate, bool add_zero) {
  precision = std::max<int64_t>(precision, 1);
  const std::string scientific = printed("%.*e", precision - 1, magnitude);
  const size_t e = scientific.find('e');
  const int exponent = std::atoi(scientific.c_str() + e + 1);
  if (exponent < -4 || exponent >= precision - (add_zero ? 1 : 0)) {
    return tidy_fraction(scientific.substr(0, e), alternate) + scientific.substr(e);
  }
  const std::string fixed = tidy_fraction(printed("%.*f", precision - 1 - exponent, magnitude), alternate);
  return add_zero && fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

/// repr(), with a point in any case.
std::string alternate_repr(double magnitude) {
  const std::string text = float_repr(magnitude);
  const size_t e = std::min(text.find('e'), text.size());
  return tidy_fraction(text.substr(0, e), true) + text.substr(e);
}

std::string float_digits(const Spec& spec, double magnitude) {
  if (spec.type == 0 && spec.precision < 0)
    return spec.alternate ? alternate_repr(magnitude) : float_repr(magnitude);
  const int64_t precision = spec.precision < 0 ? 6 : spec.precision;
  if (spec.type == 0 || is_one_of(spec.type, "gGn")) {
    std::string digits = general_digits(magnitude, precision, spec.alternate, spec.type == 0);
    if (spec.type == 'G') std::transform(digits.begin(), digits.end(), digits.begin(), upper_char);
    return digits;
  }
  const char type = spec.type == '%' ? 'f' : spec.type;
  const std::string pattern = std::string(spec.alternate ? "%#.*" : "%.*") + type;
  const std::string digits =
      printed(pattern.c_str(), precision, spec.type == '%' ? magnitude * 100 : magnitude);
  return spec.type == '%' ? digits + "%" : digits;
}

}  // namespace

Status bad_format(std::string got) { return fail("a format that Python knows", std::move(got)); }

bool is_integer_type(char type) { return is_one_of(type, "dxXobniu"); }
bool is_float_type(char type) { return is_one_of(type, "eEfFgG%"); }

int64_t read_number(std::string_view text, size_t& at) {
  int64_t value = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    value = std::min<int64_t>(value * 10 + (text[at] - '0'), INT32_MAX);
  }
  return value;
}

Status append_padded(Runtime& rt, std::string& out, const Spec& spec, std::string_view text, size_t head,
                     bool right) {
  const int64_t missing = spec.width - count_characters(text);
  if (missing <= 0) {
    out += text;
    return rt.charge_bytes(text.size());
  }
  if (spec.width > static_cast<int64_t>(rt.limits().output_bytes))
    return bad_format("a width beyond the output's limit");
  BRISK_TRY(rt.charge_bytes(static_cast<size_t>(spec.width) * spec.fill.size()));
  const char align = spec.align != 0 ? spec.align : right ? '>' : '<';
  int64_t before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  const int64_t after = missing - before;
  if (align == '=') {
    out += text.substr(0, head);
    text.remove_prefix(head);
  }
  while (before-- > 0) out += spec.fill;
  out += text;
  for (int64_t i = 0; i < after; ++i) out += spec.fill;
  return {};
}

Status append_text(Runtime& rt, std::string& out, const Spec& spec, std::string_view text, bool right) {
  if (spec.precision >= 0) text = text.substr(0, offset_of_character(text, spec.precision));
  return append_padded(rt, out, spec, text, 0, right);
}

Status append_integer(Runtime& rt, std::string& out, const Spec& spec, int64_t value) {
  const uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const bool decimal = spec.type == 0 || is_one_of(spec.type, "diun");
  const int base = decimal ? 10 : spec.type == 'x' || spec.type == 'X' ? 16 : spec.type == 'o' ? 8 : 2;
  char buffer[72];
  std::string digits(buffer, std::to_chars(buffer, buffer + sizeof buffer, magnitude, base).ptr);
  if (spec.type == 'X') std::transform(digits.begin(), digits.end(), digits.begin(), upper_char);
  if (spec.precision > kMaxPrecision) return bad_format("a precision above " + std::to_string(kMaxPrecision));
  if (spec.precision > static_cast<int64_t>(digits.size())) {
    BRISK_TRY(rt.charge(spec.precision));
    digits.insert(0, static_cast<size_t>(spec.precision) - digits.size(), '0');
  }
  const std::string prefix = spec.alternate && !decimal ? std::string("0") + spec.type : "";
  return append_digits(rt, out, spec, value < 0, prefix, std::move(digits), decimal ? 3 : 4);
}

Status append_float(Runtime& rt, std::string& out, const Spec& spec, double value) {
  if (spec.precision > kMaxPrecision) return bad_format("a precision above " + std::to_string(kMaxPrecision));
  BRISK_TRY(rt.charge(std::max<int64_t>(spec.precision, 0)));
  std::string digits;
  if (std::isfinite(value)) {
    digits = float_digits(spec, std::fabs(value));
  } else {
    digits = std::isnan(value) ? "nan" : "inf";
    if (is_one_of(spec.type, "EFG")) std::transform(digits.begin(), digits.end(), digits.begin(), upper_char);
    if (spec.type == '%') digits += '%';
  }
  const bool is_zero = digits.find_first_of("123456789n") == std::string::npos;
  const bool negative = std::signbit(value) && !std::isnan(value) && !(spec.no_negative_zero && is_zero);
  // Only digits are grouped, and an exponent has none to group.
  Spec ungrouped = spec;
  if (!std::isfinite(value)) ungrouped.grouping = 0;
  return append_digits(rt, out, ungrouped, negative, "", std::move(digits), 3);
}

}  // namespace brisk::text::tmpl
