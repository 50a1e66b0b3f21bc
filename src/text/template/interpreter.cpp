// Statements and variables.
#include "text/template/interpreter.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "text/template/operators.hpp"
#include "text/template/print.hpp"

namespace brisk::text::tmpl {

Result<std::string> Interpreter::run(const Json& variables) {
  BRISK_TRY(import_variables(variables));
  BRISK_ASSIGN(root_, new_scope(program_.root, nullptr));
  if (root_->layout->self >= 0) root_->slots[root_->layout->self].kind = Kind::kTemplate;
  BRISK_TRY(run_body(program_.body, *root_));
  return std::move(output_);
}

Status Interpreter::import_variables(const Json& variables) {
  globals_.resize(program_.names.size());
  for (size_t i = 0; i < program_.names.size(); ++i) {
    const std::string_view name = program_.names[i];
    if (const auto it = variables.find(std::string(name)); it != variables.end()) {
      BRISK_ASSIGN(globals_[i], from_json(rt_, *it));
    } else if (const Builtin* function = find_builtin(global_functions(), name)) {
      BRISK_ASSIGN(globals_[i], rt_.bound_method(*function, Value()));
    }
  }
  return {};
}

Status Interpreter::enter() {
  if (depth_ < program_.limits.depth) return rt_.charge(1);
  return fail("nesting of at most " + std::to_string(program_.limits.depth) + " levels", "a deeper level",
              "a template whose macros do not call themselves without end");
}

// --- variables ---

Value Interpreter::from_context(NameId name, const Scope& scope) const {
  if (scope.context != nullptr) {
    if (const Value* found = scope.context->find(of(int64_t{name}))) return *found;
  }
  return globals_[static_cast<size_t>(name)];
}

Value& Interpreter::slot(const VariableRef& ref, Scope& scope) const {
  Scope* at = &scope;
  for (int32_t hops = ref.hops; hops > 0; --hops) at = at->parent;
  return at->slots[ref.slot];
}

Result<Scope*> Interpreter::new_scope(ScopeId id, Scope* parent) {
  const ScopeLayout& layout = program_.scopes[static_cast<size_t>(id)];
  const size_t count = layout.slots.size();
  BRISK_TRY(rt_.charge(4 + static_cast<int64_t>(count)));
  Scope* scope = rt_.create(Scope{parent, &layout, nullptr, parent == nullptr ? nullptr : parent->context});
  scope->slots = static_cast<Value*>(rt_.arena().allocate(count * sizeof(Value), alignof(Value)));
  std::uninitialized_default_construct_n(scope->slots, count);
  start_variables(*scope);
  return scope;
}

void Interpreter::start_variables(Scope& scope) const {
  for (size_t i = 0; i < scope.layout->slots.size(); ++i) {
    const ScopeLayout::Slot& from = scope.layout->slots[i];
    switch (from.start) {
      case Start::kMissing: scope.slots[i] = Value(); break;
      case Start::kContext: scope.slots[i] = from_context(from.name, scope); break;
      case Start::kOuter: scope.slots[i] = slot(from.outer, scope); break;
      case Start::kGiven: break;
    }
  }
}

Result<Value> Interpreter::variable(const Expr& name, Scope& scope) {
  const Value& value = slot(name.use, scope);
  if (!value.is_missing()) return value;
  return rt_.undefined_because("'" + std::string(name.text) + "' is undefined");
}

Status Interpreter::assign(const Target& target, const Value& value, Scope& scope) {
  if (target.parts.empty()) {
    if (!target.attribute.empty()) return assign_attribute(target, value, scope);
    slot(target.use, scope) = value;
    if (&scope == root_) globals_[static_cast<size_t>(target.name)] = value;
    return {};
  }
  BRISK_ASSIGN(const auto items, elements(rt_, value));
  if (items.size() != target.parts.size()) {
    return fail(std::to_string(target.parts.size()) + " values to unpack", std::to_string(items.size()));
  }
  for (size_t i = 0; i < items.size(); ++i) BRISK_TRY(assign(target.parts[i], items[i], scope));
  return {};
}

Status Interpreter::assign_attribute(const Target& target, const Value& value, Scope& scope) {
  const Value& holder = slot(target.use, scope);
  if (!holder.is(Kind::kNamespace)) {
    return fail("a namespace to assign an attribute of", std::string(type_name(holder)), "namespace(...)");
  }
  if (target.attribute.starts_with("_")) {
    return fail("attributes that do not begin with '_'", std::string(target.attribute));
  }
  return rt_.set_item(holder.names->attributes, of(target.attribute), value);
}

const Callable* Interpreter::define_macro(const MacroDefinition& macro, Scope& scope) {
  Callable callable;
  callable.macro = &macro;
  callable.scope = &scope;
  return rt_.create(callable);
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
    case StmtKind::kText: BRISK_TRY(emit(of(stmt.text), Escaping::kNo)); break;
    case StmtKind::kOutput: {
      BRISK_ASSIGN(const Value value, evaluate(*stmt.expr, scope));
      BRISK_TRY(emit(value, stmt.escaping));
      break;
    }
    case StmtKind::kIf: return run_if(stmt, scope);
    case StmtKind::kFor: return run_for(stmt, scope);
    case StmtKind::kSet: {
      BRISK_ASSIGN(const Value value, evaluate(*stmt.expr, scope));
      BRISK_TRY(assign(stmt.target, value, scope));
      break;
    }
    case StmtKind::kSetBlock: return run_set_block(stmt, scope);
    case StmtKind::kWith: return run_with(stmt, scope);
    case StmtKind::kAutoescape: return run_autoescape(stmt, scope);
    case StmtKind::kGeneration: BRISK_TRY(run_generation(stmt, scope)); break;
    case StmtKind::kMacro:
      BRISK_TRY(rt_.charge(4));
      BRISK_TRY(assign(stmt.target, of(define_macro(stmt.macro, scope)), scope));
      break;
    case StmtKind::kCallBlock: BRISK_TRY(run_call_block(stmt, scope)); break;
    case StmtKind::kFilterBlock: return run_filter_block(stmt, scope);
    case StmtKind::kBlock: BRISK_TRY(run_block(stmt, scope)); break;
    case StmtKind::kExtends:
    case StmtKind::kInclude:
    case StmtKind::kImport: BRISK_TRY(run_include(stmt, scope)); break;
    case StmtKind::kBreak: return Flow::kBreak;
    case StmtKind::kContinue: return Flow::kContinue;
  }
  return Flow::kNext;
}

