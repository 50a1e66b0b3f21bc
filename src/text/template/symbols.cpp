// Two passes over each scope: note() finds its variables, bind() writes down what each name in it means and
// goes into the scopes inside. Both recurse at most as deep as the tree, which the parser bounds.
#include "text/template/symbols.hpp"

#include <array>

namespace brisk::text::tmpl {
namespace {

/// Which names with a meaning of their own (kLoopName, ...) a body reads before it assigns them itself. Walks
/// in the reference's order and not into blocks.
class SpecialNames {
 public:
  explicit SpecialNames(std::initializer_list<NameId> wanted) {
    for (const NameId name : wanted) wanted_ |= bit(name);
  }

  bool has(NameId name) const { return (found_ & bit(name)) != 0; }

  SpecialNames& visit(const Body& body) {
    for (const Stmt* stmt : body) visit(*stmt);
    return *this;
  }

 private:
  static uint32_t bit(NameId name) { return name <= kSuperName ? 1U << name : 0; }

  void visit(const Expr* expr) {
    if (expr == nullptr || (wanted_ & ~found_) == 0) return;
    if (expr->kind == ExprKind::kName) found_ |= bit(expr->name) & wanted_;
    for (const Expr* item : expr->items) visit(item);
    for (const Argument& argument : expr->arguments) visit(argument.value);
  }

  void drop(NameId name) { wanted_ &= ~bit(name) | found_; }
  void visit(const Target& target) {
    if (target.parts.empty() && target.attribute.empty() && target.name >= 0) drop(target.name);
    for (const Target& part : target.parts) visit(part);
  }

  void visit(const MacroDefinition& macro) {
    for (const Parameter& parameter : macro.parameters) drop(parameter.name);
    for (const Parameter& parameter : macro.parameters) visit(parameter.fallback);
    visit(macro.body);
  }

  void visit(const Stmt& stmt) {
    if ((wanted_ & ~found_) == 0 || stmt.kind == StmtKind::kBlock) return;
    if (stmt.kind != StmtKind::kMacro) visit(stmt.target);
    for (const auto& [target, value] : stmt.assignments) {
      if (stmt.kind == StmtKind::kWith) visit(target);
    }
    for (const auto& [target, value] : stmt.assignments) visit(value);
    visit(stmt.expr);
    for (const Branch& branch : stmt.branches) {
      visit(branch.condition);
      visit(branch.body);
    }
    visit(stmt.macro);
    visit(stmt.body);
    visit(stmt.otherwise);
    visit(stmt.condition);
  }

