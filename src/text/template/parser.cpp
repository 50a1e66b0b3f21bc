// Expressions. Levels of binary operators, loosest first: or, and, not, comparison, + -, ~, * / // %, **.
// (Binding of unary minus before ** and of ** to the left are the reference's ways, not Python's.)
#include "text/template/parser.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace brisk::text::tmpl {
namespace {

// How tightly operators bind; a higher level binds tighter.
constexpr int kOrLevel = 1, kAndLevel = 2, kNotLevel = 3, kCompareLevel = 4, kAddLevel = 5, kConcatLevel = 6,
              kMultiplyLevel = 7, kPowerLevel = 8;

struct OperatorEntry {
  std::string_view text;
  int level;
  BinaryOp op;
};
constexpr OperatorEntry kArithmetic[] = {
    {"+", kAddLevel, BinaryOp::kAdd},
    {"-", kAddLevel, BinaryOp::kSubtract},
    {"*", kMultiplyLevel, BinaryOp::kMultiply},
    {"/", kMultiplyLevel, BinaryOp::kDivide},
    {"//", kMultiplyLevel, BinaryOp::kFloorDivide},
    {"%", kMultiplyLevel, BinaryOp::kModulo},
    {"**", kPowerLevel, BinaryOp::kPower},
};

struct ComparisonEntry {
  std::string_view text;
  Comparison comparison;
};
constexpr ComparisonEntry kComparisons[] = {
    {"==", Comparison::kEqual},     {"!=", Comparison::kUnequal}, {"<", Comparison::kLess},
    {"<=", Comparison::kLessEqual}, {">", Comparison::kGreater},  {">=", Comparison::kGreaterEqual},
};

std::string describe(const Token& token) {
  if (token.kind == TokenKind::kEnd) return "the end of the template";
  if (token.kind == TokenKind::kText) return "text";
  return "'" + std::string(token.text.substr(0, 60)) + "'";
}

}  // namespace

std::nullptr_t Parser::refuse(std::string expected) {
  return refuse_at(now().offset, std::move(expected), describe(now()));
}

std::nullptr_t Parser::refuse_at(uint32_t offset, std::string expected, std::string got) {
  if (error_.expected.empty()) error_ = {offset, std::move(expected), std::move(got)};
  return nullptr;
}

bool Parser::too_deep() {
  if (depth_ <= program_.limits.depth) return false;
  refuse_at(now().offset, "nesting of at most " + std::to_string(program_.limits.depth) + " levels",
            "a deeper level");
  return true;
}

bool Parser::skip_operator(std::string_view text) {
  const bool found = is_operator(text);
  if (found) ++at_;
  return found;
}

bool Parser::skip_name(std::string_view text) {
  const bool found = is_name(text);
  if (found) ++at_;
  return found;
}

bool Parser::expect_operator(std::string_view text) {
  if (skip_operator(text)) return true;
  refuse("'" + std::string(text) + "'");
  return false;
}

bool Parser::expect_name(std::string_view text) {
  if (skip_name(text)) return true;
  refuse("'" + std::string(text) + "'");
  return false;
}

bool Parser::expect_identifier(std::string_view& name) {
  if (now().kind != TokenKind::kName) {
    refuse("a name");
    return false;
  }
  name = now().text;
  ++at_;
  return true;
}

bool Parser::expect(TokenKind kind, std::string_view what) {
  if (now().kind != kind) {
    refuse(std::string(what));
    return false;
  }
  ++at_;
  return true;
}

Parser::Parser(Program& program, std::span<const Token> tokens) : program_(program), tokens_(tokens) {
  for (const std::string_view name : kSpecialNames) intern(name);
}

UseId Parser::new_use() {
  program_.uses.emplace_back();
  return static_cast<UseId>(program_.uses.size() - 1);
}

ScopeId Parser::new_scope() {
  program_.scopes.emplace_back();
  return static_cast<ScopeId>(program_.scopes.size() - 1);
}

NameId Parser::intern(std::string_view name) {
  const auto [it, added] = name_ids_.try_emplace(name, static_cast<NameId>(program_.names.size()));
  if (added) program_.names.push_back(name);
  return it->second;
}

Expr* Parser::make(ExprKind kind, uint32_t offset) {
  Expr& expr = program_.exprs.emplace_back();
  expr.kind = kind;
  expr.offset = offset;
  return &expr;
}

