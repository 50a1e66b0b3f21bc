// Filters that make numbers.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

bool is_alphanumeric(char32_t c) { return is_alphabetic(c) || is_decimal(c); }

/// Text of a number as Python reads it: blanks around, single underscores between digits, digits of any
/// script.
std::optional<std::string> clean_number(std::string_view text) {
  text = strip(text, Side::kBoth);
  if (text.size() > 1600) return std::nullopt;
  std::string out;
  bool after_digit = false;
  for (size_t at = 0, length = 0; at < text.size(); at += length) {
    const char32_t c = character_at(text, at, length);
    if (c == '_') {
      size_t next_length = 0;
      const bool before_digit =
          at + 1 < text.size() && is_alphanumeric(character_at(text, at + 1, next_length));
      if (!after_digit || !before_digit) return std::nullopt;
    } else {
      const int digit = decimal_value(c);
      out += digit >= 0 ? static_cast<char>('0' + digit) : c < 0x80 ? static_cast<char>(c) : '?';
    }
    after_digit = is_alphanumeric(c);
  }
  return out;
}

std::optional<double> parse_float(std::string_view text) {
  std::optional<std::string> clean = clean_number(text);
  if (!clean || clean->empty()) return std::nullopt;
  std::string_view digits = *clean;
  const bool negative = digits[0] == '-';
  if (negative || digits[0] == '+') digits.remove_prefix(1);
  if (digits.empty() || digits[0] == '-' || digits[0] == '+') return std::nullopt;
  double value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  if (parsed.ec == std::errc::result_out_of_range) value = std::strtod(std::string(digits).c_str(), nullptr);
  return negative ? -value : value;
}

std::optional<int64_t> parse_int(std::string_view text, int64_t base) {
  std::optional<std::string> clean = clean_number(text);
  if (!clean || clean->empty()) return std::nullopt;
  std::string_view digits = *clean;
  const bool negative = digits[0] == '-';
  if (negative || digits[0] == '+') digits.remove_prefix(1);
  const char letter = digits.size() > 1 && digits[0] == '0' ? static_cast<char>(digits[1] | 0x20) : '0';
  const int64_t prefix = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
  if (prefix != 0 && (base == prefix || base == 0)) {
    digits.remove_prefix(2);
    base = prefix;
  }
  if (base == 0) base = 10;
  const std::string signed_digits = (negative ? "-" : "") + std::string(digits);
  int64_t value = 0;
  const char* end = signed_digits.data() + signed_digits.size();
  const auto parsed = std::from_chars(signed_digits.data(), end, value, static_cast<int>(base));
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

std::optional<int64_t> truncated(double value) {
  if (!(value > -0x1p63 && value < 0x1p63)) return std::nullopt;
  return static_cast<int64_t>(value);
}

Result<Value> to_int(Runtime&, const Value& self, const Bound& arguments) {
  const Value fallback = arguments.has(0) ? arguments[0] : of(int64_t{0});
  if (self.is_undefined()) return undefined_error(self);
  if (self.is_integral()) return of(self.as_int());
  std::optional<int64_t> value;
  if (self.is(Kind::kFloat)) {
    value = truncated(self.real);
    if (!value && !std::isnan(self.real))
      return fail("a float that an integer can hold", float_repr(self.real));
  } else if (self.is_string()) {
    const int64_t base = !arguments.has(1) ? 10 : arguments[1].is_integral() ? arguments[1].as_int() : -1;
    if (base == 0 || (base >= 2 && base <= 36)) value = parse_int(self.text(), base);
    if (const auto real = parse_float(self.text()); !value && real) value = truncated(*real);
  }
  return value ? of(*value) : fallback;
}

Result<Value> to_float(Runtime&, const Value& self, const Bound& arguments) {
  const Value fallback = arguments.has(0) ? arguments[0] : of(0.0);
  if (self.is_undefined()) return undefined_error(self);
  if (self.is_number()) return of(self.as_double());
  const std::optional<double> value = self.is_string() ? parse_float(self.text()) : std::nullopt;
  return value ? of(*value) : fallback;
}

Result<Value> absolute(Runtime&, const Value& self, const Bound&) {
  if (self.is_undefined()) return undefined_error(self);
  if (self.is(Kind::kFloat)) return of(std::fabs(self.real));
  if (!self.is_integral()) return fail("a number", std::string(type_name(self)));
  return self.as_int() < 0 ? negate(self) : Result<Value>(of(self.as_int()));
}

/// Rounds the decimal digits of the exact value, halves to even, as Python's round() does.
double round_float(double value, int64_t precision) {
  if (!std::isfinite(value) || precision > 323) return value;
  if (precision < -309) return std::copysign(0.0, value);
  char buffer[700];
  if (precision < 0) {
    const int whole = std::snprintf(buffer, sizeof buffer, "%.0f", std::floor(std::fabs(value)));
    const int kept = whole + static_cast<int>(precision);  // digits
    if (kept < 0) return std::copysign(0.0, value);
    const double unit = std::strtod(("1e" + std::to_string(whole)).c_str(), nullptr);
    if (kept == 0) return std::copysign(std::fabs(value) > unit / 2 ? unit : 0.0, value);
    std::snprintf(buffer, sizeof buffer, "%.*e", kept - 1, value);
    return std::strtod(buffer, nullptr);
  }
  std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(precision), value);
  return std::strtod(buffer, nullptr);
}

