// Expressions and calls.
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
    case ExprKind::kName: return variable(expr.name, scope);
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
  if (expr.kind == ExprKind::kConcat) return concatenate(rt_, items);
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
  if (expr.kind == ExprKind::kAttribute) return get_attribute(rt_, value, expr.text);
  BRISK_ASSIGN(const Value key, evaluate(*expr.items[1], scope));
  return get_item(rt_, value, key);
}

Result<Value> Interpreter::evaluate_slice(const Expr& expr, Scope& scope) {
  Value parts[4];
  for (size_t i = 0; i < 4; ++i) {
    parts[i] = none();
    if (expr.items[i] == nullptr) continue;
    BRISK_ASSIGN(parts[i], evaluate(*expr.items[i], scope));
  }
  return get_slice(rt_, parts[0], parts[1], parts[2], parts[3]);
}

Result<Arguments> Interpreter::evaluate_arguments(const Expr& expr, Scope& scope) {
  Arguments arguments;
  for (const Argument& argument : expr.arguments) {
    BRISK_ASSIGN(const Value value, evaluate(*argument.value, scope));
    switch (argument.kind) {
      case ArgumentKind::kPositional: arguments.positional.push_back(value); break;
      case ArgumentKind::kNamed: arguments.named.push_back({argument.name, value}); break;
      case ArgumentKind::kUnpackList: {
        BRISK_ASSIGN(const auto items, elements(rt_, value));
        BRISK_TRY(rt_.charge(static_cast<int64_t>(items.size())));
        arguments.positional.insert(arguments.positional.end(), items.begin(), items.end());
        break;
      }
      case ArgumentKind::kUnpackDict:
        if (!value.is(Kind::kDict)) return fail("a dictionary after '**'", std::string(type_name(value)));
        BRISK_TRY(rt_.charge(value.dict->size));
        for (const Dict::Entry& entry : value.dict->all()) {
          BRISK_ASSIGN(const std::string_view name, string_argument(entry.key, "the name of an argument"));
          arguments.named.push_back({name, entry.value});
        }
    }
  }
  return arguments;
}

Result<Value> Interpreter::evaluate_call(const Expr& expr, Scope& scope, const Value* caller) {
  BRISK_ASSIGN(const Value callee, evaluate(*expr.items[0], scope));
  BRISK_ASSIGN(Arguments arguments, evaluate_arguments(expr, scope));
  if (caller != nullptr) arguments.named.push_back({"caller", *caller});
  if (callee.is_undefined()) return undefined_error(callee);
  if (!callee.is(Kind::kCallable)) return fail("something to call", std::string(type_name(callee)));
  const Callable& callable = *callee.callable;
  if (callable.builtin != nullptr) return call_builtin(rt_, *callable.builtin, callable.self, arguments);
  return call_macro(callable, arguments);
}

Result<Value> Interpreter::call_macro(const Callable& callable, const Arguments& arguments) {
  BRISK_TRY(enter());
  const Nesting nesting(depth_);
  BRISK_TRY(rt_.charge(8));
  Scope* scope = new_scope(callable.scope);
  BRISK_TRY(bind_macro(*callable.macro, arguments, *scope));
  return capture(callable.macro->body, *scope);
}

Status Interpreter::bind_macro(const MacroDefinition& macro, const Arguments& arguments, Scope& scope) {
  const size_t count = macro.parameters.size();
  std::vector<bool> given(count);
  for (size_t i = 0; i < std::min(count, arguments.positional.size()); ++i) {
    BRISK_TRY(set_variable(scope, macro.parameters[i].name, arguments.positional[i]));
    given[i] = true;
  }
  if (macro.uses_varargs) {
    const std::span<const Value> all(arguments.positional);
    BRISK_ASSIGN(const Value rest, rt_.new_tuple(all.subspan(std::min(count, all.size()))));
    BRISK_TRY(set_variable(scope, varargs_, rest));
  } else if (arguments.positional.size() > count) {
    return fail("at most " + std::to_string(count) + " arguments for " + std::string(macro.name),
                std::to_string(arguments.positional.size()));
  }
  BRISK_TRY(bind_named(macro, arguments, given, scope));
  for (size_t i = 0; i < count; ++i) {
    if (given[i]) continue;
    const Parameter& parameter = macro.parameters[i];
    Value value;
    if (parameter.fallback != nullptr) {
      BRISK_ASSIGN(value, evaluate(*parameter.fallback, scope));
    } else {
      BRISK_ASSIGN(value,
                   rt_.undefined_because("parameter '" +
                                         std::string(program_.names[static_cast<size_t>(parameter.name)]) +
                                         "' was not provided"));
    }
    BRISK_TRY(set_variable(scope, parameter.name, value));
  }
  return {};
}

Status Interpreter::bind_named(const MacroDefinition& macro, const Arguments& arguments,
                               std::vector<bool>& given, Scope& scope) {
  // Inside the body of a call block, `caller` still means the one of the macro around it.
  const bool takes_caller = caller_ >= 0 && macro.name != "caller";
  if (takes_caller) BRISK_TRY(set_variable(scope, caller_, rt_.new_undefined("no caller is defined")));
  BRISK_ASSIGN(Dict* const rest, rt_.new_dict());
  for (const NamedValue& named : arguments.named) {
    BRISK_TRY(rt_.charge(1 + static_cast<int64_t>(macro.parameters.size() / 8)));
    const auto is_named = [&](const Parameter& parameter) {
      return program_.names[static_cast<size_t>(parameter.name)] == named.name;
    };
    const auto found = std::find_if(macro.parameters.begin(), macro.parameters.end(), is_named);
    if (found != macro.parameters.end()) {
      const auto index = static_cast<size_t>(found - macro.parameters.begin());
      if (given[index])
        return fail("one value for each parameter", "two for '" + std::string(named.name) + "'");
      given[index] = true;
      BRISK_TRY(set_variable(scope, found->name, named.value));
    } else if (named.name == "caller") {
      if (takes_caller) BRISK_TRY(set_variable(scope, caller_, named.value));
    } else if (macro.uses_kwargs) {
      BRISK_TRY(rt_.set_item(*rest, of(named.name), named.value));
    } else {
      return fail("a parameter of " + std::string(macro.name), "'" + std::string(named.name) + "'");
    }
  }
  return macro.uses_kwargs ? set_variable(scope, kwargs_, of(rest)) : Status();
}

Result<Value> Interpreter::apply_builtin(const Expr& expr, const Value& self, Scope& scope,
                                         std::string_view what) {
  if (expr.builtin == nullptr) {
    return fail("a known " + std::string(what), "'" + std::string(expr.text.substr(0, 60)) + "'");
  }
  BRISK_ASSIGN(const Arguments arguments, evaluate_arguments(expr, scope));
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