Expr* Parser::attach(Expr* parent, const Expr* child) {
  if (parent == nullptr || child == nullptr) return nullptr;
  parent->items.push_back(child);
  parent->is_constant &= child->is_constant;
  parent->height = std::max(parent->height, child->height + 1);
  if (parent->height <= program_.limits.depth) return parent;
  return refuse_at(parent->offset,
                   "expressions of at most " + std::to_string(program_.limits.depth) + " levels",
                   "a deeper one");
}

const Expr* Parser::parse_expression(bool with_conditional) {
  const DepthGuard guard(depth_);
  if (too_deep()) return nullptr;
  return with_conditional ? parse_conditional() : parse_operators(kOrLevel);
}

const Expr* Parser::parse_conditional() {
  const Expr* value = parse_operators(kOrLevel);
  while (value != nullptr && is_name("if")) {
    Expr* conditional = make(ExprKind::kConditional, now().offset);
    ++at_;
    if (!attach(conditional, value) || !attach(conditional, parse_operators(kOrLevel))) return nullptr;
    if (skip_name("else")) {
      if (!attach(conditional, parse_expression())) return nullptr;
    } else {
      conditional->items.push_back(nullptr);
    }
    value = conditional;
  }
  return value;
}

int Parser::operator_level() const {
  const Token& token = now();
  if (token.kind == TokenKind::kName) {
    if (token.text == "or") return kOrLevel;
    if (token.text == "and") return kAndLevel;
    const bool is_not_in = token.text == "not" && ahead().kind == TokenKind::kName && ahead().text == "in";
    return token.text == "in" || is_not_in ? kCompareLevel : 0;
  }
  if (token.kind != TokenKind::kOperator) return 0;
  if (token.text == "~") return kConcatLevel;
  for (const auto& entry : kComparisons) {
    if (entry.text == token.text) return kCompareLevel;
  }
  for (const auto& entry : kArithmetic) {
    if (entry.text == token.text) return entry.level;
  }
  return 0;
}

const Expr* Parser::parse_operators(int least_level) {
  const DepthGuard guard(depth_);
  if (too_deep()) return nullptr;
  const Expr* left = nullptr;
  if (least_level <= kNotLevel && is_name("not")) {
    Expr* negation = make(ExprKind::kNot, now().offset);
    ++at_;
    left = attach(negation, parse_operators(kNotLevel));
  } else {
    left = parse_unary(true);
  }
  while (left != nullptr) {
    const int level = operator_level();
    if (level == 0 || level < least_level) break;
    switch (level) {
      case kOrLevel: left = parse_joined(ExprKind::kOr, left, level); break;
      case kAndLevel: left = parse_joined(ExprKind::kAnd, left, level); break;
      case kConcatLevel: left = parse_joined(ExprKind::kConcat, left, level); break;
      case kCompareLevel: left = parse_comparison(left); break;
      default: left = parse_arithmetic(left, level);
    }
  }
  return left;
}

Expr* Parser::parse_joined(ExprKind kind, const Expr* left, int level) {
  // One node for a whole chain, so that a long one is not deep.
  Expr* joined = attach(make(kind, now().offset), left);
  if (joined != nullptr) joined->escapes = escaping_ == Escaping::kYes;
  while (joined != nullptr && operator_level() == level) {
    ++at_;
    joined = attach(joined, parse_operators(level + 1));
  }
  return joined;
}

Expr* Parser::parse_comparison(const Expr* left) {
  Expr* chain = attach(make(ExprKind::kCompare, now().offset), left);
  while (chain != nullptr && operator_level() == kCompareLevel) {
    Comparison comparison = Comparison::kIn;
    if (skip_name("not")) {
      comparison = Comparison::kNotIn;
    } else if (!is_name("in")) {
      const auto same = [&](const ComparisonEntry& entry) { return entry.text == now().text; };
      comparison = std::find_if(std::begin(kComparisons), std::end(kComparisons), same)->comparison;
    }
    ++at_;
    chain->comparisons.push_back(comparison);
    chain = attach(chain, parse_operators(kAddLevel));
  }
  return chain;
}