Result<Value> round_int(int64_t value, int64_t precision) {
  if (precision >= 0) return of(value);
  if (precision < -18) return of(int64_t{0});
  int64_t unit = 1;
  for (int64_t i = 0; i < -precision; ++i) unit *= 10;
  const int64_t down = value - ((value % unit) + unit) % unit;
  const int64_t rest = value - down;
  const bool up = rest > unit / 2 || (rest == unit / 2 && (down / unit) % 2 != 0);
  int64_t result = down;
  if (up && __builtin_add_overflow(down, unit, &result))
    return fail("integers of 64 bits", "an overflow of round");
  return of(result);
}

Result<Value> round(Runtime&, const Value& self, const Bound& arguments) {
  if (self.is_undefined()) return undefined_error(self);
  if (!self.is_number()) return fail("a number to round", std::string(type_name(self)));
  int64_t precision = 0;
  std::string_view method = "common";
  const bool to_integer = arguments.has(0) && arguments[0].is_none();
  if (arguments.has(0) && !to_integer) {
    BRISK_ASSIGN(precision, integer_argument(arguments[0], "the precision"));
  }
  if (arguments.has(1)) {
    BRISK_ASSIGN(method, string_argument(arguments[1], "the method"));
  }
  if (method == "common") {
    if (self.is_integral()) return round_int(self.as_int(), precision);
    if (!to_integer) return of(round_float(self.real, precision));
    const std::optional<int64_t> whole = truncated(round_float(self.real, 0));
    return whole ? Result<Value>(of(*whole))
                 : fail("a float that an integer can hold", float_repr(self.real));
  }
  if (to_integer) return fail("a precision", "none");
  if (method != "ceil" && method != "floor")
    return fail("common, ceil or floor", std::string(method.substr(0, 60)));
  if (precision > 300 || precision < -300)
    return fail("a precision between -300 and 300", std::to_string(precision));
  const double unit = std::pow(10.0, static_cast<double>(precision));
  const double scaled = self.as_double() * unit;
  return of((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / unit);
}

constexpr Builtin kFilters[] = {
    {"int", "default? base?", to_int},
    {"float", "default?", to_float},
    {"abs", "", absolute},
    {"round", "precision? method?", round},
};

}  // namespace

std::span<const Builtin> number_filters() { return kFilters; }

}  // namespace brisk::text::tmpl
