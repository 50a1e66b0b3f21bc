// Statements: what stands between {% and %}, and the bodies between such tags.
#include <array>

#include "text/template/parser.hpp"

namespace brisk::text::tmpl {

bool Parser::run() { return parse_body(program_.body, {}); }

Stmt* Parser::make_stmt(StmtKind kind, Body& body) {
  Stmt& stmt = program_.stmts.emplace_back();
  stmt.kind = kind;
  stmt.offset = now().offset;
  body.push_back(&stmt);
  return &stmt;
}

bool Parser::parse_body(Body& body, std::span<const std::string_view> ends) {
  const DepthGuard guard(depth_);
  if (too_deep()) return false;
  const uint32_t begin = now().offset;
  while (now().kind != TokenKind::kEnd) {
    if (now().kind == TokenKind::kText) {
      make_stmt(StmtKind::kText, body)->text = now().text;
      ++at_;
    } else if (now().kind == TokenKind::kOutputBegin) {
      if (!parse_output(body)) return false;
    } else {
      ++at_;  // {%
      for (const std::string_view end : ends) {
        if (is_name(end)) return true;
      }
      if (!parse_statement(body)) return false;
    }
  }
  if (ends.empty()) return true;
  refuse_at(begin, "the block to end with {% " + std::string(ends.back()) + " %}", "the end of the template");
  return false;
}

bool Parser::parse_body_until(Body& body, std::string_view end) {
  if (!expect(TokenKind::kBlockEnd, "'%}'")) return false;
  const std::array ends = {end};
  return parse_body(body, ends) && expect_name(end);
}

bool Parser::parse_output(Body& body) {
  ++at_;
  Stmt* stmt = make_stmt(StmtKind::kOutput, body);
  stmt->expr = parse_tuple(true, false);
  return stmt->expr != nullptr && expect(TokenKind::kOutputEnd, "'}}'");
}

bool Parser::parse_statement(Body& body) {
  struct Entry {
    std::string_view name;
    bool (Parser::*parse)(Body&);
  };
  static constexpr Entry kStatements[] = {
      {"if", &Parser::parse_if},
      {"for", &Parser::parse_for},
      {"set", &Parser::parse_set},
      {"macro", &Parser::parse_macro},
      {"call", &Parser::parse_call_block},
      {"with", &Parser::parse_with},
      {"filter", &Parser::parse_filter_block},
      {"print", &Parser::parse_print},
  };
  bool parsed = false;
  if (is_name("break")) {
    parsed = parse_loop_control(body, StmtKind::kBreak);
  } else if (is_name("continue")) {
    parsed = parse_loop_control(body, StmtKind::kContinue);
  } else if (is_name("generation")) {
    parsed = parse_scope(body, "endgeneration");
  } else {
    const Entry* found = nullptr;
    for (const Entry& entry : kStatements) {
      if (is_name(entry.name)) found = &entry;
    }
    if (found == nullptr) {
      refuse("a statement (if, for, set, macro, call, filter, with, print, break, continue, generation)");
      return false;
    }
    parsed = (this->*found->parse)(body);
  }
  return parsed && expect(TokenKind::kBlockEnd, "'%}'");
}

bool Parser::parse_if(Body& body) {
  static constexpr std::string_view kEnds[] = {"elif", "else", "endif"};
  Stmt* stmt = make_stmt(StmtKind::kIf, body);
  while (is_name("if") || is_name("elif")) {
    ++at_;
    Branch& branch = stmt->branches.emplace_back();
    branch.condition = parse_tuple(true, false);
    if (branch.condition == nullptr || !expect(TokenKind::kBlockEnd, "'%}'")) return false;
    Body inside;
    if (!parse_body(inside, kEnds)) return false;
    branch.body = std::move(inside);
  }
  if (skip_name("else")) return parse_body_until(stmt->body, "endif");
  return expect_name("endif");
}

bool Parser::parse_for(Body& body) {
  static constexpr std::string_view kEnds[] = {"else", "endfor"};
  Stmt* stmt = make_stmt(StmtKind::kFor, body);
  ++at_;
  if (!parse_target(stmt->target, false) || !expect_name("in")) return false;
  stmt->expr = parse_tuple(false, false);
  if (stmt->expr == nullptr) return false;
  if (skip_name("if")) {
    stmt->condition = parse_expression();
    if (stmt->condition == nullptr) return false;
  }
  if (is_name("recursive")) {
    refuse("a loop that is not recursive (a macro that calls itself does the same)");
    return false;
  }
  if (!expect(TokenKind::kBlockEnd, "'%}'")) return false;
  ++loops_;
  const bool parsed = parse_body(stmt->body, kEnds);
  --loops_;
  if (!parsed) return false;
  if (skip_name("else")) return parse_body_until(stmt->otherwise, "endfor");
  return expect_name("endfor");
}

bool Parser::parse_set(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kSet, body);
  ++at_;
  if (!parse_target(stmt->target, true)) return false;
  if (skip_operator("=")) {
    stmt->expr = parse_tuple(true, false);
    return stmt->expr != nullptr;
  }
  stmt->kind = StmtKind::kSetBlock;
  if (now().kind != TokenKind::kBlockEnd) {
    stmt->expr = parse_filter_chain(true);
    if (stmt->expr == nullptr) return false;
  }
  return parse_body_until(stmt->body, "endset");
}

