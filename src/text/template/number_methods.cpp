// The methods and attributes of int, bool and float.
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "text/template/operators.hpp"

namespace brisk::text::tmpl {
namespace {

uint64_t magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

Result<Value> bit_length(Runtime&, const Value& self, const Bound&) {
  return of(static_cast<int64_t>(std::bit_width(magnitude(self.as_int()))));
}

Result<Value> bit_count(Runtime&, const Value& self, const Bound&) {
  return of(static_cast<int64_t>(std::popcount(magnitude(self.as_int()))));
}

Result<Value> conjugate(Runtime&, const Value& self, const Bound&) { return positive(self); }

Result<Value> pair(Runtime& rt, int64_t numerator, int64_t denominator) {
  const Value parts[] = {of(numerator), of(denominator)};
  return rt.new_tuple(parts);
}

Result<Value> as_integer_ratio(Runtime& rt, const Value& self, const Bound&) {
  if (self.is_integral()) return pair(rt, self.as_int(), 1);
  if (!std::isfinite(self.real)) return fail("a finite float", "another one");
  int exponent = 0;
  const double fraction = std::frexp(self.real, &exponent);
  auto numerator = static_cast<int64_t>(std::ldexp(fraction, 53));
  exponent -= 53;
  while (numerator != 0 && numerator % 2 == 0 && exponent < 0) {
    numerator /= 2;
    ++exponent;
  }
  if (numerator == 0) return pair(rt, 0, 1);
  const bool fits = exponent < 0 ? exponent > -63 : exponent < 63 && std::fabs(self.real) < 0x1p63;
  if (!fits) return fail("integers of 64 bits", "a ratio of larger ones");
  return exponent < 0 ? pair(rt, numerator, int64_t{1} << -exponent)
                      : pair(rt, static_cast<int64_t>(self.real), 1);
}

Result<Value> is_integer(Runtime&, const Value& self, const Bound&) {
  return of(std::isfinite(self.real) && self.real == std::floor(self.real));
}

/// As Python writes it: all 13 digits of the mantissa.
Result<Value> hex(Runtime& rt, const Value& self, const Bound&) {
  if (std::isnan(self.real)) return of(std::string_view("nan"));
  if (std::isinf(self.real)) return of(std::string_view(self.real < 0 ? "-inf" : "inf"));
  const char* sign = std::signbit(self.real) ? "-" : "";
  const auto bits = std::bit_cast<uint64_t>(self.real);
  const auto mantissa = static_cast<unsigned long long>(bits & ((uint64_t{1} << 52) - 1));
  const int exponent = static_cast<int>((bits >> 52) & 0x7FF);
  char buffer[64];
  if (exponent == 0 && mantissa == 0) {
    std::snprintf(buffer, sizeof buffer, "%s0x0.0p+0", sign);
  } else {
    std::snprintf(buffer, sizeof buffer, "%s0x%d.%013llxp%+d", sign, exponent == 0 ? 0 : 1, mantissa,
                  exponent == 0 ? -1022 : exponent - 1023);
  }
  return rt.copy_string(buffer);
}

constexpr Builtin kIntegerMethods[] = {
    {"bit_length", "", bit_length},
    {"bit_count", "", bit_count},
    {"conjugate", "", conjugate},
    {"as_integer_ratio", "", as_integer_ratio},
};
constexpr Builtin kFloatMethods[] = {
    {"is_integer", "", is_integer},
    {"hex", "", hex},
    {"conjugate", "", conjugate},
    {"as_integer_ratio", "", as_integer_ratio},
};

}  // namespace

std::span<const Builtin> number_methods(const Value& value) {
  return value.is(Kind::kFloat) ? std::span<const Builtin>(kFloatMethods)
                                : std::span<const Builtin>(kIntegerMethods);
}

std::optional<Value> number_attribute(const Value& value, std::string_view name) {
  const bool is_float = value.is(Kind::kFloat);
  if (name == "real") return is_float ? value : of(value.as_int());
  if (name == "imag") return is_float ? of(0.0) : of(int64_t{0});
  if (is_float) return std::nullopt;
  if (name == "numerator") return of(value.as_int());
  if (name == "denominator") return of(int64_t{1});
  return std::nullopt;
}

}  // namespace brisk::text::tmpl
