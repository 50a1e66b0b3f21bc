// Statements and variables.
#include "text/template/interpreter.hpp"

#include <algorithm>
#include <memory>

#include "text/template/operators.hpp"
#include "text/template/print.hpp"

namespace brisk::text::tmpl {

Result<std::string> Interpreter::run(const Json& variables) {
  BRISK_TRY(import_variables(variables));
  Scope* root = new_scope(nullptr);
  BRISK_TRY(run_body(program_.body, *root));
  return std::move(output_);
}

Status Interpreter::import_variables(const Json& variables) {
  globals_.resize(program_.names.size());
  is_defined_.resize(program_.names.size());
  for (size_t i = 0; i < program_.names.size(); ++i) {
    const std::string_view name = program_.names[i];
    const auto id = static_cast<NameId>(i);
    if (name == "loop") loop_ = id;
    if (name == "caller") caller_ = id;
    if (name == "varargs") varargs_ = id;
    if (name == "kwargs") kwargs_ = id;
    if (const auto it = variables.find(std::string(name)); it != variables.end()) {
      BRISK_ASSIGN(globals_[i], from_json(rt_, *it));
    } else if (const Builtin* function = find_builtin(global_functions(), name)) {
      BRISK_ASSIGN(globals_[i], rt_.bound_method(*function, Value()));
    } else {
      continue;
    }
    is_defined_[i] = true;
  }
  return {};
}

Status Interpreter::enter() {
  if (depth_ < program_.limits.depth) return rt_.charge(1);
  return fail("nesting of at most " + std::to_string(program_.limits.depth) + " levels", "a deeper level",
              "a template whose macros do not call themselves without end");
}

// --- variables ---

Scope* Interpreter::new_scope(Scope* parent) { return rt_.create(Scope{parent, nullptr, 0, 0, false}); }

Status Interpreter::set_variable(Scope& scope, NameId name, const Value& value) {
  if (scope.parent == nullptr) {
    globals_[static_cast<size_t>(name)] = value;
    is_defined_[static_cast<size_t>(name)] = true;
    return {};
  }
  BRISK_TRY(rt_.charge(1 + scope.size / 16));
  for (uint32_t i = 0; i < scope.size; ++i) {
    if (scope.variables[i].name != name) continue;
    scope.variables[i].value = value;
    return {};
  }
  if (scope.size == scope.capacity) {
    scope.capacity = scope.capacity == 0 ? 4 : scope.capacity * 2;
    BRISK_TRY(rt_.charge(scope.capacity));
    auto* grown = static_cast<Scope::Variable*>(
        rt_.arena().allocate(scope.capacity * sizeof(Scope::Variable), alignof(Scope::Variable)));
    std::uninitialized_copy_n(scope.variables, scope.size, grown);
    scope.variables = grown;
  }
  new (&scope.variables[scope.size++]) Scope::Variable{name, value};
  return {};
}

Result<Value> Interpreter::variable(NameId name, const Scope& scope) {
  for (const Scope* at = &scope; at != nullptr; at = at->parent) {
    BRISK_TRY(rt_.charge(at->size / 16));
    for (uint32_t i = 0; i < at->size; ++i) {
      if (at->variables[i].name == name) return at->variables[i].value;
    }
  }
  const auto index = static_cast<size_t>(name);
  if (is_defined_[index]) return globals_[index];
  return rt_.undefined_because("'" + std::string(program_.names[index]) + "' is undefined");
}

Status Interpreter::assign(const Target& target, const Value& value, Scope& scope) {
  if (target.parts.empty()) {
    return target.attribute.empty() ? set_variable(scope, target.name, value)
                                    : assign_attribute(target, value, scope);
  }
  BRISK_ASSIGN(const auto items, elements(rt_, value));
  if (items.size() != target.parts.size()) {
    return fail(std::to_string(target.parts.size()) + " values to unpack", std::to_string(items.size()));
  }
  for (size_t i = 0; i < items.size(); ++i) BRISK_TRY(assign(target.parts[i], items[i], scope));
  return {};
}

Status Interpreter::assign_attribute(const Target& target, const Value& value, Scope& scope) {
  BRISK_ASSIGN(const Value holder, variable(target.name, scope));
  if (!holder.is(Kind::kNamespace)) {
    return fail("a namespace to assign an attribute of", std::string(type_name(holder)), "namespace(...)");
  }
  if (target.attribute.starts_with("_")) {
    return fail("attributes that do not begin with '_'", std::string(target.attribute));
  }
  return rt_.set_item(holder.names->attributes, of(target.attribute), value);
}

const Callable* Interpreter::define_macro(const MacroDefinition& macro, Scope& scope) {
  for (Scope* at = &scope; at != nullptr; at = at->parent) at->captured = true;
  return rt_.create(Callable{nullptr, Value(), &macro, &scope});
}

// --- statements ---

Result<Interpreter::Flow> Interpreter::run_body(const Body& body, Scope& scope) {
  BRISK_TRY(enter());
  const Nesting nesting(depth_);
  for (const Stmt* stmt : body) {
    BRISK_TRY(rt_.charge(1));
    Result<Flow> flow = run_statement(*stmt, scope);
    if (!flow.ok()) return locate(program_, stmt->offset, flow.status());
    if (*flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::run_statement(const Stmt& stmt, Scope& scope) {
  switch (stmt.kind) {
    case StmtKind::kText: BRISK_TRY(emit(of(stmt.text))); break;
    case StmtKind::kOutput: {
      BRISK_ASSIGN(const Value value, evaluate(*stmt.expr, scope));
      BRISK_TRY(emit(value));
      break;
    }
    case StmtKind::kIf: return run_if(stmt, scope);
    case StmtKind::kFor: return run_for(stmt, scope);
    case StmtKind::kSet:
    case StmtKind::kSetBlock: BRISK_TRY(run_set(stmt, scope)); break;
    case StmtKind::kWith:
    case StmtKind::kScope: return run_scoped(stmt, scope);
    case StmtKind::kMacro:
      BRISK_TRY(rt_.charge(4));
      BRISK_TRY(set_variable(scope, stmt.target.name, of(define_macro(stmt.macro, scope))));
      break;
    case StmtKind::kCallBlock: BRISK_TRY(run_call_block(stmt, scope)); break;
    case StmtKind::kFilterBlock: BRISK_TRY(run_filter_block(stmt, scope)); break;
    case StmtKind::kBreak: return Flow::kBreak;
    case StmtKind::kContinue: return Flow::kContinue;
  }
  return Flow::kNext;
}

Status Interpreter::emit(const Value& value) {
  BRISK_TRY(append_str(rt_, *out_, value));
  if (out_->size() <= program_.limits.output_bytes) return {};
  return fail("output of at most " + std::to_string(program_.limits.output_bytes) + " bytes", "more");
}

Result<Value> Interpreter::capture(const Body& body, Scope& scope) {
  std::string text;
  std::string* const outer = std::exchange(out_, &text);
  const Result<Flow> flow = run_body(body, scope);
  out_ = outer;
  BRISK_TRY(flow);
  return rt_.copy_string(text);
}

Result<Interpreter::Flow> Interpreter::run_if(const Stmt& stmt, Scope& scope) {
  for (const Branch& branch : stmt.branches) {
    BRISK_ASSIGN(const Value condition, evaluate(*branch.condition, scope));
    if (truthy(condition)) return run_body(branch.body, scope);
  }
  return run_body(stmt.body, scope);
}

Result<std::span<const Value>> Interpreter::loop_items(const Stmt& stmt, Scope& scope) {
  BRISK_ASSIGN(const Value iterable, evaluate(*stmt.expr, scope));
  BRISK_ASSIGN(const auto items, elements(rt_, iterable));
  if (stmt.condition == nullptr) return items;
  Scope* inner = new_scope(&scope);
  std::vector<Value> kept;
  for (const Value& item : items) {
    BRISK_TRY(assign(stmt.target, item, *inner));
    BRISK_ASSIGN(const Value condition, evaluate(*stmt.condition, *inner));
    if (truthy(condition)) kept.push_back(item);
  }
  BRISK_ASSIGN(const Value list, rt_.new_list(kept));
  return list.sequence->all();
}

Result<Interpreter::Flow> Interpreter::run_for(const Stmt& stmt, Scope& scope) {
  BRISK_ASSIGN(const auto items, loop_items(stmt, scope));
  if (items.empty()) return run_body(stmt.otherwise, scope);
  BRISK_TRY(rt_.charge(8));
  Loop* loop = rt_.create(Loop{items, 0, 0, Value()});
  Scope* inner = new_scope(&scope);
  for (const Value& item : items) {
    if (inner->captured) {
      inner = new_scope(&scope);
    } else {
      inner->size = 0;
    }
    BRISK_TRY(rt_.charge(1));
    if (loop_ >= 0) BRISK_TRY(set_variable(*inner, loop_, of(loop)));
    BRISK_TRY(assign(stmt.target, item, *inner));
    BRISK_ASSIGN(const Flow flow, run_body(stmt.body, *inner));
    if (flow == Flow::kBreak) break;
    ++loop->index0;
  }
  return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::run_scoped(const Stmt& stmt, Scope& scope) {
  BRISK_TRY(rt_.charge(4));
  Scope* inner = new_scope(&scope);
  for (const auto& [target, expr] : stmt.assignments) {
    BRISK_ASSIGN(const Value value, evaluate(*expr, scope));
    BRISK_TRY(assign(target, value, *inner));
  }
  return run_body(stmt.body, *inner);
}

Status Interpreter::run_set(const Stmt& stmt, Scope& scope) {
  if (stmt.kind == StmtKind::kSet) {
    BRISK_ASSIGN(const Value value, evaluate(*stmt.expr, scope));
    return assign(stmt.target, value, scope);
  }
  Scope* inner = new_scope(&scope);
  BRISK_ASSIGN(Value value, capture(stmt.body, *inner));
  if (stmt.expr != nullptr) {
    BRISK_ASSIGN(value, apply_filters(*stmt.expr, value, scope));
  }
  return assign(stmt.target, value, scope);
}

Status Interpreter::run_call_block(const Stmt& stmt, Scope& scope) {
  BRISK_TRY(rt_.charge(4));
  const Value caller = of(define_macro(stmt.macro, scope));
  BRISK_ASSIGN(const Value value, evaluate_call(*stmt.expr, scope, &caller));
  return emit(value);
}

Status Interpreter::run_filter_block(const Stmt& stmt, Scope& scope) {
  BRISK_TRY(rt_.charge(4));
  Scope* inner = new_scope(&scope);
  BRISK_ASSIGN(const Value text, capture(stmt.body, *inner));
  BRISK_ASSIGN(const Value value, apply_filters(*stmt.expr, text, scope));
  return emit(value);
}

}  // namespace brisk::text::tmpl
