// Values of the template language: small, trivially copyable, and immutable but for namespaces. All that
// they point to lives in the arena of one rendering and is freed with it at once, so values can share
// structure, cycles through a namespace cannot leak, and nothing deep is ever destroyed recursively.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>
#include <string_view>

#include "base/status.hpp"

namespace brisk::text::tmpl {

enum class Kind : uint8_t {
  kUndefined,
  kNone,
  kBool,
  kInt,
  kBigInt,
  kFloat,
  kString,
  kSequence,
  kDict,
  kNamespace,
  kLoop,
  kCallable,
  kHelper,
  kTemplate,
};

/// Python's kinds of ordered things, as far as a template can tell them apart.
enum class SequenceKind : uint8_t {
  kList,
  kTuple,
  kRange,
  kGroup,      ///< what groupby gives: a pair that also has the attributes grouper and list
  kView,       ///< keys(), values(), items(): a length but no indexing
  kGenerator,  ///< what map, select and the like give: can be walked once
};

struct Undefined;
struct Sequence;
struct Dict;
struct Namespace;
struct Loop;
struct Callable;
struct Helper;

struct Value {
  Kind kind = Kind::kUndefined;
  bool markup = false;  // strings: marked as safe HTML
  uint32_t length = 0;  // strings and big integers: bytes
  union {
    bool boolean;
    int64_t integer;
    double real;
    const char* characters;      // well-formed UTF-8; of big integers the decimal digits
    const Undefined* undefined;  // null: nothing is known
    Sequence* sequence;
    Dict* dict;
    Namespace* names;
    Loop* loop;
    const Callable* callable;
    Helper* helper;
    Dict* context;  // of `self`: what its blocks see; see Scope
  };

  Value() : undefined(nullptr) {}

  std::string_view text() const { return {characters, length}; }
  bool is(Kind k) const { return kind == k; }
  bool is_string() const { return kind == Kind::kString; }
  bool is_undefined() const { return kind == Kind::kUndefined; }
  /// What a variable holds that was not assigned. Reading it gives an undefined value that says so.
  bool is_missing() const { return kind == Kind::kUndefined && undefined == nullptr; }
  bool is_none() const { return kind == Kind::kNone; }
  /// Python's bool is an integer.
  bool is_integral() const { return kind == Kind::kInt || kind == Kind::kBool; }
  bool is_number() const { return is_integral() || kind == Kind::kFloat; }
  int64_t as_int() const { return kind == Kind::kBool ? int64_t{boolean} : integer; }
  double as_double() const { return kind == Kind::kFloat ? real : static_cast<double>(as_int()); }
  bool is_sequence(SequenceKind k) const;
};

Value none();
Value of(bool value);
Value of(int64_t value);
Value of(double value);
/// A view: `text` must outlive the rendering (see Runtime::copy_string) and be well-formed UTF-8.
Value of(std::string_view text);
Value of(const char*) = delete;  // would choose bool
/// An integer beyond 64 bits, which can be printed and compared for equality, and nothing else. A view.
Value big_integer(std::string_view digits);
Value of(Sequence* sequence);
Value of(Dict* dict);
Value of(Namespace* names);
Value of(Loop* loop);
Value of(const Callable* callable);
Value of(Helper* helper);

/// Why a value is undefined, for the error that using it gives.
struct Undefined {
  std::string_view why;    ///< "'x' is undefined"
  bool forbidden = false;  ///< the name exists in Python, but templates may not use it
};

/// range(begin, end, step) as it was written.
struct RangeBounds {
  int64_t begin = 0, end = 0, step = 1;
};

struct Sequence {
  SequenceKind kind = SequenceKind::kList;
  int depth = 1;       // levels of values, this one included
  int64_t weight = 1;  // see weight()
  uint32_t size = 0;
  uint32_t consumed = 0;                // generators: elements already walked over
  std::string_view view_name;           // views: "dict_keys", ...
  const RangeBounds* bounds = nullptr;  // ranges
  const Status* failure = nullptr;      // generators: what comes after the last item
  Value* items = nullptr;