bool Parser::parse_with(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kWith, body);
  ++at_;
  while (now().kind != TokenKind::kBlockEnd) {
    if (!stmt->assignments.empty() && !expect_operator(",")) return false;
    auto& [target, value] = stmt->assignments.emplace_back();
    if (!parse_single_target(target, false) || !expect_operator("=")) return false;
    value = parse_expression();
    if (value == nullptr) return false;
  }
  return parse_body_until(stmt->body, "endwith");
}

bool Parser::parse_signature(MacroDefinition& macro) {
  if (!expect_operator("(")) return false;
  while (!is_operator(")")) {
    if (!macro.parameters.empty() && !expect_operator(",")) return false;
    std::string_view name;
    if (!expect_identifier(name)) return false;
    const Expr* fallback = nullptr;
    if (skip_operator("=")) {
      fallback = parse_expression();
      if (fallback == nullptr) return false;
    } else if (!macro.parameters.empty() && macro.parameters.back().fallback != nullptr) {
      refuse("a default value, as the parameter before has one");
      return false;
    }
    macro.parameters.push_back({intern(name), fallback});
  }
  ++at_;
  return true;
}

bool Parser::parse_macro_body(MacroDefinition& macro, std::string_view end) {
  MacroDefinition* const outer = std::exchange(macro_, &macro);
  const int outer_loops = std::exchange(loops_, 0);
  const bool parsed = parse_body_until(macro.body, end);
  loops_ = outer_loops;
  macro_ = outer;
  return parsed;
}

bool Parser::parse_macro(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kMacro, body);
  ++at_;
  if (!expect_identifier(stmt->macro.name)) return false;
  stmt->target.name = intern(stmt->macro.name);
  return parse_signature(stmt->macro) && parse_macro_body(stmt->macro, "endmacro");
}

bool Parser::parse_call_block(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kCallBlock, body);
  ++at_;
  stmt->macro.name = "caller";
  if (is_operator("(") && !parse_signature(stmt->macro)) return false;
  stmt->expr = parse_expression();
  if (stmt->expr == nullptr) return false;
  if (stmt->expr->kind != ExprKind::kCall) {
    refuse("a call");
    return false;
  }
  return parse_macro_body(stmt->macro, "endcall");
}

bool Parser::parse_filter_block(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kFilterBlock, body);
  ++at_;
  stmt->expr = parse_filter_chain(false);
  return stmt->expr != nullptr && parse_body_until(stmt->body, "endfilter");
}

bool Parser::parse_scope(Body& body, std::string_view end) {
  Stmt* stmt = make_stmt(StmtKind::kScope, body);
  ++at_;
  const int outer_loops = std::exchange(loops_, 0);
  const bool parsed = parse_body_until(stmt->body, end);
  loops_ = outer_loops;
  return parsed;
}

bool Parser::parse_loop_control(Body& body, StmtKind kind) {
  if (loops_ == 0) {
    refuse("break and continue inside a for block");
    return false;
  }
  make_stmt(kind, body);
  ++at_;
  return true;
}

bool Parser::parse_print(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kOutput, body);
  ++at_;
  stmt->expr = parse_tuple(true, false);
  return stmt->expr != nullptr;
}

bool Parser::parse_single_target(Target& target, bool with_attribute) {
  target.offset = now().offset;
  if (skip_operator("(")) return parse_target(target, with_attribute) && expect_operator(")");
  std::string_view name;
  if (!expect_identifier(name)) return false;
  for (const std::string_view keyword : {"true", "True", "false", "False", "none", "None"}) {
    if (name == keyword) {
      refuse_at(target.offset, "a name to assign to", "'" + std::string(name) + "'");
      return false;
    }
  }
  target.name = intern(name);
  return !with_attribute || !skip_operator(".") || expect_identifier(target.attribute);
}

bool Parser::parse_target(Target& target, bool with_attribute) {
  const DepthGuard guard(depth_);
  if (too_deep() || !parse_single_target(target, with_attribute)) return false;
  if (!is_operator(",")) return true;
  Target tuple;
  tuple.offset = target.offset;
  tuple.parts.push_back(std::move(target));
  while (skip_operator(",")) {
    if (now().kind != TokenKind::kName && !is_operator("(")) break;
    if (is_name("in")) break;
    if (!parse_single_target(tuple.parts.emplace_back(), with_attribute)) return false;
  }
  target = std::move(tuple);
  return true;
}

}  // namespace brisk::text::tmpl