bool Interpreter::escapes(Escaping escaping) const {
  return escaping == Escaping::kAsk ? rt_.autoescape : escaping == Escaping::kYes;
}

Status Interpreter::emit(const Value& value, Escaping escaping) {
  if (escapes(escaping)) {
    BRISK_ASSIGN(const Value escaped, escaped_text(rt_, value));
    BRISK_TRY(append_str(rt_, *out_, escaped));
  } else {
    BRISK_TRY(append_str(rt_, *out_, value));
  }
  if (out_->size() <= program_.limits.output_bytes) return {};
  return fail("output of at most " + std::to_string(program_.limits.output_bytes) + " bytes", "more");
}

Status Interpreter::emit_text(const Value& value) {
  if (value.is_string()) return emit(value, Escaping::kNo);
  return fail("text for the output of the block", std::string(type_name(value)));
}

Result<Interpreter::Flow> Interpreter::capture(const Body& body, Scope& scope, Value& text) {
  std::string written;
  std::string* const outer = std::exchange(out_, &written);
  const Result<Flow> flow = run_body(body, scope);
  out_ = outer;
  BRISK_TRY(flow);
  BRISK_ASSIGN(text, rt_.copy_string(written));
  return flow;
}

Result<Value> Interpreter::as_markup(Value text) {
  BRISK_ASSIGN(text, to_str(rt_, text));
  text.markup = true;
  return text;
}

Result<Interpreter::Flow> Interpreter::run_if(const Stmt& stmt, Scope& scope) {
  for (const Branch& branch : stmt.branches) {
    BRISK_ASSIGN(const Value condition, evaluate(*branch.condition, scope));
    if (truthy(condition)) return run_body(branch.body, scope);
  }
  return run_body(stmt.body, scope);
}