  std::span<const Value> all() const { return {items, size}; }
};

/// Keeps the order of insertion. Keys are equal as in Python: 1, 1.0 and True are one key.
struct Dict {
  struct Entry {
    Value key;
    Value value;
  };

  int depth = 1;
  int64_t weight = 1;
  uint32_t size = 0;

  std::span<const Entry> all() const { return {entries_, size}; }
  /// Null when absent. The key must be hashable.
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const { return find(of(key)); }
  /// Inserts or replaces; storage comes from `arena` (the caller has charged for it).
  void set(std::pmr::memory_resource& arena, const Value& key, const Value& value);

 private:
  static constexpr uint32_t kSearchedEntries = 8;  // larger dictionaries have an index
  uint32_t slot_of(const Value& key) const;
  void grow(std::pmr::memory_resource& arena);

  Entry* entries_ = nullptr;
  uint32_t capacity_ = 0;
  uint32_t* index_ = nullptr;  // open addressing: entry number + 1, 0 for none
  uint32_t index_mask_ = 0;
};

struct Namespace {
  Dict attributes;
};

struct Builtin;
struct Loop;
struct MacroDefinition;
struct Scope;
struct Stmt;

/// The items that a loop still has to come to. The condition of a for is asked as late as possible: it may
/// depend on what the body did before.
class LoopItems {
 public:
  explicit LoopItems(Sequence& items) : items_(&items) {}
  virtual ~LoopItems() = default;
  LoopItems(const LoopItems&) = delete;
  LoopItems& operator=(const LoopItems&) = delete;

  /// False at the end.
  Result<bool> next(Value& item);
  /// Goes on with these items, which have been accepted.
  void replace(Sequence& items) {
    items_ = &items;
    at_ = 0;
    accepted_ = true;
  }

 private:
  /// Whether the loop takes the item.
  virtual Result<bool> accepts(const Value&) { return true; }

  Sequence* items_;
  uint32_t at_ = 0;
  bool accepted_ = false;
};

/// What `loop` sees inside a for block.
struct Loop {
  LoopItems* items = nullptr;  ///< null once the loop has ended
  const Stmt* body = nullptr;  ///< recursive loops: what calling the loop runs
  Scope* scope = nullptr;      ///< and the scope in which the for stands
  int64_t index0 = -1;
  int64_t depth0 = 0;
  int64_t length = -1;           ///< not known while negative
  Value before, current, after;  ///< after: looked at ahead of time, when has_after
  bool has_after = false;
  bool completed = false;  ///< a round came to its end without break or continue
  Value last_changed;      ///< a tuple; missing before the first call of changed()
};

/// A builtin function or method (with its object), a macro (with the scope that it was written in), or a
/// block (with what it sees).
struct Callable {
  const Builtin* builtin = nullptr;
  Value self;
  const MacroDefinition* macro = nullptr;
  Scope* scope = nullptr;
  const Stmt* block = nullptr;
  Dict* context = nullptr;
};

/// What cycler(...) and joiner(...) give.
struct Helper {
  Sequence* cycled = nullptr;  ///< null: a joiner
  int64_t position = 0;
  Value separator;
};

inline bool Value::is_sequence(SequenceKind k) const {
  return kind == Kind::kSequence && sequence->kind == k;
}

/// Python's bool().
bool truthy(const Value& value);
/// "str", "list", "dict", ... as Python names the type.
std::string_view type_name(const Value& value);
/// Whether the value can be a key of a dictionary.
bool hashable(const Value& value);
/// What walking over the whole value costs, in steps. Shared structure counts each time that it is met
/// (a list of depth 100 may hold 2^100 leaves), so walks are charged by this before they start.
int64_t weight(const Value& value);
/// Sums of weights stop here, far from overflow and far above any fuel.
int64_t add_weights(int64_t a, int64_t b);
/// Levels of values: 0 for plain ones.
int depth(const Value& value);
/// Python's `is`, as far as values here have an identity.
bool same_object(const Value& a, const Value& b);
/// Python's == . Costs at most the smaller weight, which the caller has charged for.
bool equal(const Value& a, const Value& b);

}  // namespace brisk::text::tmpl
