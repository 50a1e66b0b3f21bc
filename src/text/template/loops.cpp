// for: its items, its rounds, and what `loop` knows.
#include <utility>

#include "text/template/interpreter.hpp"
#include "text/template/loop.hpp"
#include "text/template/operators.hpp"

namespace brisk::text::tmpl {

Result<bool> LoopItems::next(Value& item) {
  const bool is_generator = items_->kind == SequenceKind::kGenerator;
  uint32_t& at = is_generator ? items_->consumed : at_;
  while (at < items_->size) {
    item = items_->items[at++];
    if (accepted_) return true;
    BRISK_ASSIGN(const bool accepted, accepts(item));
    if (accepted) return true;
  }
  if (items_->failure != nullptr) return *items_->failure;
  return false;
}

Result<bool> peek(Loop& loop) {
  if (!loop.has_after && loop.items != nullptr) {
    BRISK_ASSIGN(loop.has_after, loop.items->next(loop.after));
  }
  return loop.has_after;
}

Result<bool> advance(Loop& loop) {
  BRISK_ASSIGN(const bool more, peek(loop));
  if (!more) return false;
  loop.has_after = false;
  loop.before = std::exchange(loop.current, loop.after);
  ++loop.index0;
  return true;
}

Result<int64_t> loop_length(Runtime& rt, Loop& loop) {
  if (loop.length >= 0) return loop.length;
  // Not known before: the rest is walked over, and then walked over again by the loop.
  std::vector<Value> rest;
  while (loop.items != nullptr) {
    Value item;
    BRISK_ASSIGN(const bool more, loop.items->next(item));
    if (!more) break;
    BRISK_TRY(rt.charge(1));
    rest.push_back(item);
  }
  loop.length = static_cast<int64_t>(rest.size()) + loop.index0 + 1 + (loop.has_after ? 1 : 0);
  BRISK_ASSIGN(const Value list, rt.new_list(rest));
  if (loop.items != nullptr) loop.items->replace(*list.sequence);
  return loop.length;
}

/// The items for which the condition of a for holds.
class Interpreter::FilteredItems : public LoopItems {
 public:
  FilteredItems(Sequence& items, Interpreter& interpreter, const Stmt& stmt, Scope& scope)
      : LoopItems(items), interpreter_(interpreter), stmt_(stmt), scope_(scope) {}

 private:
  Result<bool> accepts(const Value& item) override {
    BRISK_TRY(interpreter_.rt_.charge(1));
    BRISK_TRY(interpreter_.assign(stmt_.condition_target, item, scope_));
    BRISK_ASSIGN(const Value holds, interpreter_.evaluate(*stmt_.condition, scope_));
    return truthy(holds);
  }

  Interpreter& interpreter_;
  const Stmt& stmt_;
  Scope& scope_;
};

Result<Interpreter::Flow> Interpreter::run_for(const Stmt& stmt, Scope& scope) {
  BRISK_ASSIGN(const Value iterable, evaluate(*stmt.expr, scope));
  if (!stmt.recursive) return run_loop(stmt, scope, iterable, 0);
  BRISK_TRY(run_loop(stmt, scope, iterable, 0));
  return Flow::kNext;
}

Result<Interpreter::Flow> Interpreter::run_loop(const Stmt& stmt, Scope& scope, const Value& iterable,
                                                int64_t depth0) {
  BRISK_TRY(rt_.charge(8));
  BRISK_ASSIGN(Sequence* const sequence, sequence_of(rt_, iterable));
  Loop* loop = rt_.create(Loop{});
  loop->depth0 = depth0;
  loop->body = stmt.recursive ? &stmt : nullptr;
  loop->scope = &scope;
  Result<Flow> flow = Flow::kNext;
  if (stmt.condition == nullptr) {
    if (sequence->kind != SequenceKind::kGenerator) loop->length = sequence->size;
    LoopItems items(*sequence);
    flow = run_rounds(stmt, scope, *loop, items);
  } else {
    BRISK_ASSIGN(Scope* const condition_scope, new_scope(stmt.condition_scope, &scope));
    FilteredItems items(*sequence, *this, stmt, *condition_scope);
    flow = run_rounds(stmt, scope, *loop, items);
  }
  loop->items = nullptr;
  if (!flow.ok() || loop->completed || stmt.otherwise.empty()) return flow;
  BRISK_ASSIGN(Scope* const otherwise, new_scope(stmt.otherwise_scope, &scope));
  return run_body(stmt.otherwise, *otherwise);
}

Result<Interpreter::Flow> Interpreter::run_rounds(const Stmt& stmt, Scope& scope, Loop& loop,
                                                  LoopItems& items) {
  loop.items = &items;
  Scope* inner = nullptr;
  while (true) {
    BRISK_ASSIGN(const bool more, advance(loop));
    if (!more) break;
    if (inner == nullptr) {
      BRISK_ASSIGN(inner, new_scope(stmt.scope, &scope));
      if (inner->layout->loop >= 0) inner->slots[inner->layout->loop] = of(&loop);
    } else {
      BRISK_TRY(rt_.charge(1 + static_cast<int64_t>(inner->layout->slots.size())));
      start_variables(*inner);
    }
    BRISK_TRY(assign(stmt.target, loop.current, *inner));
    BRISK_ASSIGN(const Flow flow, run_body(stmt.body, *inner));
    if (flow == Flow::kBreak) break;
    loop.completed |= flow == Flow::kNext;
  }
  // What a macro written inside still sees.
  for (size_t i = 0; inner != nullptr && !stmt.recursive && i < inner->layout->slots.size(); ++i) {
    inner->slots[i] = Value();
  }
  return Flow::kNext;
}

Result<Value> Interpreter::call_loop(const Loop& loop, const Arguments& arguments) {
  if (loop.body == nullptr) return fail("a loop marked as recursive", "a call of another one");
  const bool by_name =
      arguments.positional.empty() && arguments.named.size() == 1 && arguments.named[0].name == "iterable";
  if (!by_name && (arguments.positional.size() != 1 || !arguments.named.empty())) {
    return fail("one argument for loop()", "others");
  }
  BRISK_TRY(enter());
  const Nesting nesting(depth_);
  std::string written;
  std::string* const outer = std::exchange(out_, &written);
  const Value& items = by_name ? arguments.named[0].value : arguments.positional[0];
  const Result<Flow> flow = run_loop(*loop.body, *loop.scope, items, loop.depth0 + 1);
  out_ = outer;
  BRISK_TRY(flow);
  BRISK_ASSIGN(Value text, rt_.copy_string(written));
  text.markup = escapes(loop.body->escaping);
  return text;
}

}  // namespace brisk::text::tmpl