Result<Interpreter::Flow> Interpreter::run_with(const Stmt& stmt, Scope& scope) {
  BRISK_ASSIGN(Scope* const inner, new_scope(stmt.scope, &scope));
  for (const auto& [target, expr] : stmt.assignments) {
    BRISK_ASSIGN(const Value value, evaluate(*expr, scope));
    BRISK_TRY(assign(target, value, *inner));
  }
  return run_body(stmt.body, *inner);
}

Result<Interpreter::Flow> Interpreter::run_autoescape(const Stmt& stmt, Scope& scope) {
  BRISK_ASSIGN(Scope* const inner, new_scope(stmt.scope, &scope));
  BRISK_ASSIGN(const Value wanted, evaluate(*stmt.expr, *inner));
  const bool outer = std::exchange(rt_.autoescape, truthy(wanted));
  const Result<Flow> flow = run_body(stmt.body, *inner);
  // A break leaves the mode as it is, as it does in the reference.
  if (flow.ok() && *flow == Flow::kNext) rt_.autoescape = outer;
  return flow;
}

Result<Interpreter::Flow> Interpreter::run_set_block(const Stmt& stmt, Scope& scope) {
  BRISK_ASSIGN(Scope* const inner, new_scope(stmt.scope, &scope));
  Value value;
  BRISK_ASSIGN(const Flow flow, capture(stmt.body, *inner, value));
  if (flow != Flow::kNext) return flow;
  if (stmt.expr != nullptr) {
    value.markup = escapes(stmt.escaping);
    BRISK_ASSIGN(value, apply_filters(*stmt.expr, value, *inner));
  }
  if (rt_.autoescape) {
    BRISK_ASSIGN(value, as_markup(value));
  }
  BRISK_TRY(assign(stmt.target, value, scope));
  return flow;
}

Result<Interpreter::Flow> Interpreter::run_filter_block(const Stmt& stmt, Scope& scope) {
  BRISK_ASSIGN(Scope* const inner, new_scope(stmt.scope, &scope));
  Value text;
  BRISK_ASSIGN(const Flow flow, capture(stmt.body, *inner, text));
  if (flow != Flow::kNext) return flow;
  text.markup = escapes(stmt.escaping);
  BRISK_ASSIGN(const Value value, apply_filters(*stmt.expr, text, *inner));
  BRISK_TRY(emit_text(value));
  return flow;
}

Status Interpreter::run_generation(const Stmt& stmt, Scope& scope) {
  BRISK_ASSIGN(Scope* const inner, new_scope(stmt.macro.scope, &scope));
  Arguments nothing;
  BRISK_TRY(give_specials(stmt.macro, nothing, *inner));
  BRISK_TRY(run_body(stmt.macro.body, *inner));
  return {};
}

Status Interpreter::run_call_block(const Stmt& stmt, Scope& scope) {
  BRISK_TRY(rt_.charge(4));
  const Value caller = of(define_macro(stmt.macro, scope));
  BRISK_ASSIGN(const Value value, evaluate_call(*stmt.expr, scope, &caller));
  return emit_text(value);
}

Status Interpreter::run_block(const Stmt& stmt, Scope& scope) {
  if (stmt.required) return fail("a template that fills the block", "a required block without content");
  Dict* context = scope.context;
  if (stmt.scoped) {
    BRISK_ASSIGN(context, visible_variables(scope));
  }
  return render_block(stmt, context);
}

Status Interpreter::run_include(const Stmt& stmt, Scope& scope) {
  BRISK_ASSIGN(const Value name, evaluate(*stmt.expr, scope));
  if (name.is_undefined()) return undefined_error(name);
  const bool is_empty = name.is(Kind::kSequence) && name.sequence->size == 0;
  if (stmt.ignore_missing && is_empty) return {};
  return fail("a template that stands alone", "one that includes, imports or extends another",
              "writing the other template's text into this one");
}

}  // namespace brisk::text::tmpl
