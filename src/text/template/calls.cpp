// Calls of functions, methods, macros and blocks.
#include <algorithm>
#include <utility>

#include "text/template/interpreter.hpp"
#include "text/template/markup.hpp"
#include "text/template/operators.hpp"

namespace brisk::text::tmpl {

Result<Arguments> Interpreter::evaluate_arguments(const Expr& expr, Scope& scope, const Value* caller) {
  Arguments arguments;
  const auto give_caller = [&] {
    if (caller != nullptr) arguments.named.push_back({kSpecialNames[kCallerName], *caller});
    caller = nullptr;
  };
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
      case ArgumentKind::kUnpackDict: {
        if (!value.is(Kind::kDict)) return fail("a dictionary after '**'", std::string(type_name(value)));
        give_caller();
        const size_t written = arguments.named.size();
        BRISK_TRY(rt_.charge(static_cast<int64_t>((1 + written) * value.dict->size)));
        for (const Dict::Entry& entry : value.dict->all()) {
          BRISK_ASSIGN(const std::string_view name, string_argument(entry.key, "the name of an argument"));
          for (size_t i = 0; i < written; ++i) {
            if (arguments.named[i].name == name) return fail("each argument once", "one twice");
          }
          arguments.named.push_back({name, entry.value});
        }
      }
    }
  }
  give_caller();
  return arguments;
}

Result<Value> Interpreter::evaluate_call(const Expr& expr, Scope& scope, const Value* caller) {
  BRISK_ASSIGN(const Value callee, evaluate(*expr.items[0], scope));
  BRISK_ASSIGN(Arguments arguments, evaluate_arguments(expr, scope, caller));
  return call(callee, arguments);
}

Result<Value> Interpreter::call(const Value& callee, Arguments& arguments) {
  if (callee.is_undefined()) return undefined_error(callee);
  if (callee.is(Kind::kLoop)) return call_loop(*callee.loop, arguments);
  if (callee.is(Kind::kHelper) && callee.helper->cycled == nullptr) {
    if (!arguments.positional.empty() || !arguments.named.empty()) return fail("no arguments", "some");
    return callee.helper->position++ == 0 ? of(std::string_view()) : callee.helper->separator;
  }
  if (!callee.is(Kind::kCallable)) return fail("something to call", std::string(type_name(callee)));
  const Callable& callable = *callee.callable;
  if (callable.builtin != nullptr) {
    if (callable.self.markup) return call_markup_method(rt_, *callable.builtin, callable.self, arguments);
    return call_builtin(rt_, *callable.builtin, callable.self, arguments);
  }
  return callable.block != nullptr ? call_block(callable, arguments) : call_macro(callable, arguments);
}

// --- macros ---

Result<Value> Interpreter::call_macro(const Callable& callable, Arguments& arguments) {
  BRISK_TRY(enter());
  const Nesting nesting(depth_);
  BRISK_ASSIGN(Scope* const scope, new_scope(callable.macro->scope, callable.scope));
  const bool autoescape = rt_.autoescape;
  BRISK_TRY(bind_macro(*callable.macro, arguments, *scope));
  Value text;
  BRISK_TRY(capture(callable.macro->body, *scope, text));
  text.markup = autoescape;
  return text;
}

Status Interpreter::bind_macro(const MacroDefinition& macro, Arguments& arguments, Scope& scope) {
  auto& named = arguments.named;
  const size_t count = macro.parameters.size();
  for (size_t i = 0; i < count; ++i) {
    if (i < arguments.positional.size()) {
      scope.slots[i] = arguments.positional[i];
      continue;
    }
    BRISK_TRY(rt_.charge(1 + static_cast<int64_t>(named.size() / 8)));
    const std::string_view name = program_.names[static_cast<size_t>(macro.parameters[i].name)];
    const auto it =
        std::find_if(named.begin(), named.end(), [&](const NamedValue& value) { return value.name == name; });
    if (it == named.end()) continue;
    scope.slots[i] = it->value;
    named.erase(it);
  }
  BRISK_TRY(give_specials(macro, arguments, scope));
  return give_defaults(macro, scope);
}

