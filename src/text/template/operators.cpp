// Arithmetic, comparison and membership.
#include "text/template/operators.hpp"

#include <algorithm>
#include <cmath>

#include "base/checked.hpp"
#include "text/template/format.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "**"};

std::string symbol(BinaryOp op) { return std::string(kSymbols[static_cast<size_t>(op)]); }

Status overflow(BinaryOp op) { return fail("integers of 64 bits", "an overflow of '" + symbol(op) + "'"); }
Status too_big() { return fail("integers of 64 bits", "a larger one"); }

Result<Value> as_value(std::optional<int64_t> value, BinaryOp op) {
  if (!value) return overflow(op);
  return of(*value);
}

Status division_by_zero() { return fail("a divisor other than zero", "zero"); }

Result<Value> integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) return division_by_zero();
    return of(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  int64_t result = 1;
  while (true) {
    if (exponent & 1) {
      const auto product = checked_mul(result, base);
      if (!product) return overflow(BinaryOp::kPower);
      result = *product;
    }
    exponent >>= 1;
    if (exponent == 0) return of(result);
    const auto square = checked_mul(base, base);
    if (!square) return overflow(BinaryOp::kPower);
    base = *square;
  }
}

Result<Value> integer_operation(BinaryOp op, int64_t a, int64_t b) {
  switch (op) {
    case BinaryOp::kAdd: return as_value(checked_add(a, b), op);
    case BinaryOp::kMultiply: return as_value(checked_mul(a, b), op);
    case BinaryOp::kPower: return integer_power(a, b);
    case BinaryOp::kSubtract: {
      int64_t difference = 0;
      if (__builtin_sub_overflow(a, b, &difference)) return overflow(op);
      return of(difference);
    }
    default: break;
  }
  if (b == 0) return division_by_zero();
  if (op == BinaryOp::kDivide) return of(static_cast<double>(a) / static_cast<double>(b));
  if (b == -1) {  // the one quotient that overflows, and the remainder that traps
    if (op == BinaryOp::kModulo) return of(int64_t{0});
    if (a == INT64_MIN) return overflow(op);
    return of(-a);
  }
  // Python rounds quotients down, so the remainder has the sign of the divisor.
  const int64_t remainder = a % b;
  const bool adjust = remainder != 0 && (remainder < 0) != (b < 0);
  if (op == BinaryOp::kModulo) return of(adjust ? remainder + b : remainder);
  return of(a / b - (adjust ? 1 : 0));
}

Result<Value> float_operation(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd: return of(a + b);
    case BinaryOp::kSubtract: return of(a - b);
    case BinaryOp::kMultiply: return of(a * b);
    case BinaryOp::kPower: {
      if (a == 0 && b < 0) return division_by_zero();
      const double power = std::pow(a, b);
      if ((std::isinf(power) && std::isfinite(a) && std::isfinite(b)) || (std::isnan(power) && a < 0)) {
        return fail("a power that a float can hold", "one that it cannot");
      }
      return of(power);
    }
    default: break;
  }
  if (b == 0) return division_by_zero();
  if (op == BinaryOp::kDivide) return of(a / b);
  double remainder = std::fmod(a, b);
  double quotient = (a - remainder) / b;
  if (remainder != 0 && (remainder < 0) != (b < 0)) {
    remainder += b;
    quotient -= 1;
  }
  if (remainder == 0) remainder = std::copysign(0.0, b);
  if (op == BinaryOp::kModulo) return of(remainder);
  if (quotient == 0) return of(std::copysign(0.0, a / b));
  const double floor = std::floor(quotient);
  return of(quotient - floor > 0.5 ? floor + 1 : floor);
}

Result<Value> repeat_string(Runtime& rt, const Value& value, int64_t times) {
  times = std::max<int64_t>(times, 0);
  if (value.length == 0) return value;
  const auto bytes = checked_mul<int64_t>(value.length, times);
  const auto most = static_cast<int64_t>(rt.limits().output_bytes);
  if (!bytes || *bytes > most)
    return fail("text of at most " + std::to_string(most) + " bytes", "a longer repetition");
  BRISK_TRY(rt.charge_bytes(static_cast<size_t>(*bytes)));
  std::string text;
  text.reserve(static_cast<size_t>(*bytes));
  for (int64_t i = 0; i < times; ++i) text += value.text();
  BRISK_ASSIGN(Value repeated, rt.copy_string(text));
  repeated.markup = value.markup;
  return repeated;
}