Expr* Parser::parse_arithmetic(const Expr* left, int level) {
  Expr* binary = make(ExprKind::kBinary, now().offset);
  const auto same = [&](const OperatorEntry& entry) { return entry.text == now().text; };
  binary->op = std::find_if(std::begin(kArithmetic), std::end(kArithmetic), same)->op;
  ++at_;
  const Expr* right = parse_operators(level + 1);
  // The reference writes Python code: a number worked out as -2 stands there as "-2 ** x", which Python reads
  // as -(2 ** x).
  const bool binds_loosely = binary->op == BinaryOp::kPower && left->kind == ExprKind::kNegate &&
                             left->items[0]->kind == ExprKind::kConstant && right != nullptr &&
                             !right->is_constant;
  if (!attach(binary, binds_loosely ? left->items[0] : left) || !attach(binary, right)) return nullptr;
  return binds_loosely ? attach(make(ExprKind::kNegate, left->offset), binary) : binary;
}

const Expr* Parser::parse_unary(bool with_filters) {
  const DepthGuard guard(depth_);
  if (too_deep()) return nullptr;
  const Expr* value = nullptr;
  if (is_operator("-") || is_operator("+")) {
    Expr* unary = make(is_operator("-") ? ExprKind::kNegate : ExprKind::kPositive, now().offset);
    ++at_;
    value = attach(unary, parse_unary(false));
  } else {
    value = parse_primary();
  }
  value = parse_postfix(value);
  return with_filters ? parse_filters_and_tests(value) : value;
}

const Expr* Parser::parse_primary() {
  switch (now().kind) {
    case TokenKind::kName: return parse_name();
    case TokenKind::kString: return parse_string();
    case TokenKind::kInteger:
    case TokenKind::kFloat: return parse_number();
    default: break;
  }
  if (is_operator("(")) {
    ++at_;
    const Expr* inside = parse_tuple(true, true);
    return inside != nullptr && expect_operator(")") ? inside : nullptr;
  }
  if (is_operator("[")) {
    ++at_;
    return parse_items(ExprKind::kList, "]");
  }
  if (is_operator("{")) return parse_dict();
  return refuse("an expression");
}

const Expr* Parser::parse_name() {
  const Token& token = now();
  ++at_;
  Expr* expr = make(ExprKind::kConstant, token.offset);
  if (token.text == "true" || token.text == "True") {
    expr->constant = of(true);
  } else if (token.text == "false" || token.text == "False") {
    expr->constant = of(false);
  } else if (token.text == "none" || token.text == "None") {
    expr->constant = none();
  } else {
    expr->kind = ExprKind::kName;
    expr->text = token.text;
    expr->name = intern(token.text);
    expr->use = new_use();
    expr->is_constant = false;
  }
  return expr;
}

const Expr* Parser::parse_number() {
  const Token& token = now();
  Expr* expr = make(ExprKind::kConstant, token.offset);
  const char* end = token.text.data() + token.text.size();
  std::from_chars_result parsed{};
  if (token.kind == TokenKind::kFloat) {
    double value = 0;
    parsed = std::from_chars(token.text.data(), end, value);
    expr->constant = of(value);
  } else {
    const char letter = token.text.size() > 1 ? static_cast<char>(token.text[1] | 0x20) : '0';
    const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
    const bool leading_zeros =
        base == 10 && token.text[0] == '0' && token.text.find_first_not_of('0') != std::string_view::npos;
    if (leading_zeros) return refuse("an integer without leading zeros");
    int64_t value = 0;
    parsed = std::from_chars(token.text.data() + (base == 10 ? 0 : 2), end, value, base);
    expr->constant = of(value);
  }
  const bool is_decimal = token.text.find_first_not_of("0123456789") == std::string_view::npos;
  if (parsed.ec == std::errc::result_out_of_range && is_decimal) {
    expr->constant = big_integer(token.text);
  } else if (parsed.ec != std::errc() || parsed.ptr != end) {
    return refuse("a number that fits 64 bits");
  }
  ++at_;
  return expr;
}

const Expr* Parser::parse_string() {
  Expr* expr = make(ExprKind::kConstant, now().offset);
  std::string_view text = now().text;
  ++at_;
  if (now().kind == TokenKind::kString) {
    std::string& joined = program_.strings.emplace_back(text);
    for (; now().kind == TokenKind::kString; ++at_) joined += now().text;
    text = joined;
  }
  expr->constant = of(text);
  return expr;
}

