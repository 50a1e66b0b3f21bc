// Finds the variable that each name of a template means, before anything runs. The rules are those of the
// reference, which compiles a template to nested functions:
//
// - A scope is the template, a loop's body, condition or else branch, a macro, the body of call, filter, set,
//   with, autoescape, generation or block. An if has none of its own.
// - A scope has a variable of its own for each name that it assigns (wherever in it), and for each other name
//   that it reads and no scope around it has. Nested scopes are looked at after the whole scope around them.
// - So `{% for x in y %}{{ n }}{% endfor %}{% set n = 1 %}` reads the variable that is set later, which is
//   still missing, and not what the caller passed in as n.
// - A name that only some branches of an if assign starts as the variable further out, or as the caller's.
#pragma once

#include <span>
#include <unordered_map>

#include "text/template/ast.hpp"
#include "text/template/lexer.hpp"

namespace brisk::text::tmpl {

/// Fills Program::uses and Program::scopes.
class SymbolTable {
 public:
  explicit SymbolTable(Program& program) : program_(program) {}

  /// False after an error: unknown filters and tests outside of an if, and what the reference's compiler
  /// refuses.
  bool run();
  const SyntaxError& error() const { return error_; }

 private:
  /// One name in a scope.
  struct Variable {
    bool known = false;  // the scope has a slot for it that is in use
    bool assigned = false;
    Start start = Start::kMissing;
    VariableRef outer;
    int32_t slot = -1;
  };
  struct Change {
    NameId name;
    Variable before;
  };
  struct Frame {
    Frame* parent = nullptr;
    ScopeId id = -1;
    std::unordered_map<NameId, Variable> variables;
    std::vector<Change> changes;  // so that the branches of an if can be looked at one by one
  };

  // First pass over a scope: which variables it has.
  Variable& variable(Frame& frame, NameId name);
  bool find(const Frame* frame, NameId name, VariableRef& ref) const;
  void load(Frame& frame, NameId name);
  void store(Frame& frame, NameId name);
  int32_t declare(Frame& frame, NameId name);
  void note(Frame& frame, const Expr* expr);
  void note(Frame& frame, const Body& body);
  void note(Frame& frame, const Stmt& stmt);
  void note_if(Frame& frame, const Stmt& stmt);
  void note_target(Frame& frame, const Target& target, bool is_parameter);
  using Changes = std::unordered_map<NameId, Variable>;
  /// What a branch changes, which is undone.
  template <typename Visit>
  Changes look_at_branch(Frame& frame, Visit visit);
  void join_branches(Frame& frame, std::span<const Changes> branches);

  // Second pass: what each name means, and the scopes inside.
  struct Place {
    Frame& frame;
    bool is_soft;  // inside an if: unknown filters are errors only when they run
    bool is_root;  // directly in the template or in its ifs
  };
  bool bind(const Place& at, const Expr* expr);
  bool bind_name(const Place& at, NameId name, UseId use, uint32_t offset);
  bool bind(const Place& at, const Body& body);
  bool bind(const Place& at, const Stmt& stmt);
  bool bind_target(const Place& at, const Target& target);
  bool bind_for(const Place& at, const Stmt& stmt);
  bool bind_macro(const Place& at, const MacroDefinition& macro, uint32_t offset);
  bool bind_with(const Place& at, const Stmt& stmt);
  bool bind_block(const Stmt& stmt);
  /// A scope around the body alone.
  bool bind_scope(const Place& at, const Stmt& stmt);
  bool close(const Frame& frame);
  bool refuse(uint32_t offset, std::string expected, std::string got);

  Program& program_;
  int loops_ = 0;  // for statements around the current place
  SyntaxError error_;
};

}  // namespace brisk::text::tmpl
