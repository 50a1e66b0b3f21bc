// Statements: what stands between {% and %}, and the bodies between such tags.
#include <algorithm>
#include <array>
#include <utility>

#include "text/template/parser.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {

bool Parser::run() {
  program_.root = new_scope();
  return parse_body(program_.body, {});
}

Stmt* Parser::make_stmt(StmtKind kind, Body& body) {
  Stmt& stmt = program_.stmts.emplace_back();
  stmt.kind = kind;
  stmt.escaping = escaping_;
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

bool Parser::expect_body() {
  skip_operator(":");
  return expect(TokenKind::kBlockEnd, "'%}'");
}

bool Parser::parse_body_until(Body& body, std::string_view end) {
  if (!expect_body()) return false;
  const std::array ends = {end};
  return parse_body(body, ends) && expect_name(end);
}

bool Parser::finish_output(Stmt* stmt) const {
  if (stmt->expr == nullptr) return false;
  // What the reference works out when it compiles does not ask.
  if (stmt->expr->is_constant && stmt->escaping == Escaping::kAsk) stmt->escaping = known_escaping_;
  return true;
}

bool Parser::parse_output(Body& body) {
  ++at_;
  Stmt* stmt = make_stmt(StmtKind::kOutput, body);
  stmt->expr = parse_tuple(true, false);
  return finish_output(stmt) && expect(TokenKind::kOutputEnd, "'}}'");
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
      {"generation", &Parser::parse_generation},
      {"autoescape", &Parser::parse_autoescape},
      {"block", &Parser::parse_block},
      {"extends", &Parser::parse_extends},
      {"include", &Parser::parse_include},
      {"import", &Parser::parse_import},
      {"from", &Parser::parse_from},
  };
  bool parsed = false;
  if (is_name("break")) {
    parsed = parse_loop_control(body, StmtKind::kBreak);
  } else if (is_name("continue")) {
    parsed = parse_loop_control(body, StmtKind::kContinue);
  } else {
    const Entry* found = nullptr;
    for (const Entry& entry : kStatements) {
      if (is_name(entry.name)) found = &entry;
    }
    if (found == nullptr) {
      refuse(
          "a statement (if, for, set, macro, call, filter, with, print, break, continue, generation, ...)");
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
    branch.condition = parse_tuple(false, false);
    if (branch.condition == nullptr || !expect_body()) return false;
    Body inside;
    if (!parse_body(inside, kEnds)) return false;
    branch.body = std::move(inside);
  }
  if (skip_name("else")) return parse_body_until(stmt->body, "endif");
  return expect_name("endif");
}

Target Parser::copy_with_own_uses(const Target& target) {
  Target copy = target;
  copy.use = new_use();
  for (Target& part : copy.parts) part = copy_with_own_uses(part);
  return copy;
}

bool Parser::parse_for(Body& body) {
  static constexpr std::string_view kEnds[] = {"else", "endfor"};
  Stmt* stmt = make_stmt(StmtKind::kFor, body);
  ++at_;
  if (!parse_target(stmt->target, false) || !expect_name("in")) return false;
  stmt->expr = parse_tuple(false, false);
  if (stmt->expr == nullptr) return false;
  stmt->scope = new_scope();
  stmt->otherwise_scope = new_scope();
  if (skip_name("if")) {
    stmt->condition_scope = new_scope();
    stmt->condition_target = copy_with_own_uses(stmt->target);
    stmt->condition = parse_expression();
    if (stmt->condition == nullptr) return false;
  }
  stmt->recursive = skip_name("recursive");
  if (!expect_body()) return false;
  open_loops_.push_back(stmt);
  ++loops_;
  bool parsed = parse_body(stmt->body, kEnds);
  --loops_;
  if (parsed) {
    parsed = skip_name("else") ? parse_body_until(stmt->otherwise, "endfor") : expect_name("endfor");
  }
  open_loops_.pop_back();
  return parsed;
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
  stmt->scope = new_scope();
  return parse_body_until(stmt->body, "endset");
}

bool Parser::parse_with(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kWith, body);
  ++at_;
  while (now().kind != TokenKind::kBlockEnd && !is_operator(":")) {
    if (!stmt->assignments.empty() && !expect_operator(",")) return false;
    auto& [target, value] = stmt->assignments.emplace_back();
    if (!parse_target(target, false) || !expect_operator("=")) return false;
    value = parse_expression();
    if (value == nullptr) return false;
  }
  stmt->scope = new_scope();
  return parse_body_until(stmt->body, "endwith");
}