const Expr* Parser::parse_dict() {
  Expr* dict = make(ExprKind::kDict, now().offset);
  ++at_;
  while (!is_operator("}")) {
    if (!attach(dict, parse_expression()) || !expect_operator(":") || !attach(dict, parse_expression()))
      return nullptr;
    if (!skip_operator(",") && !is_operator("}")) return refuse("',' or '}'");
  }
  ++at_;
  return dict;
}

Expr* Parser::parse_items(ExprKind kind, std::string_view end) {
  Expr* list = make(kind, now().offset);
  while (!is_operator(end)) {
    if (!attach(list, parse_expression())) return nullptr;
    if (!skip_operator(",") && !is_operator(end)) return refuse("',' or '" + std::string(end) + "'");
  }
  ++at_;
  return list;
}

const Expr* Parser::parse_tuple(bool with_conditional, bool parenthesized) {
  const uint32_t offset = now().offset;
  const auto ends = [&] {
    return now().kind == TokenKind::kBlockEnd || now().kind == TokenKind::kOutputEnd || is_operator(")");
  };
  if (parenthesized && is_operator(")")) return make(ExprKind::kTuple, offset);
  const Expr* first = parse_expression(with_conditional);
  if (first == nullptr || !is_operator(",")) return first;
  Expr* tuple = attach(make(ExprKind::kTuple, offset), first);
  while (tuple != nullptr && skip_operator(",") && !ends())
    tuple = attach(tuple, parse_expression(with_conditional));
  return tuple;
}

const Expr* Parser::parse_postfix(const Expr* value) {
  while (value != nullptr) {
    if (is_operator(".") || is_operator("[")) {
      value = parse_subscript(value);
    } else if (is_operator("(")) {
      value = parse_call(value);
    } else {
      break;
    }
  }
  return value;
}

const Expr* Parser::parse_filters_and_tests(const Expr* value) {
  while (value != nullptr) {
    if (skip_operator("|")) {
      value = parse_filter(value);
    } else if (skip_name("is")) {
      value = parse_test(value);
    } else if (is_operator("(")) {
      value = parse_call(value);
    } else {
      break;
    }
  }
  return value;
}

const Expr* Parser::parse_subscript(const Expr* value) {
  const uint32_t offset = now().offset;
  if (skip_operator(".")) {
    if (now().kind == TokenKind::kInteger)
      return attach(attach(make(ExprKind::kItem, offset), value), parse_number());
    Expr* attribute = attach(make(ExprKind::kAttribute, offset), value);
    return attribute != nullptr && expect_identifier(attribute->text) ? attribute : nullptr;
  }
  ++at_;
  Expr* item = attach(make(ExprKind::kItem, offset), value);
  if (item == nullptr) return nullptr;
  if (skip_operator("]")) return attach(item, make(ExprKind::kTuple, offset));
  if (is_operator(":")) return parse_slice(item, nullptr);
  const Expr* first = parse_expression();
  if (first == nullptr) return nullptr;
  if (is_operator(":")) return parse_slice(item, first);
  if (is_operator(",")) {
    Expr* tuple = attach(make(ExprKind::kTuple, offset), first);
    while (tuple != nullptr && skip_operator(",")) tuple = attach(tuple, parse_expression());
    first = tuple;
  }
  return attach(item, first) != nullptr && expect_operator("]") ? item : nullptr;
}

const Expr* Parser::parse_slice(Expr* slice, const Expr* first) {
  slice->kind = ExprKind::kSlice;
  slice->items.resize(4);
  const auto put = [&](size_t i, const Expr* bound) {
    slice->items[i] = bound;
    slice->is_constant &= bound->is_constant;
    slice->height = std::max(slice->height, bound->height + 1);
  };
  if (first != nullptr) put(1, first);
  for (size_t i = 2; i < 4 && skip_operator(":"); ++i) {
    if (is_operator(":") || is_operator("]")) continue;
    const Expr* bound = parse_expression();
    if (bound == nullptr) return nullptr;
    put(i, bound);
  }
  if (slice->height > program_.limits.depth) return refuse("a shallower expression");
  return expect_operator("]") ? slice : nullptr;
}

Expr* Parser::parse_call(const Expr* callee) {
  Expr* call = attach(make(ExprKind::kCall, now().offset), callee);
  if (call != nullptr) call->is_constant = false;
  return call != nullptr && parse_arguments(call) ? call : nullptr;
}