Status Interpreter::give_specials(const MacroDefinition& macro, Arguments& arguments, Scope& scope) {
  const ScopeLayout& layout = *scope.layout;
  auto& named = arguments.named;
  if (layout.caller >= 0) {
    Value& caller = scope.slots[layout.caller];
    caller = rt_.new_undefined("no caller is defined");
    const auto is_caller = [](const NamedValue& value) { return value.name == kSpecialNames[kCallerName]; };
    const auto it = std::find_if(named.begin(), named.end(), is_caller);
    if (it != named.end()) {
      if (!it->value.is_none()) caller = it->value;
      named.erase(it);
    }
  }
  if (layout.kwargs >= 0) {
    BRISK_ASSIGN(Dict* const rest, rt_.new_dict());
    for (const NamedValue& value : named) BRISK_TRY(rt_.set_item(*rest, of(value.name), value.value));
    scope.slots[layout.kwargs] = of(rest);
  } else if (!named.empty()) {
    return fail("a parameter of " + std::string(macro.name),
                "'" + std::string(named[0].name.substr(0, 60)) + "'");
  }
  const size_t count = macro.parameters.size();
  if (layout.varargs >= 0) {
    const std::span<const Value> all(arguments.positional);
    BRISK_ASSIGN(scope.slots[layout.varargs], rt_.new_tuple(all.subspan(std::min(count, all.size()))));
  } else if (arguments.positional.size() > count) {
    return fail("at most " + std::to_string(count) + " arguments for " + std::string(macro.name),
                std::to_string(arguments.positional.size()));
  }
  return {};
}

Status Interpreter::give_defaults(const MacroDefinition& macro, Scope& scope) {
  for (size_t i = 0; i < macro.parameters.size(); ++i) {
    if (!scope.slots[i].is_missing()) continue;
    const Parameter& parameter = macro.parameters[i];
    Value value;
    if (parameter.fallback != nullptr) {
      BRISK_ASSIGN(value, evaluate(*parameter.fallback, scope));
    } else {
      const std::string_view name = program_.names[static_cast<size_t>(parameter.name)];
      BRISK_ASSIGN(value, rt_.undefined_because("parameter '" + std::string(name) + "' was not provided"));
    }
    scope.slots[i] = value;
  }
  return {};
}

// --- blocks ---

Status Interpreter::render_block(const Stmt& block, Dict* context) {
  BRISK_TRY(enter());
  const Nesting nesting(depth_);
  const ScopeLayout& layout = program_.scopes[static_cast<size_t>(block.scope)];
  Scope around;  // only passes the context on
  around.layout = &layout;
  around.context = context;
  BRISK_ASSIGN(Scope* const scope, new_scope(block.scope, &around));
  scope->parent = nullptr;
  if (layout.self >= 0) {
    scope->slots[layout.self].kind = Kind::kTemplate;
    scope->slots[layout.self].context = context;
  }
  if (layout.super >= 0) scope->slots[layout.super] = rt_.new_undefined("there is no parent block");
  BRISK_TRY(run_body(block.body, *scope));
  return {};
}

Result<Value> Interpreter::call_block(const Callable& block, const Arguments& arguments) {
  if (!arguments.positional.empty() || !arguments.named.empty()) return fail("no arguments", "some");
  std::string written;
  std::string* const outer = std::exchange(out_, &written);
  const Status status = render_block(*block.block, block.context);
  out_ = outer;
  BRISK_TRY(status);
  BRISK_ASSIGN(Value text, rt_.copy_string(written));
  text.markup = rt_.autoescape;
  return text;
}

Value Interpreter::block_reference(std::string_view name, Dict* context) {
  const auto has_name = [&](const Stmt* block) { return block->text == name; };
  const auto it = std::find_if(program_.blocks.begin(), program_.blocks.end(), has_name);
  if (it == program_.blocks.end()) return rt_.new_undefined("a block of another name");
  Callable callable;
  callable.block = *it;
  callable.context = context;
  return of(static_cast<const Callable*>(rt_.create(callable)));
}

Result<Dict*> Interpreter::visible_variables(Scope& scope) {
  BRISK_ASSIGN(Dict* const visible, rt_.new_dict());
  if (scope.context != nullptr) {
    for (const Dict::Entry& entry : scope.context->all()) {
      BRISK_TRY(rt_.set_item(*visible, entry.key, entry.value));
    }
  }
  std::vector<const Scope*> scopes;
  for (const Scope* at = &scope; at != nullptr; at = at->parent) scopes.push_back(at);
  for (auto it = scopes.rbegin(); it != scopes.rend(); ++it) {
    const auto& slots = (*it)->layout->slots;
    for (size_t i = 0; i < slots.size(); ++i) {
      BRISK_TRY(rt_.charge(1));
      const Value& value = (*it)->slots[i];
      if (!slots[i].assigned || value.is_missing()) continue;
      BRISK_TRY(rt_.set_item(*visible, of(int64_t{slots[i].name}), value));
    }
  }
  return visible;
}

}  // namespace brisk::text::tmpl