  uint32_t wanted_ = 0;
  uint32_t found_ = 0;
};

}  // namespace

bool SymbolTable::refuse(uint32_t offset, std::string expected, std::string got) {
  if (error_.expected.empty()) error_ = {offset, std::move(expected), std::move(got)};
  return false;
}

bool SymbolTable::run() {
  Frame root;
  root.id = program_.root;
  if (SpecialNames({kSelfName}).visit(program_.body).has(kSelfName)) {
    program_.scopes[static_cast<size_t>(root.id)].self = declare(root, kSelfName);
  }
  note(root, program_.body);
  return bind({root, false, true}, program_.body) && close(root);
}

// --- first pass ---

SymbolTable::Variable& SymbolTable::variable(Frame& frame, NameId name) {
  Variable& found = frame.variables[name];
  frame.changes.push_back({name, found});
  if (found.slot < 0) {
    auto& slots = program_.scopes[static_cast<size_t>(frame.id)].slots;
    found.slot = static_cast<int32_t>(slots.size());
    slots.emplace_back().name = name;
  }
  found.known = true;
  return found;
}

bool SymbolTable::find(const Frame* frame, NameId name, VariableRef& ref) const {
  for (int32_t hops = 0; frame != nullptr; frame = frame->parent, ++hops) {
    const auto it = frame->variables.find(name);
    if (it == frame->variables.end() || !it->second.known) continue;
    ref = {hops, it->second.slot};
    return true;
  }
  return false;
}

void SymbolTable::load(Frame& frame, NameId name) {
  VariableRef ref;
  if (!find(&frame, name, ref)) variable(frame, name).start = Start::kContext;
}

void SymbolTable::store(Frame& frame, NameId name) {
  const auto it = frame.variables.find(name);
  const bool known = it != frame.variables.end() && it->second.known;
  if (known && it->second.assigned) return;
  Variable& stored = variable(frame, name);
  stored.assigned = true;
  if (known) return;
  stored.start = Start::kMissing;
  VariableRef outer;
  if (!find(frame.parent, name, outer)) return;
  stored.start = Start::kOuter;
  stored.outer = {outer.hops + 1, outer.slot};
}

int32_t SymbolTable::declare(Frame& frame, NameId name) {
  Variable& declared = variable(frame, name);
  declared.assigned = true;
  declared.start = Start::kGiven;
  return declared.slot;
}

void SymbolTable::note(Frame& frame, const Expr* expr) {
  if (expr == nullptr) return;
  if (expr->kind == ExprKind::kName) load(frame, expr->name);
  for (const Expr* item : expr->items) note(frame, item);
  for (const Argument& argument : expr->arguments) note(frame, argument.value);
}

void SymbolTable::note(Frame& frame, const Body& body) {
  for (const Stmt* stmt : body) note(frame, *stmt);
}

void SymbolTable::note_target(Frame& frame, const Target& target, bool is_parameter) {
  for (const Target& part : target.parts) note_target(frame, part, is_parameter);
  if (!target.parts.empty() || target.name < 0) return;
  if (!target.attribute.empty()) {
    load(frame, target.name);
  } else if (is_parameter) {
    declare(frame, target.name);
  } else {
    store(frame, target.name);
  }
}

void SymbolTable::note(Frame& frame, const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::kIf: note_if(frame, stmt); break;
    case StmtKind::kSet:
      note(frame, stmt.expr);
      note_target(frame, stmt.target, false);
      break;
    case StmtKind::kSetBlock:
    case StmtKind::kMacro: note_target(frame, stmt.target, false); break;
    case StmtKind::kWith:
      for (const auto& [target, value] : stmt.assignments) note(frame, value);
      break;
    case StmtKind::kImport:
      note(frame, stmt.expr);
      for (const auto& [target, value] : stmt.assignments) note_target(frame, target, false);
      break;
    case StmtKind::kOutput:
    case StmtKind::kFor:
    case StmtKind::kCallBlock:
    case StmtKind::kFilterBlock:
    case StmtKind::kExtends:
    case StmtKind::kInclude: note(frame, stmt.expr); break;
    default: break;
  }
}

template <typename Visit>
SymbolTable::Changes SymbolTable::look_at_branch(Frame& frame, Visit visit) {
  const size_t mark = frame.changes.size();
  visit();
  Changes branch;
  for (size_t i = mark; i < frame.changes.size(); ++i) {
    branch[frame.changes[i].name] = frame.variables[frame.changes[i].name];
  }
  for (; frame.changes.size() > mark; frame.changes.pop_back()) {
    const Change& change = frame.changes.back();
    Variable& undone = frame.variables[change.name];
    const int32_t slot = undone.slot;  // a slot once given stays with its name
    undone = change.before;
    undone.slot = slot;
  }
  return branch;
}

void SymbolTable::join_branches(Frame& frame, std::span<const Changes> branches) {
  std::vector<NameId> newly_assigned;
  for (const Changes& branch : branches) {
    for (const auto& [name, after] : branch) {
      if (after.assigned && !frame.variables[name].assigned) newly_assigned.push_back(name);
    }
  }
  for (const Changes& branch : branches) {
    for (const auto& [name, after] : branch) {
      Variable& joined = variable(frame, name);
      joined.start = after.start;
      joined.outer = after.outer;
      joined.assigned |= after.assigned;
    }
  }
  for (const NameId name : newly_assigned) {
    Variable& joined = variable(frame, name);
    VariableRef outer;
    const bool has_outer = find(frame.parent, name, outer);
    joined.start = has_outer ? Start::kOuter : Start::kContext;
    if (has_outer) joined.outer = {outer.hops + 1, outer.slot};
  }
}

void SymbolTable::note_if(Frame& frame, const Stmt& stmt) {
  const auto note_body = [&](const Body& body) { return look_at_branch(frame, [&] { note(frame, body); }); };
  note(frame, stmt.branches[0].condition);
  // All elifs are one branch, in which each is an if of its own.
  const auto note_elifs = [&] {
    for (size_t i = 1; i < stmt.branches.size(); ++i) {
      note(frame, stmt.branches[i].condition);
      const std::array<Changes, 1> only = {note_body(stmt.branches[i].body)};
      join_branches(frame, only);
    }
  };
  Changes first = note_body(stmt.branches[0].body);
  Changes others = look_at_branch(frame, note_elifs);
  const std::array<Changes, 3> branches = {std::move(first), std::move(others), note_body(stmt.body)};
  join_branches(frame, branches);
}

// --- second pass ---