bool Parser::parse_argument(Expr* call, ArgumentsSeen& seen) {
  Argument argument;
  bool allowed = !seen.dict;
  if (skip_operator("*")) {
    argument.kind = ArgumentKind::kUnpackList;
    allowed &= !std::exchange(seen.list, true);
  } else if (skip_operator("**")) {
    argument.kind = ArgumentKind::kUnpackDict;
    seen.dict = true;
  } else if (now().kind == TokenKind::kName && ahead().kind == TokenKind::kOperator && ahead().text == "=") {
    argument.kind = ArgumentKind::kNamed;
    argument.name = now().text;
    allowed &= seen.names.insert(now().text).second;
    at_ += 2;
  } else {
    allowed &= !seen.list && seen.names.empty();
  }
  if (!allowed) {
    refuse("arguments by position, then each name once, '*' once, and '**' last");
    return false;
  }
  argument.value = parse_expression();
  if (argument.value == nullptr) return false;
  call->arguments.push_back(argument);
  call->is_constant &= argument.value->is_constant && call->kind != ExprKind::kCall;
  call->height = std::max(call->height, argument.value->height + 1);
  return true;
}

bool Parser::parse_arguments(Expr* call) {
  if (!expect_operator("(")) return false;
  ArgumentsSeen seen;
  while (!is_operator(")")) {
    if (!parse_argument(call, seen)) return false;
    if (!skip_operator(",") && !is_operator(")")) {
      refuse("',' or ')'");
      return false;
    }
  }
  ++at_;
  if (call->height > program_.limits.depth) refuse("a shallower expression");
  return call->height <= program_.limits.depth;
}

bool Parser::parse_dotted_name(std::string_view& name) {
  if (!expect_identifier(name)) return false;
  if (!is_operator(".")) return true;
  std::string& dotted = program_.strings.emplace_back(name);
  while (skip_operator(".")) {
    std::string_view part;
    if (!expect_identifier(part)) return false;
    dotted += '.';
    dotted += part;
  }
  name = dotted;
  return true;
}

const Expr* Parser::parse_filter(const Expr* value) {
  Expr* filter = make(ExprKind::kFilter, now().offset);
  if (value == nullptr) {
    filter->items.push_back(nullptr);
  } else if (!attach(filter, value)) {
    return nullptr;
  }
  if (!parse_dotted_name(filter->text)) return nullptr;
  filter->builtin = find_filter(filter->text);
  filter->is_constant &=
      filter->builtin != nullptr && !filter->builtin->needs_context && escaping_ != Escaping::kAsk;
  if (is_operator("(") && !parse_arguments(filter)) return nullptr;
  return filter;
}

const Expr* Parser::parse_filter_chain(bool starts_with_pipe) {
  if (starts_with_pipe && !is_operator("|")) return refuse("'=', or a filter and the end of the block");
  const Expr* chain = nullptr;
  do {
    if (chain != nullptr || starts_with_pipe) ++at_;
    chain = parse_filter(chain);
  } while (chain != nullptr && is_operator("|"));
  return chain;
}

const Expr* Parser::parse_test(const Expr* value) {
  const uint32_t offset = now().offset;
  const bool negated = skip_name("not");
  Expr* test = attach(make(ExprKind::kTest, offset), value);
  if (test == nullptr || !parse_dotted_name(test->text)) return nullptr;
  test->builtin = find_test(test->text);
  test->is_constant &= test->builtin != nullptr && escaping_ != Escaping::kAsk;
  const bool is_operand = now().kind == TokenKind::kName || now().kind == TokenKind::kString ||
                          now().kind == TokenKind::kInteger || now().kind == TokenKind::kFloat ||
                          is_operator("[") || is_operator("{");
  const bool is_keyword = is_name("else") || is_name("or") || is_name("and");
  if (is_operator("(")) {
    if (!parse_arguments(test)) return nullptr;
  } else if (is_name("is")) {
    return refuse("one test (they cannot be chained)");
  } else if (is_operand && !is_keyword) {
    const Expr* operand = parse_postfix(parse_primary());
    if (operand == nullptr) return nullptr;
    test->arguments.push_back({ArgumentKind::kPositional, {}, operand});
    test->is_constant &= operand->is_constant;
    test->height = std::max(test->height, operand->height + 1);
    if (test->height > program_.limits.depth) return refuse("a shallower expression");
  }
  if (!negated) return test;
  return attach(make(ExprKind::kNot, offset), test);
}

}  // namespace brisk::text::tmpl