Result<Value> repeat_sequence(Runtime& rt, const Sequence& sequence, int64_t times) {
  times = std::max<int64_t>(times, 0);
  const auto count = checked_mul<int64_t>(sequence.size, times);
  BRISK_TRY(rt.charge(count.value_or(INT64_MAX)));
  std::vector<Value> items;
  items.reserve(static_cast<size_t>(*count));
  for (int64_t i = 0; i < times && sequence.size > 0; ++i) {
    items.insert(items.end(), sequence.all().begin(), sequence.all().end());
  }
  return rt.new_sequence(sequence.kind, items);
}

bool is_list_or_tuple(const Value& value) {
  return value.is_sequence(SequenceKind::kList) || value.is_sequence(SequenceKind::kTuple);
}

/// When one of the two is marked as safe HTML, the other is escaped and the sum is safe, too.
Result<Value> add_strings(Runtime& rt, const Value& a, const Value& b) {
  const bool markup = a.markup || b.markup;
  std::string text;
  for (const Value* part : {&a, &b}) {
    BRISK_TRY(rt.charge_bytes(part->length));
    text += markup && !part->markup ? escape_html(part->text()) : std::string(part->text());
  }
  BRISK_ASSIGN(Value sum, rt.copy_string(text));
  sum.markup = markup;
  return sum;
}

Result<Value> add_sequences(Runtime& rt, const Sequence& a, const Sequence& b) {
  BRISK_TRY(rt.charge(int64_t{a.size} + b.size));
  std::vector<Value> items(a.all().begin(), a.all().end());
  items.insert(items.end(), b.all().begin(), b.all().end());
  return rt.new_sequence(a.kind, items);
}

/// Operators on anything but two numbers; nothing when there is no such operation.
Result<std::optional<Value>> other_operation(Runtime& rt, BinaryOp op, const Value& a, const Value& b) {
  const auto wrap = [](Result<Value> result) -> Result<std::optional<Value>> {
    if (!result.ok()) return result.status();
    return std::optional<Value>(*result);
  };
  if (op == BinaryOp::kAdd && a.is_string() && b.is_string()) {
    return wrap(add_strings(rt, a, b));
  }
  if (op == BinaryOp::kAdd && is_list_or_tuple(a) && is_list_or_tuple(b) &&
      a.sequence->kind == b.sequence->kind) {
    return wrap(add_sequences(rt, *a.sequence, *b.sequence));
  }
  if (op == BinaryOp::kModulo && a.is_string()) return wrap(format_percent(rt, a, b));
  if (op == BinaryOp::kMultiply) {
    const Value& repeated = a.is_integral() ? b : a;
    const Value& times = a.is_integral() ? a : b;
    if (times.is_integral() && repeated.is_string()) return wrap(repeat_string(rt, repeated, times.as_int()));
    if (times.is_integral() && is_list_or_tuple(repeated)) {
      return wrap(repeat_sequence(rt, *repeated.sequence, times.as_int()));
    }
  }
  return std::optional<Value>();
}

Result<bool> less_sequences(Runtime& rt, const Sequence& a, const Sequence& b) {
  for (uint32_t i = 0; i < std::min(a.size, b.size); ++i) {
    BRISK_ASSIGN(const bool same, equal_charged(rt, a.items[i], b.items[i]));
    if (!same) return less(rt, a.items[i], b.items[i]);
  }
  return a.size < b.size;
}

}  // namespace

Status undefined_error(const Value& value) {
  const bool known = value.undefined != nullptr;
  const std::string why = known ? std::string(value.undefined->why) : "an undefined value";
  if (known && value.undefined->forbidden) {
    return fail("values to stay as they are", why, "building a new list or dictionary (list + [item])");
  }
  return fail("a defined value", why, "testing with 'is defined' first");
}

Result<Value> binary(Runtime& rt, BinaryOp op, const Value& a, const Value& b) {
  if (a.is_undefined()) return undefined_error(a);
  if (a.is_integral() && b.is_integral()) return integer_operation(op, a.as_int(), b.as_int());
  if (a.is_number() && b.is_number()) return float_operation(op, a.as_double(), b.as_double());
  const bool formats = op == BinaryOp::kModulo && a.is_string();
  if (a.is(Kind::kBigInt) || (b.is(Kind::kBigInt) && !formats)) return too_big();
  if (b.is_undefined() && !formats) return undefined_error(b);
  BRISK_ASSIGN(const std::optional<Value> result, other_operation(rt, op, a, b));
  if (result) return *result;
  return fail("operands that '" + symbol(op) + "' takes",
              std::string(type_name(a)) + " and " + std::string(type_name(b)));
}

