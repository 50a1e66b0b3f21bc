// Expressions.
#include <algorithm>

#include "text/template/interpreter.hpp"
#include "text/template/operators.hpp"
#include "text/template/print.hpp"

namespace brisk::text::tmpl {

Result<Value> Interpreter::evaluate(const Expr& expr, Scope& scope) {
  if (expr.kind == ExprKind::kConstant) {
    BRISK_TRY(rt_.charge(1));
    return expr.constant;
  }
  Result<Value> result = [&]() -> Result<Value> {
    BRISK_TRY(enter());
    const Nesting nesting(depth_);
    return evaluate_kind(expr, scope);
  }();
  if (!result.ok()) return locate(program_, expr.offset, result.status());
  return result;
}

Result<Value> Interpreter::evaluate_kind(const Expr& expr, Scope& scope) {
  switch (expr.kind) {
    case ExprKind::kConstant: return expr.constant;
    case ExprKind::kName: return variable(expr, scope);
    case ExprKind::kList:
    case ExprKind::kTuple:
    case ExprKind::kConcat: return evaluate_items(expr, scope);
    case ExprKind::kDict: return evaluate_dict(expr, scope);
    case ExprKind::kNot:
    case ExprKind::kNegate:
    case ExprKind::kPositive: return evaluate_unary(expr, scope);
    case ExprKind::kBinary: return evaluate_binary(expr, scope);
    case ExprKind::kAnd:
    case ExprKind::kOr: return evaluate_logical(expr, scope);
    case ExprKind::kCompare: return evaluate_comparison(expr, scope);
    case ExprKind::kConditional: return evaluate_conditional(expr, scope);
    case ExprKind::kAttribute:
    case ExprKind::kItem: return evaluate_access(expr, scope);
    case ExprKind::kSlice: return evaluate_slice(expr, scope);
    case ExprKind::kCall: return evaluate_call(expr, scope, nullptr);
    case ExprKind::kFilter: return evaluate_filter(expr, scope);
    case ExprKind::kTest: return evaluate_test(expr, scope);
  }
  return internal_error({"template", "a known expression", "another", ""});
}

Result<Value> Interpreter::evaluate_items(const Expr& expr, Scope& scope) {
  std::vector<Value> items;
  items.reserve(expr.items.size());
  for (const Expr* item : expr.items) {
    BRISK_ASSIGN(const Value value, evaluate(*item, scope));
    items.push_back(value);
  }
  if (expr.kind == ExprKind::kConcat) return concatenate(rt_, items, expr.escapes);
  return rt_.new_sequence(expr.kind == ExprKind::kList ? SequenceKind::kList : SequenceKind::kTuple, items);
}

Result<Value> Interpreter::evaluate_dict(const Expr& expr, Scope& scope) {
  BRISK_ASSIGN(Dict* const dict, rt_.new_dict());
  for (size_t i = 0; i < expr.items.size(); i += 2) {
    BRISK_ASSIGN(const Value key, evaluate(*expr.items[i], scope));
    BRISK_ASSIGN(const Value value, evaluate(*expr.items[i + 1], scope));
    BRISK_TRY(rt_.set_item(*dict, key, value));
  }
  return of(dict);
}

Result<Value> Interpreter::evaluate_unary(const Expr& expr, Scope& scope) {
  BRISK_ASSIGN(const Value value, evaluate(*expr.items[0], scope));
  if (expr.kind == ExprKind::kNot) return of(!truthy(value));
  return expr.kind == ExprKind::kNegate ? negate(value) : positive(value);
}

Result<Value> Interpreter::evaluate_binary(const Expr& expr, Scope& scope) {
  BRISK_ASSIGN(const Value left, evaluate(*expr.items[0], scope));
  BRISK_ASSIGN(const Value right, evaluate(*expr.items[1], scope));
  return binary(rt_, expr.op, left, right);
}

Result<Value> Interpreter::evaluate_logical(const Expr& expr, Scope& scope) {
  const bool ends_at = expr.kind == ExprKind::kOr;
  Value value;
  for (const Expr* item : expr.items) {
    BRISK_ASSIGN(value, evaluate(*item, scope));
    if (truthy(value) == ends_at) break;
  }
  return value;
}

Result<Value> Interpreter::evaluate_comparison(const Expr& expr, Scope& scope) {
  BRISK_ASSIGN(Value left, evaluate(*expr.items[0], scope));
  for (size_t i = 0; i < expr.comparisons.size(); ++i) {
    BRISK_ASSIGN(const Value right, evaluate(*expr.items[i + 1], scope));
    BRISK_ASSIGN(const bool holds, compare(rt_, expr.comparisons[i], left, right));
    if (!holds) return of(false);
    left = right;
  }
  return of(true);
}

Result<Value> Interpreter::evaluate_conditional(const Expr& expr, Scope& scope) {
  BRISK_ASSIGN(const Value condition, evaluate(*expr.items[1], scope));
  if (truthy(condition)) return evaluate(*expr.items[0], scope);
  if (expr.items[2] != nullptr) return evaluate(*expr.items[2], scope);
  return rt_.new_undefined("an inline if without else whose condition was false");
}

Result<Value> Interpreter::evaluate_access(const Expr& expr, Scope& scope) {
  BRISK_ASSIGN(const Value value, evaluate(*expr.items[0], scope));
  if (expr.kind == ExprKind::kAttribute) {
    return value.is(Kind::kTemplate) ? block_reference(expr.text, value.context)
                                     : get_attribute(rt_, value, expr.text);
  }
  BRISK_ASSIGN(const Value key, evaluate(*expr.items[1], scope));
  if (value.is(Kind::kTemplate) && key.is_string()) return block_reference(key.text(), value.context);
  return get_item(rt_, value, key);
}

Result<Value> Interpreter::evaluate_slice(const Expr& expr, Scope& scope) {
  Value parts[4];
  for (size_t i = 0; i < 4; ++i) {
    parts[i] = none();
    if (expr.items[i] == nullptr) continue;
    BRISK_ASSIGN(parts[i], evaluate(*expr.items[i], scope));
  }
  Result<Value> part = get_slice(rt_, parts[0], parts[1], parts[2], parts[3]);
  // The reference works out a constant slice as it does an item: what cannot be sliced gives undefined.
  const bool is_zero_step = parts[3].is_integral() && parts[3].as_int() == 0;
  if (part.ok() || !expr.is_constant || is_zero_step || parts[0].is_undefined()) return part;
  return rt_.new_undefined("a slice of something that has none");
}

Result<Value> Interpreter::apply_builtin(const Expr& expr, const Value& self, Scope& scope,
                                         std::string_view what) {
  if (expr.builtin == nullptr) {
    return fail("a known " + std::string(what), "'" + std::string(expr.text.substr(0, 60)) + "'");
  }
  BRISK_ASSIGN(const Arguments arguments, evaluate_arguments(expr, scope, nullptr));
  return call_builtin(rt_, *expr.builtin, self, arguments);
}

Result<Value> Interpreter::evaluate_filter(const Expr& expr, Scope& scope) {
  BRISK_ASSIGN(const Value self, evaluate(*expr.items[0], scope));
  return apply_builtin(expr, self, scope, "filter");
}

Result<Value> Interpreter::evaluate_test(const Expr& expr, Scope& scope) {
  BRISK_ASSIGN(const Value self, evaluate(*expr.items[0], scope));
  return apply_builtin(expr, self, scope, "test");
}

Result<Value> Interpreter::apply_filters(const Expr& chain, const Value& input, Scope& scope) {
  Value self = input;
  if (chain.items[0] != nullptr) {
    BRISK_ASSIGN(self, apply_filters(*chain.items[0], input, scope));
  }
  return apply_builtin(chain, self, scope, "filter");
}

}  // namespace brisk::text::tmpl