bool Parser::parse_signature(MacroDefinition& macro) {
  if (!expect_operator("(")) return false;
  while (!is_operator(")")) {
    if (!macro.parameters.empty() && !expect_operator(",")) return false;
    Target name;
    if (!parse_name_target(name)) return false;
    const Expr* fallback = nullptr;
    if (skip_operator("=")) {
      fallback = parse_expression();
      if (fallback == nullptr) return false;
    } else if (!macro.parameters.empty() && macro.parameters.back().fallback != nullptr) {
      refuse("a default value, as the parameter before has one");
      return false;
    }
    macro.parameters.push_back({name.name, fallback});
  }
  ++at_;
  return true;
}

bool Parser::parse_closed_body(Body& body, std::string_view end) {
  const int outer_loops = std::exchange(loops_, 0);
  const bool parsed = parse_body_until(body, end);
  loops_ = outer_loops;
  return parsed;
}

bool Parser::parse_macro_body(MacroDefinition& macro, std::string_view end) {
  macro.scope = new_scope();
  return parse_closed_body(macro.body, end);
}

bool Parser::parse_macro(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kMacro, body);
  ++at_;
  if (!parse_name_target(stmt->target)) return false;
  stmt->macro.name = program_.names[static_cast<size_t>(stmt->target.name)];
  return parse_signature(stmt->macro) && parse_macro_body(stmt->macro, "endmacro");
}

bool Parser::parse_call_block(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kCallBlock, body);
  ++at_;
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
  stmt->scope = new_scope();
  stmt->expr = parse_filter_chain(false);
  return stmt->expr != nullptr && parse_body_until(stmt->body, "endfilter");
}

bool Parser::parse_generation(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kGeneration, body);
  ++at_;
  return parse_macro_body(stmt->macro, "endgeneration");
}

bool Parser::parse_autoescape(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kAutoescape, body);
  ++at_;
  stmt->scope = new_scope();
  stmt->expr = parse_expression();
  if (stmt->expr == nullptr) return false;
  const bool is_known = stmt->expr->kind == ExprKind::kConstant;
  const Escaping inside = !is_known                      ? Escaping::kAsk
                          : truthy(stmt->expr->constant) ? Escaping::kYes
                                                         : Escaping::kNo;
  // Once it has to be asked, it has to be asked further in.
  const Escaping outer = std::exchange(escaping_, escaping_ == Escaping::kAsk ? Escaping::kAsk : inside);
  const Escaping outer_known = std::exchange(known_escaping_, is_known ? inside : known_escaping_);
  const bool parsed = parse_body_until(stmt->body, "endautoescape");
  escaping_ = outer;
  known_escaping_ = outer_known;
  return parsed;
}

