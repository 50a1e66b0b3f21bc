// Builds the syntax tree: expressions by precedence climbing, statements by recursive descent, both bounded
// in depth. parser.cpp holds expressions, parser_statements.cpp statements.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "text/template/ast.hpp"
#include "text/template/lexer.hpp"

namespace brisk::text::tmpl {

/// Members that return a pointer give null, and members that return bool false, once error() is filled.
class Parser {
 public:
  Parser(Program& program, std::span<const Token> tokens);

  /// Fills the program's body and names.
  bool run();
  const SyntaxError& error() const { return error_; }

 private:
  // Tokens.
  const Token& now() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  bool is_operator(std::string_view text) const {
    return now().kind == TokenKind::kOperator && now().text == text;
  }
  bool is_name(std::string_view text) const { return now().kind == TokenKind::kName && now().text == text; }
  bool skip_operator(std::string_view text);
  bool skip_name(std::string_view text);
  bool expect_operator(std::string_view text);
  bool expect_name(std::string_view text);
  bool expect_identifier(std::string_view& name);
  bool expect(TokenKind kind, std::string_view what);
  std::nullptr_t refuse(std::string expected);
  std::nullptr_t refuse_at(uint32_t offset, std::string expected, std::string got);
  NameId intern(std::string_view name);
  UseId new_use();
  ScopeId new_scope();

  // Expressions.
  Expr* make(ExprKind kind, uint32_t offset);
  /// Adds a child and keeps the height; null (after an error) when the tree gets too deep.
  Expr* attach(Expr* parent, const Expr* child);
  const Expr* parse_expression(bool with_conditional = true);
  const Expr* parse_conditional();
  const Expr* parse_operators(int least_level);
  int operator_level() const;
  Expr* parse_comparison(const Expr* left);
  Expr* parse_joined(ExprKind kind, const Expr* left, int level);
  Expr* parse_arithmetic(const Expr* left, int level);
  const Expr* parse_unary(bool with_filters);
  const Expr* parse_primary();
  const Expr* parse_name();
  const Expr* parse_number();
  const Expr* parse_string();
  const Expr* parse_dict();
  /// Comma-separated expressions: one alone stays itself, otherwise a tuple.
  const Expr* parse_tuple(bool with_conditional, bool parenthesized);
  bool parse_dotted_name(std::string_view& name);
  Expr* parse_items(ExprKind kind, std::string_view end);
  const Expr* parse_postfix(const Expr* value);
  const Expr* parse_filters_and_tests(const Expr* value);
  const Expr* parse_subscript(const Expr* value);
  const Expr* parse_slice(Expr* slice, const Expr* first);
  Expr* parse_call(const Expr* callee);
  bool parse_arguments(Expr* call);
  /// The kinds of arguments before the current one.
  struct ArgumentsSeen {
    bool list = false, dict = false;
    std::set<std::string_view> names;
  };
  bool parse_argument(Expr* call, ArgumentsSeen& seen);
  /// `value` may be null: the filter of a block.
  const Expr* parse_filter(const Expr* value);
  const Expr* parse_filter_chain(bool starts_with_pipe);
  const Expr* parse_test(const Expr* value);

  // Statements.
  /// Until a block that starts with one of `ends`, whose name is left as the current token.
  bool parse_body(Body& body, std::span<const std::string_view> ends);
  /// The end of a tag that opens a body, which may have a colon as in Python.
  bool expect_body();
  bool parse_body_until(Body& body, std::string_view end);
  bool parse_output(Body& body);
  bool finish_output(Stmt* stmt) const;
  bool parse_statement(Body& body);
  Stmt* make_stmt(StmtKind kind, Body& body);
  bool parse_if(Body& body);
  bool parse_for(Body& body);
  bool parse_set(Body& body);
  bool parse_with(Body& body);
  bool parse_macro(Body& body);
  bool parse_call_block(Body& body);
  bool parse_filter_block(Body& body);
  bool parse_generation(Body& body);
  bool parse_autoescape(Body& body);
  bool parse_block(Body& body);
  bool parse_extends(Body& body);
  bool parse_include(Body& body);
  bool parse_import(Body& body);
  bool parse_from(Body& body);
  bool parse_imported_name(Stmt* stmt);
  /// "with context" or "without context", which change nothing.
  bool skip_context();
  bool parse_loop_control(Body& body, StmtKind kind);
  bool parse_print(Body& body);
  bool parse_signature(MacroDefinition& macro);
  /// As parse_body_until, for a body that break and continue cannot leave.
  bool parse_closed_body(Body& body, std::string_view end);
  bool parse_macro_body(MacroDefinition& macro, std::string_view end);
  bool parse_name_target(Target& target);
  bool parse_target(Target& target, bool with_attribute);
  bool parse_single_target(Target& target, bool with_attribute);
  Target copy_with_own_uses(const Target& target);

  struct DepthGuard {
    explicit DepthGuard(int& depth) : depth_(depth) { ++depth_; }
    ~DepthGuard() { --depth_; }
    int& depth_;
  };
  bool too_deep();

  Program& program_;
  std::span<const Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  int loops_ = 0;                            // for blocks around the current statement that break can leave
  std::vector<Stmt*> open_loops_;            // all for blocks around it
  Escaping escaping_ = Escaping::kNo;        // of the autoescape block around it
  Escaping known_escaping_ = Escaping::kNo;  // of the last one around it that needs not be asked
  std::map<std::string_view, NameId> name_ids_;
  std::set<std::string_view> block_names_;
  SyntaxError error_;
};

}  // namespace brisk::text::tmpl