bool SymbolTable::bind_name(const Place& at, NameId name, UseId use, uint32_t offset) {
  if (find(&at.frame, name, program_.uses[static_cast<size_t>(use)])) return true;
  return refuse(offset, "a name that this scope knows",
                "'" + std::string(program_.names[static_cast<size_t>(name)]) + "'");
}

bool SymbolTable::bind(const Place& at, const Expr* expr) {
  if (expr == nullptr) return true;
  Place inside = at;
  inside.is_soft |= expr->kind == ExprKind::kConditional;
  if (expr->kind == ExprKind::kName && !bind_name(at, expr->name, expr->use, expr->offset)) return false;
  const bool is_filter = expr->kind == ExprKind::kFilter;
  if ((is_filter || expr->kind == ExprKind::kTest) && expr->builtin == nullptr && !at.is_soft) {
    return refuse(expr->offset, is_filter ? "a known filter" : "a known test",
                  "'" + std::string(expr->text.substr(0, 60)) + "'");
  }
  bool is_decided = expr->kind == ExprKind::kAnd || expr->kind == ExprKind::kOr;
  for (const Expr* item : expr->items) {
    if (!bind(inside, item)) return false;
    // "'' and X": the reference drops X when it compiles.
    is_decided &= item != nullptr && item->kind == ExprKind::kConstant;
    inside.is_soft |= is_decided && truthy(item->constant) == (expr->kind == ExprKind::kOr);
  }
  for (const Argument& argument : expr->arguments) {
    if (!bind(inside, argument.value)) return false;
  }
  return true;
}

bool SymbolTable::bind(const Place& at, const Body& body) {
  for (const Stmt* stmt : body) {
    if (!bind(at, *stmt)) return false;
  }
  return true;
}

bool SymbolTable::bind_target(const Place& at, const Target& target) {
  for (const Target& part : target.parts) {
    if (!bind_target(at, part)) return false;
  }
  if (!target.parts.empty() || target.name < 0) return true;
  if (target.name == kLoopName && target.attribute.empty() && loops_ > 0) {
    return refuse(target.offset, "a name other than 'loop' to assign to inside of a for", "'loop'");
  }
  return bind_name(at, target.name, target.use, target.offset);
}

bool SymbolTable::bind(const Place& at, const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::kIf: {
      const Place inside{at.frame, true, at.is_root};
      for (const Branch& branch : stmt.branches) {
        if (!bind(inside, branch.condition) || !bind(inside, branch.body)) return false;
      }
      return bind(inside, stmt.body);
    }
    case StmtKind::kFor: return bind_for(at, stmt);
    case StmtKind::kSet: return bind(at, stmt.expr) && bind_target(at, stmt.target);
    case StmtKind::kSetBlock: return bind_target(at, stmt.target) && bind_scope(at, stmt);
    case StmtKind::kFilterBlock:
    case StmtKind::kAutoescape: return bind_scope(at, stmt);
    case StmtKind::kWith: return bind_with(at, stmt);
    case StmtKind::kMacro:
      return bind_name(at, stmt.target.name, stmt.target.use, stmt.offset) &&
             bind_macro(at, stmt.macro, stmt.offset);
    case StmtKind::kCallBlock: return bind_macro(at, stmt.macro, stmt.offset) && bind(at, stmt.expr);
    case StmtKind::kGeneration: return bind_macro(at, stmt.macro, stmt.offset);
    case StmtKind::kBlock: return bind_block(stmt);
    case StmtKind::kExtends:
      if (!at.is_root) return refuse(stmt.offset, "extends outside of all blocks", "one inside");
      return bind(at, stmt.expr);
    case StmtKind::kImport:
      for (const auto& [target, value] : stmt.assignments) {
        if (!bind_name(at, target.name, target.use, target.offset)) return false;
      }
      return bind(at, stmt.expr);
    default: return bind(at, stmt.expr);
  }
}

bool SymbolTable::bind_for(const Place& at, const Stmt& stmt) {
  if (!bind(at, stmt.expr)) return false;
  ++loops_;
  Frame body{&at.frame, stmt.scope, {}, {}};
  if (stmt.recursive || stmt.scoped || SpecialNames({kLoopName}).visit(stmt.body).has(kLoopName)) {
    program_.scopes[static_cast<size_t>(body.id)].loop = declare(body, kLoopName);
  }
  note_target(body, stmt.target, true);
  note(body, stmt.body);
  const Place inside{body, false, false};
  bool bound = bind_target(inside, stmt.target) && bind(inside, stmt.body) && close(body);
  if (bound && stmt.condition != nullptr) {
    Frame condition{&at.frame, stmt.condition_scope, {}, {}};
    note_target(condition, stmt.condition_target, true);
    note(condition, stmt.condition);
    const Place there{condition, false, false};
    bound = bind_target(there, stmt.condition_target) && bind(there, stmt.condition) && close(condition);
  }
  if (bound) {
    Frame otherwise{&at.frame, stmt.otherwise_scope, {}, {}};
    note(otherwise, stmt.otherwise);
    bound = bind({otherwise, false, false}, stmt.otherwise) && close(otherwise);
  }
  --loops_;
  return bound;
}

