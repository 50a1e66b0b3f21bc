// The tests: what may follow `is`.
#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

template <bool (*Test)(const Value&)>
Result<Value> simple(Runtime&, const Value& self, const Bound&) {
  return of(Test(self));
}

bool is_defined(const Value& v) { return !v.is_undefined(); }
bool is_undefined(const Value& v) { return v.is_undefined(); }
bool is_none(const Value& v) { return v.is_none(); }
bool is_boolean(const Value& v) { return v.is(Kind::kBool); }
bool is_true(const Value& v) { return v.is(Kind::kBool) && v.boolean; }
bool is_false(const Value& v) { return v.is(Kind::kBool) && !v.boolean; }
bool is_integer(const Value& v) { return v.is(Kind::kInt) || v.is(Kind::kBigInt); }
bool is_float(const Value& v) { return v.is(Kind::kFloat); }
bool is_number(const Value& v) { return v.is_number() || v.is(Kind::kBigInt); }
bool is_string(const Value& v) { return v.is_string(); }
bool is_mapping(const Value& v) { return v.is(Kind::kDict); }
bool is_callable(const Value& v) {
  const bool is_joiner = v.is(Kind::kHelper) && v.helper->cycled == nullptr;
  return v.is(Kind::kCallable) || v.is(Kind::kLoop) || v.is_undefined() || is_joiner;
}
bool is_escaped(const Value& v) { return v.markup; }
bool is_iterable(const Value& v) {
  return v.is_undefined() || v.is_string() || v.is(Kind::kSequence) || v.is(Kind::kDict) || v.is(Kind::kLoop);
}
bool is_sequence(const Value& v) {
  if (v.is(Kind::kSequence))
    return v.sequence->kind != SequenceKind::kView && v.sequence->kind != SequenceKind::kGenerator;
  return v.is_undefined() || v.is_string() || v.is(Kind::kDict);
}

template <Comparison kComparison>
Result<Value> compared(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const bool holds, compare(rt, kComparison, self, arguments[0]));
  return of(holds);
}

Result<bool> is_multiple(Runtime& rt, const Value& self, const Value& divisor) {
  BRISK_ASSIGN(const Value rest, binary(rt, BinaryOp::kModulo, self, divisor));
  return equal(rest, of(int64_t{0}));
}

Result<Value> divisible_by(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const bool multiple, is_multiple(rt, self, arguments[0]));
  return of(multiple);
}

template <int64_t kRest>
Result<Value> parity(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(const Value rest, binary(rt, BinaryOp::kModulo, self, of(int64_t{2})));
  return of(equal(rest, of(kRest)));
}

template <bool kUpper>
Result<Value> cased(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(const Value text, to_str(rt, self));
  BRISK_TRY(rt.charge(text.length));
  return of(has_case(text.text(), kUpper));
}

Result<Value> same_as(Runtime&, const Value& self, const Bound& arguments) {
  return of(same_object(self, arguments[0]));
}

/// Whether a table has the name; what is no name is not in it, but has to be hashable.
template <const Builtin* (*Find)(std::string_view)>
Result<Value> is_name_of(Runtime&, const Value& self, const Bound&) {
  if (!hashable(self)) return fail("a name", std::string(type_name(self)));
  return of(self.is_string() && Find(self.text()) != nullptr);
}

constexpr Builtin kTests[] = {
    {"defined", "", simple<is_defined>},
    {"undefined", "", simple<is_undefined>},
    {"none", "", simple<is_none>},
    {"string", "", simple<is_string>},
    {"mapping", "", simple<is_mapping>},
    {"iterable", "", simple<is_iterable>},
    {"sequence", "", simple<is_sequence>},
    {"number", "", simple<is_number>},
    {"integer", "", simple<is_integer>},
    {"float", "", simple<is_float>},
    {"boolean", "", simple<is_boolean>},
    {"true", "", simple<is_true>},
    {"false", "", simple<is_false>},
    {"callable", "", simple<is_callable>},
    {"escaped", "", simple<is_escaped>},
    {"in", "seq", compared<Comparison::kIn>},
    {"eq", "other", compared<Comparison::kEqual>},
    {"equalto", "other", compared<Comparison::kEqual>},
    {"==", "other", compared<Comparison::kEqual>},
    {"ne", "other", compared<Comparison::kUnequal>},
    {"!=", "other", compared<Comparison::kUnequal>},
    {"lt", "other", compared<Comparison::kLess>},
    {"lessthan", "other", compared<Comparison::kLess>},
    {"<", "other", compared<Comparison::kLess>},
    {"le", "other", compared<Comparison::kLessEqual>},
    {"<=", "other", compared<Comparison::kLessEqual>},
    {"gt", "other", compared<Comparison::kGreater>},
    {"greaterthan", "other", compared<Comparison::kGreater>},
    {">", "other", compared<Comparison::kGreater>},
    {"ge", "other", compared<Comparison::kGreaterEqual>},
    {">=", "other", compared<Comparison::kGreaterEqual>},
    {"odd", "", parity<1>},
    {"even", "", parity<0>},
    {"divisibleby", "num", divisible_by},
    {"upper", "", cased<true>},
    {"lower", "", cased<false>},
    {"sameas", "other", same_as},
    {"filter", "", is_name_of<find_filter>},
    {"test", "", is_name_of<find_test>},
};

}  // namespace

std::span<const Builtin> value_tests() { return kTests; }

}  // namespace brisk::text::tmpl
