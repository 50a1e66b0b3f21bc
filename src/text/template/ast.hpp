// The syntax tree of a template. Nodes live in one list that the program owns, so that a deep tree is
// freed without recursion; the parser bounds the depth, so that walking it may recurse.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "text/template/runtime.hpp"
#include "text/template/value.hpp"

namespace brisk::text::tmpl {

using NameId = int32_t;   // index into Program::names
using UseId = int32_t;    // index into Program::uses
using ScopeId = int32_t;  // index into Program::scopes

/// Names that mean something by themselves; the parser gives them these ids before all others.
inline constexpr NameId kLoopName = 0, kCallerName = 1, kKwargsName = 2, kVarargsName = 3, kSelfName = 4,
                        kSuperName = 5;
inline constexpr std::string_view kSpecialNames[] = {"loop", "caller", "kwargs", "varargs", "self", "super"};

/// Where a variable lives: a slot of the scope that stands so many scopes further out.
struct VariableRef {
  int32_t hops = 0;
  int32_t slot = -1;
};

/// What the variable in a slot holds when its scope is entered.
enum class Start : uint8_t {
  kMissing,  // nothing: reading it before it is assigned gives undefined
  kContext,  // what the caller's variables (or the functions) have under its name
  kOuter,    // a copy of the variable of that name further out
  kGiven,    // a parameter or loop target: whoever makes the scope fills it in
};

/// The variables of one scope, found before anything runs (symbols.hpp).
struct ScopeLayout {
  struct Slot {
    NameId name = -1;
    Start start = Start::kMissing;
    bool assigned = false;  // by a target or parameter: seen by scoped blocks
    VariableRef outer;
  };
  std::vector<Slot> slots;
  // Slots of names with a meaning of their own; -1 where the scope does not mention them.
  int32_t loop = -1, caller = -1, kwargs = -1, varargs = -1, self = -1, super = -1;
};

enum class ExprKind : uint8_t {
  kConstant,     // constant
  kName,         // name
  kList,         // items
  kTuple,        // items
  kDict,         // items: key, value, key, value, ...
  kConcat,       // items, joined as text (~)
  kNot,          // items[0]
  kNegate,       // items[0]
  kPositive,     // items[0]
  kBinary,       // items[0] op items[1]
  kAnd,          // items
  kOr,           // items
  kCompare,      // items[0] comparisons[0] items[1] comparisons[1] items[2] ...
  kConditional,  // items: value, condition, and the value otherwise (null: undefined)
  kAttribute,    // items[0] . text
  kItem,         // items[0] [ items[1] ]
  kSlice,        // items[0] [ items[1] : items[2] : items[3] ], null where left out
  kCall,         // items[0] ( arguments )
  kFilter,       // items[0] | text ( arguments ); items[0] is null in a filter block
  kTest,         // items[0] is text ( arguments )
};

enum class BinaryOp : uint8_t { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };
enum class Comparison : uint8_t { kEqual, kUnequal, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn };

struct Expr;

enum class ArgumentKind : uint8_t { kPositional, kNamed, kUnpackList, kUnpackDict };

struct Argument {
  ArgumentKind kind = ArgumentKind::kPositional;
  std::string_view name;
  const Expr* value = nullptr;
};

struct Expr {
  ExprKind kind = ExprKind::kConstant;
  BinaryOp op = BinaryOp::kAdd;
  uint32_t offset = 0;  // in the source
  int height = 1;
  NameId name = -1;
  UseId use = -1;  // of the name
  std::string_view text;
  Value constant;
  bool is_constant = true;           // the reference works it out when it compiles
  bool escapes = false;              // ~ inside of an autoescape block: joins as HTML
  const Builtin* builtin = nullptr;  // filters and tests; null when nothing has that name
  std::vector<const Expr*> items;
  std::vector<Comparison> comparisons;
  std::vector<Argument> arguments;
};

/// What an assignment writes to: a name, an attribute of a namespace, or a tuple of targets.
struct Target {
  NameId name = -1;
  UseId use = -1;
  std::string_view attribute;  // empty: the name itself
  std::vector<Target> parts;   // not empty: a tuple
  uint32_t offset = 0;
};

struct Stmt;
using Body = std::vector<const Stmt*>;

struct Parameter {
  NameId name;
  const Expr* fallback;  // null: required (undefined when not given)
};

/// A macro, or the body of a call block. Its parameters have the first slots of its scope.
struct MacroDefinition {
  std::string_view name;  // empty: a call block
  std::vector<Parameter> parameters;
  Body body;
  ScopeId scope = -1;
};

enum class StmtKind : uint8_t {
  kText,         // text
  kOutput,       // expr
  kIf,           // branches, body (else)
  kFor,          // target in expr if condition: body, otherwise
  kSet,          // target = expr
  kSetBlock,     // target = body, through the filters of expr (may be null)
  kWith,         // assignments, body
  kAutoescape,   // expr: whether body is escaped
  kGeneration,   // macro without a name, run in place
  kMacro,        // macro, bound to target
  kCallBlock,    // expr (a call) with macro as caller
  kFilterBlock,  // body through the filters of expr
  kBlock,        // body under the name text
  kExtends,      // expr: always an error, as there are no other templates
  kInclude,      // expr: as above
  kImport,       // expr, targets in assignments: as above
  kBreak,
  kContinue,
};

/// Whether outputs are escaped as HTML: known from the autoescape block around, or found when running.
enum class Escaping : uint8_t { kNo, kYes, kAsk };

struct Branch {
  const Expr* condition;
  Body body;
};

struct Stmt {
  StmtKind kind = StmtKind::kText;
  Escaping escaping = Escaping::kNo;
  bool recursive = false;       // for
  bool scoped = false;          // block: sees the variables around it; for: a block inside does
  bool required = false;        // block
  bool ignore_missing = false;  // include
  uint32_t offset = 0;
  ScopeId scope = -1;            // of body
  ScopeId condition_scope = -1;  // of condition (for), in which condition_target is the target
  ScopeId otherwise_scope = -1;
  std::string_view text;
  Target target;
  Target condition_target;
  const Expr* expr = nullptr;
  const Expr* condition = nullptr;
  Body body;
  Body otherwise;
  std::vector<Branch> branches;
  std::vector<std::pair<Target, const Expr*>> assignments;
  MacroDefinition macro;
};

/// A parsed template: the tree and all that it points to.
struct Program {
  std::string where;   // names the template in errors
  std::string source;  // with newlines as \n
  TemplateLimits limits;
  Body body;
  ScopeId root = -1;
  std::vector<std::string_view> names;  // every variable that the template mentions
  std::vector<VariableRef> uses;        // where each mention of a variable finds it
  std::vector<ScopeLayout> scopes;
  std::vector<const Stmt*> blocks;
  std::deque<Expr> exprs;
  std::deque<Stmt> stmts;
  std::deque<std::string> strings;  // literals that had escapes

  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
};

/// The error with its place filled in: "WHERE:LINE:COLUMN, in `the line`".
Status locate(const Program& program, uint32_t offset, const Status& status);

}  // namespace brisk::text::tmpl