bool SymbolTable::bind_macro(const Place& at, const MacroDefinition& macro, uint32_t offset) {
  Frame frame{&at.frame, macro.scope, {}, {}};
  const SpecialNames special = SpecialNames({kCallerName, kKwargsName, kVarargsName}).visit(macro.body);
  bool own_caller = false, own_kwargs = false, own_varargs = false;
  for (const Parameter& parameter : macro.parameters) {
    if (frame.variables.contains(parameter.name)) {
      return refuse(offset, "parameters of different names",
                    "'" + std::string(program_.names[static_cast<size_t>(parameter.name)]) + "' twice");
    }
    declare(frame, parameter.name);
    own_caller |= parameter.name == kCallerName;
    own_kwargs |= parameter.name == kKwargsName;
    own_varargs |= parameter.name == kVarargsName;
    if (parameter.name == kCallerName && parameter.fallback == nullptr && special.has(kCallerName)) {
      return refuse(offset, "a parameter 'caller' to have a default value", "none");
    }
  }
  for (const Parameter& parameter : macro.parameters) note(frame, parameter.fallback);
  note(frame, macro.body);
  const auto layout = [&]() -> ScopeLayout& { return program_.scopes[static_cast<size_t>(macro.scope)]; };
  if (special.has(kCallerName) && !own_caller) layout().caller = declare(frame, kCallerName);
  if (special.has(kKwargsName) && !own_kwargs) layout().kwargs = declare(frame, kKwargsName);
  if (special.has(kVarargsName) && !own_varargs) layout().varargs = declare(frame, kVarargsName);
  const Place inside{frame, false, false};
  for (const Parameter& parameter : macro.parameters) {
    if (!bind(inside, parameter.fallback)) return false;
  }
  return bind(inside, macro.body) && close(frame);
}

bool SymbolTable::bind_with(const Place& at, const Stmt& stmt) {
  Frame frame{&at.frame, stmt.scope, {}, {}};
  for (const auto& [target, value] : stmt.assignments) note_target(frame, target, true);
  note(frame, stmt.body);
  const Place inside{frame, false, false};
  for (const auto& [target, value] : stmt.assignments) {
    if (!bind(at, value)) return false;
    const int loops = std::exchange(loops_, 0);  // with may give a value to `loop`
    const bool bound = bind_target(inside, target);
    loops_ = loops;
    if (!bound) return false;
  }
  return bind(inside, stmt.body) && close(frame);
}

bool SymbolTable::bind_scope(const Place& at, const Stmt& stmt) {
  Frame frame{&at.frame, stmt.scope, {}, {}};
  if (stmt.kind == StmtKind::kAutoescape) note(frame, stmt.expr);
  note(frame, stmt.body);
  if (stmt.kind == StmtKind::kFilterBlock) note(frame, stmt.expr);
  const Place inside{frame, false, false};
  return bind(inside, stmt.body) && bind(inside, stmt.expr) && close(frame);
}

bool SymbolTable::bind_block(const Stmt& stmt) {
  Frame frame{nullptr, stmt.scope, {}, {}};
  const SpecialNames special = SpecialNames({kSelfName, kSuperName}).visit(stmt.body);
  ScopeLayout& layout = program_.scopes[static_cast<size_t>(stmt.scope)];
  if (special.has(kSelfName)) layout.self = declare(frame, kSelfName);
  if (special.has(kSuperName)) layout.super = declare(frame, kSuperName);
  note(frame, stmt.body);
  return bind({frame, false, false}, stmt.body) && close(frame);
}

bool SymbolTable::close(const Frame& frame) {
  ScopeLayout& layout = program_.scopes[static_cast<size_t>(frame.id)];
  for (const auto& [name, variable] : frame.variables) {
    if (variable.slot < 0) continue;
    ScopeLayout::Slot& slot = layout.slots[static_cast<size_t>(variable.slot)];
    slot.start = variable.start;
    slot.assigned = variable.assigned;
    slot.outer = variable.outer;
  }
  return true;
}

}  // namespace brisk::text::tmpl