bool Parser::parse_block(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kBlock, body);
  ++at_;
  const uint32_t offset = now().offset;
  if (!expect_identifier(stmt->text)) return false;
  if (!block_names_.insert(stmt->text).second) {
    refuse_at(offset, "blocks of different names", "'" + std::string(stmt->text) + "' twice");
    return false;
  }
  program_.blocks.push_back(stmt);
  stmt->scope = new_scope();
  stmt->scoped = skip_name("scoped");
  stmt->required = skip_name("required");
  for (Stmt* loop : open_loops_) loop->scoped |= stmt->scoped;
  // A block is a template of its own: it knows nothing of what stands around it.
  const Escaping outer = std::exchange(escaping_, Escaping::kNo);
  const Escaping outer_known = std::exchange(known_escaping_, Escaping::kNo);
  const bool parsed = parse_closed_body(stmt->body, "endblock");
  escaping_ = outer;
  known_escaping_ = outer_known;
  if (!parsed) return false;
  skip_name(stmt->text);
  const auto is_blank = [](const Stmt* part) {
    return part->kind == StmtKind::kText && strip(part->text, Side::kBoth).empty();
  };
  if (!stmt->required || std::all_of(stmt->body.begin(), stmt->body.end(), is_blank)) return true;
  refuse_at(offset, "nothing but white space in a required block", "more");
  return false;
}

bool Parser::parse_extends(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kExtends, body);
  ++at_;
  stmt->expr = parse_expression();
  return stmt->expr != nullptr;
}

bool Parser::skip_context() {
  const bool is_context = (is_name("with") || is_name("without")) && ahead().kind == TokenKind::kName &&
                          ahead().text == "context";
  if (is_context) at_ += 2;
  return is_context;
}

bool Parser::parse_include(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kInclude, body);
  ++at_;
  stmt->expr = parse_expression();
  if (stmt->expr == nullptr) return false;
  stmt->ignore_missing = is_name("ignore") && ahead().kind == TokenKind::kName && ahead().text == "missing";
  if (stmt->ignore_missing) at_ += 2;
  skip_context();
  return true;
}

bool Parser::parse_import(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kImport, body);
  ++at_;
  stmt->expr = parse_expression();
  if (stmt->expr == nullptr || !expect_name("as")) return false;
  if (!parse_name_target(stmt->assignments.emplace_back().first)) return false;
  skip_context();
  return true;
}

bool Parser::parse_imported_name(Stmt* stmt) {
  Target& target = stmt->assignments.emplace_back().first;
  if (!parse_name_target(target)) return false;
  if (program_.names[static_cast<size_t>(target.name)].starts_with('_')) {
    refuse_at(target.offset, "names that do not begin with '_'", "another one");
    return false;
  }
  return !skip_name("as") || parse_name_target(target);
}

bool Parser::parse_from(Body& body) {
  Stmt* stmt = make_stmt(StmtKind::kImport, body);
  ++at_;
  stmt->expr = parse_expression();
  if (stmt->expr == nullptr || !expect_name("import")) return false;
  do {
    if (skip_context()) return true;
    if (!parse_imported_name(stmt)) return false;
  } while (!skip_context() && skip_operator(","));
  return true;
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
  ++at_;
  for (bool first = true; now().kind != TokenKind::kBlockEnd; first = false) {
    if (!first && !expect_operator(",")) return false;
    Stmt* stmt = make_stmt(StmtKind::kOutput, body);
    stmt->expr = parse_expression();
    if (!finish_output(stmt)) return false;
  }
  return true;
}

bool Parser::parse_name_target(Target& target) {
  target.offset = now().offset;
  std::string_view name;
  if (!expect_identifier(name)) return false;
  for (const std::string_view keyword : {"true", "True", "false", "False", "none", "None"}) {
    if (name == keyword) {
      refuse_at(target.offset, "a name to assign to", "'" + std::string(name) + "'");
      return false;
    }
  }
  target.name = intern(name);
  target.use = new_use();
  return true;
}

bool Parser::parse_single_target(Target& target, bool with_attribute) {
  if (skip_operator("(")) return parse_target(target, false) && expect_operator(")");
  if (!parse_name_target(target)) return false;
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
    if (now().kind == TokenKind::kBlockEnd || is_operator(")")) break;
    if (!parse_single_target(tuple.parts.emplace_back(), with_attribute)) return false;
  }
  target = std::move(tuple);
  return true;
}

}  // namespace brisk::text::tmpl
