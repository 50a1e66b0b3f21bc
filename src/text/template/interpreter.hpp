// Walks the syntax tree: one Interpreter is one rendering. interpreter.cpp runs statements, evaluate.cpp
// evaluates expressions.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "text/template/ast.hpp"
#include "text/template/runtime.hpp"

namespace brisk::text::tmpl {

/// Variables of a block, in the arena. A for block uses one scope for all its rounds, unless a macro was
/// written inside, which keeps the scope that it saw.
struct Scope {
  struct Variable {
    NameId name;
    Value value;
  };

  Scope* parent = nullptr;
  Variable* variables = nullptr;
  uint32_t size = 0;
  uint32_t capacity = 0;
  bool captured = false;
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
  Result<Flow> run_scoped(const Stmt& stmt, Scope& scope);
  Status run_set(const Stmt& stmt, Scope& scope);
  Status run_call_block(const Stmt& stmt, Scope& scope);
  Status run_filter_block(const Stmt& stmt, Scope& scope);
  Result<std::span<const Value>> loop_items(const Stmt& stmt, Scope& scope);
  Status emit(const Value& value);
  /// What the body writes, as a string.
  Result<Value> capture(const Body& body, Scope& scope);

  // Variables.
  Status import_variables(const Json& variables);
  Status assign(const Target& target, const Value& value, Scope& scope);
  Status assign_attribute(const Target& target, const Value& value, Scope& scope);
  Status set_variable(Scope& scope, NameId name, const Value& value);
  Result<Value> variable(NameId name, const Scope& scope);
  const Callable* define_macro(const MacroDefinition& macro, Scope& scope);
  Scope* new_scope(Scope* parent);

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
  Result<Value> evaluate_call(const Expr& expr, Scope& scope, const Value* caller);
  Result<Value> evaluate_filter(const Expr& expr, Scope& scope);
  Result<Value> evaluate_test(const Expr& expr, Scope& scope);
  /// The filters of a block, applied to what it wrote.
  Result<Value> apply_filters(const Expr& chain, const Value& input, Scope& scope);
  Result<Value> apply_builtin(const Expr& expr, const Value& self, Scope& scope, std::string_view what);
  Result<Arguments> evaluate_arguments(const Expr& expr, Scope& scope);
  Result<Value> call_macro(const Callable& macro, const Arguments& arguments);
  Status bind_macro(const MacroDefinition& macro, const Arguments& arguments, Scope& scope);
  Status bind_named(const MacroDefinition& macro, const Arguments& arguments, std::vector<bool>& given,
                    Scope& scope);

  /// Counts nesting of whatever recurses.
  Status enter();
  struct Nesting {
    explicit Nesting(int& depth) : depth_(depth) { ++depth_; }
    ~Nesting() { --depth_; }
    int& depth_;
  };

  const Program& program_;
  Runtime rt_;
  std::vector<Value> globals_;    // by NameId: variables of the caller, functions, top-level assignments
  std::vector<bool> is_defined_;  // by NameId
  NameId loop_ = -1, caller_ = -1, varargs_ = -1, kwargs_ = -1;
  std::string output_;
  std::string* out_ = &output_;
  int depth_ = 0;
};

}  // namespace brisk::text::tmpl