Result<Value> negate(const Value& value) {
  if (value.is_undefined()) return undefined_error(value);
  if (value.is(Kind::kFloat)) return of(-value.real);
  if (value.is(Kind::kBigInt)) return too_big();
  if (!value.is_integral()) return fail("a number to negate", std::string(type_name(value)));
  if (value.as_int() == INT64_MIN) return overflow(BinaryOp::kSubtract);
  return of(-value.as_int());
}

Result<Value> positive(const Value& value) {
  if (value.is_undefined()) return undefined_error(value);
  if (value.is(Kind::kFloat)) return value;
  if (!value.is_integral()) return fail("a number after '+'", std::string(type_name(value)));
  return of(value.as_int());
}

Result<Value> concatenate(Runtime& rt, std::span<const Value> parts, bool escapes) {
  const auto is_markup = [](const Value& part) { return part.markup; };
  const bool markup = escapes && std::any_of(parts.begin(), parts.end(), is_markup);
  std::string text;
  for (const Value& part : parts) {
    Value piece = part;
    if (markup) {
      BRISK_ASSIGN(piece, escaped_text(rt, part));
    }
    BRISK_TRY(append_str(rt, text, piece));
  }
  BRISK_ASSIGN(Value joined, rt.copy_string(text));
  joined.markup = markup;
  return joined;
}

Result<bool> equal_charged(Runtime& rt, const Value& a, const Value& b) {
  BRISK_TRY(rt.charge(std::min(weight(a), weight(b))));
  return equal(a, b);
}

Result<bool> less(Runtime& rt, const Value& a, const Value& b) {
  BRISK_TRY(rt.charge(1));
  if (a.is_undefined() || b.is_undefined()) return undefined_error(a.is_undefined() ? a : b);
  if (a.is_integral() && b.is_integral()) return a.as_int() < b.as_int();
  if (a.is_number() && b.is_number()) return a.as_double() < b.as_double();
  if (a.is_string() && b.is_string()) {
    BRISK_TRY(rt.charge_bytes(std::min(a.length, b.length)));
    return a.text() < b.text();  // UTF-8 sorts as its code points do
  }
  if (is_list_or_tuple(a) && is_list_or_tuple(b) && a.sequence->kind == b.sequence->kind) {
    return less_sequences(rt, *a.sequence, *b.sequence);
  }
  if (a.is(Kind::kBigInt) || b.is(Kind::kBigInt)) return too_big();
  return fail("values that can be ordered", std::string(type_name(a)) + " and " + std::string(type_name(b)));
}

Result<bool> compare(Runtime& rt, Comparison comparison, const Value& a, const Value& b) {
  const auto inverted = [](Result<bool> result) { return result.ok() ? Result<bool>(!*result) : result; };
  const bool has_nan =
      (a.is(Kind::kFloat) && std::isnan(a.real)) || (b.is(Kind::kFloat) && std::isnan(b.real));
  switch (comparison) {
    case Comparison::kEqual: return equal_charged(rt, a, b);
    case Comparison::kUnequal: return inverted(equal_charged(rt, a, b));
    case Comparison::kLess: return less(rt, a, b);
    case Comparison::kGreater: return less(rt, b, a);
    case Comparison::kIn: return contains(rt, b, a);
    case Comparison::kNotIn: return inverted(contains(rt, b, a));
    default: break;
  }
  if (has_nan && a.is_number() && b.is_number()) return false;
  return inverted(comparison == Comparison::kLessEqual ? less(rt, b, a) : less(rt, a, b));
}

Result<bool> contains(Runtime& rt, const Value& container, const Value& item) {
  switch (container.kind) {
    case Kind::kString:
      if (!item.is_string()) return fail("a string to look for in a string", std::string(type_name(item)));
      BRISK_TRY(rt.charge_bytes(container.length / 8));
      return find_text(container.text(), item.text()) != std::string_view::npos;
    case Kind::kDict:
      if (!hashable(item)) return fail("a key that does not change", std::string(type_name(item)));
      BRISK_TRY(rt.charge(weight(item)));
      return container.dict->find(item) != nullptr;
    case Kind::kSequence: {
      LoopItems items(*container.sequence);
      while (true) {
        Value element;
        BRISK_ASSIGN(const bool more, items.next(element));
        if (!more) return false;
        BRISK_ASSIGN(const bool same, equal_charged(rt, element, item));
        if (same) return true;
      }
    }
    case Kind::kUndefined: return false;
    default: return fail("something that 'in' can search", std::string(type_name(container)));
  }
}

}  // namespace brisk::text::tmpl
