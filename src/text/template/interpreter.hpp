// Walks the syntax tree: one Interpreter is one rendering. interpreter.cpp runs statements, loops.cpp loops,
// evaluate.cpp evaluates expressions, calls.cpp calls macros, blocks and functions.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "text/template/ast.hpp"
#include "text/template/runtime.hpp"

namespace brisk::text::tmpl {

/// The variables of a running body, in the arena; their places are in the layout. A loop uses one scope for
/// all its rounds: a macro written inside sees the current one.
struct Scope {
  Scope* parent = nullptr;
  const ScopeLayout* layout = nullptr;
  Value* slots = nullptr;
  Dict* context = nullptr;  // of a scoped block: what it sees besides the caller's variables, by NameId
};

class Interpreter {
 public:
  explicit Interpreter(const Program& program) : program_(program), rt_(program.limits) {}

  Result<std::string> run(const Json& variables);

 private:
  enum class Flow : uint8_t { kNext, kBreak, kContinue };

  // Statements.
  Result<Flow> run_body(const Body& body, Scope& scope);
  Result<Flow> run_statement(const Stmt& stmt, Scope& scope);
  Result<Flow> run_if(const Stmt& stmt, Scope& scope);
  Result<Flow> run_for(const Stmt& stmt, Scope& scope);
  Result<Flow> run_with(const Stmt& stmt, Scope& scope);
  Result<Flow> run_autoescape(const Stmt& stmt, Scope& scope);
  Result<Flow> run_set_block(const Stmt& stmt, Scope& scope);
  Result<Flow> run_filter_block(const Stmt& stmt, Scope& scope);
  Status run_generation(const Stmt& stmt, Scope& scope);
  Status run_call_block(const Stmt& stmt, Scope& scope);
  Status run_block(const Stmt& stmt, Scope& scope);
  Status run_include(const Stmt& stmt, Scope& scope);
  Status emit(const Value& value, Escaping escaping);
  /// What a call or filter block comes to, which must be a string.
  Status emit_text(const Value& value);
  bool escapes(Escaping escaping) const;
  /// What the body writes, as a string.
  Result<Flow> capture(const Body& body, Scope& scope, Value& text);
  Result<Value> as_markup(Value text);

  // Loops.
  class FilteredItems;
  Result<Flow> run_loop(const Stmt& stmt, Scope& scope, const Value& iterable, int64_t depth0);
  Result<Flow> run_rounds(const Stmt& stmt, Scope& scope, Loop& loop, LoopItems& items);
  Result<Value> call_loop(const Loop& loop, const Arguments& arguments);

  // Variables.
  Status import_variables(const Json& variables);
  Status assign(const Target& target, const Value& value, Scope& scope);
  Status assign_attribute(const Target& target, const Value& value, Scope& scope);
  Value& slot(const VariableRef& ref, Scope& scope) const;
  Value& slot(UseId use, Scope& scope) const { return slot(program_.uses[static_cast<size_t>(use)], scope); }
  Result<Value> variable(const Expr& name, Scope& scope);
  /// What the caller (or a scoped block) has under the name; missing when there is nothing.
  Value from_context(NameId name, const Scope& scope) const;
  /// A scope whose variables are as they start, but for those that its maker gives.
  Result<Scope*> new_scope(ScopeId id, Scope* parent);
  void start_variables(Scope& scope) const;
  const Callable* define_macro(const MacroDefinition& macro, Scope& scope);

  // Expressions.
  Result<Value> evaluate(const Expr& expr, Scope& scope);
  Result<Value> evaluate_kind(const Expr& expr, Scope& scope);
  Result<Value> evaluate_items(const Expr& expr, Scope& scope);
  Result<Value> evaluate_dict(const Expr& expr, Scope& scope);
  Result<Value> evaluate_unary(const Expr& expr, Scope& scope);
  Result<Value> evaluate_binary(const Expr& expr, Scope& scope);
  Result<Value> evaluate_logical(const Expr& expr, Scope& scope);
  Result<Value> evaluate_comparison(const Expr& expr, Scope& scope);
  Result<Value> evaluate_conditional(const Expr& expr, Scope& scope);
  Result<Value> evaluate_access(const Expr& expr, Scope& scope);
  Result<Value> evaluate_slice(const Expr& expr, Scope& scope);
  Result<Value> evaluate_filter(const Expr& expr, Scope& scope);
  Result<Value> evaluate_test(const Expr& expr, Scope& scope);
  /// The filters of a block, applied to what it wrote.
  Result<Value> apply_filters(const Expr& chain, const Value& input, Scope& scope);
  Result<Value> apply_builtin(const Expr& expr, const Value& self, Scope& scope, std::string_view what);

  // Calls.
  Result<Value> evaluate_call(const Expr& expr, Scope& scope, const Value* caller);
  /// `caller` may be null; else it goes before what `**` unpacks.
  Result<Arguments> evaluate_arguments(const Expr& expr, Scope& scope, const Value* caller);
  Result<Value> call(const Value& callee, Arguments& arguments);
  Result<Value> call_macro(const Callable& macro, Arguments& arguments);
  Status bind_macro(const MacroDefinition& macro, Arguments& arguments, Scope& scope);
  Status give_specials(const MacroDefinition& macro, Arguments& arguments, Scope& scope);
  Status give_defaults(const MacroDefinition& macro, Scope& scope);
  /// Runs the block, whose output goes where all output goes.
  Status render_block(const Stmt& block, Dict* context);
  Result<Value> call_block(const Callable& block, const Arguments& arguments);
  /// The variables of all scopes around, for a scoped block.
  Result<Dict*> visible_variables(Scope& scope);
  /// self.NAME
  Value block_reference(std::string_view name, Dict* context);

  /// Counts nesting of whatever recurses.
  Status enter();
  struct Nesting {
    explicit Nesting(int& depth) : depth_(depth) { ++depth_; }
    ~Nesting() { --depth_; }
    int& depth_;
  };

  const Program& program_;
  Runtime rt_;
  std::vector<Value> globals_;  // by NameId: variables of the caller, functions, assignments of the root
  Scope* root_ = nullptr;
  std::string output_;
  std::string* out_ = &output_;
  int depth_ = 0;
};

}  // namespace brisk::text::tmpl
