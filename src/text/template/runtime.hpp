// What one rendering owns (arena, fuel) and how builtins are written: a table entry per filter, test,
// method or function, with its parameters as one string, so that keyword arguments bind as in Python.
#pragma once

#include <array>
#include <deque>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "text/chat_template.hpp"
#include "text/template/value.hpp"

namespace brisk::text::tmpl {

/// An error of the template whose place is not known yet; the interpreter fills it in.
Status fail(std::string expected, std::string got, std::string hint = {});

struct NamedValue {
  std::string_view name;
  Value value;
};

/// The arguments of a call as they were written.
struct Arguments {
  std::vector<Value> positional;
  std::vector<NamedValue> named;
};

class Runtime {
 public:
  explicit Runtime(const TemplateLimits& limits) : limits_(limits), fuel_(limits.steps) {}

  const TemplateLimits& limits() const { return limits_; }
  std::pmr::memory_resource& arena() { return arena_; }

  /// Uses up fuel; an error when it is gone.
  Status charge(int64_t steps);
  /// For walking over or copying text: a step per eight bytes.
  Status charge_bytes(size_t bytes) { return charge(1 + static_cast<int64_t>(bytes / 8)); }

  /// Copies into the arena.
  Result<Value> copy_string(std::string_view text);
  Result<Value> new_sequence(SequenceKind kind, std::span<const Value> items);
  /// A list of data that the caller passes in: free of charge.
  Value import_list(std::span<const Value> items) { return of(make_sequence(SequenceKind::kList, items)); }
  Result<Value> new_list(std::span<const Value> items) { return new_sequence(SequenceKind::kList, items); }
  Result<Value> new_tuple(std::span<const Value> items) { return new_sequence(SequenceKind::kTuple, items); }
  Result<Dict*> new_dict();
  /// Inserts into a dictionary (or namespace) that is being built; refuses unhashable keys and values
  /// nested too deep.
  Status set_item(Dict& dict, const Value& key, const Value& value);
  Value new_undefined(std::string_view why, bool forbidden = false);
  /// "'WHAT' is undefined" and the like; the text is copied.
  Result<Value> undefined_because(std::string why);
  Result<Value> bound_method(const Builtin& builtin, const Value& self);
  /// An object of a trivially destructible type, alive until the end of the rendering.
  template <typename T>
  T* create(T object) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (arena_.allocate(sizeof(T), alignof(T))) T(object);
  }

  /// A generator: the items up to where the reference's would fail, and that failure, which is met when
  /// somebody walks so far. Running out of fuel is not put off.
  Result<Value> new_generator(std::span<const Value> items, const Status& failure);

  /// Numbers that look random, the same ones in each rendering.
  uint64_t next_random() { return random_ = (random_ ^ (random_ >> 31)) * 0x9E3779B97F4A7C15ULL + 1; }

  bool autoescape = false;  ///< inside of an autoescape block that is on

 private:
  Sequence* make_sequence(SequenceKind kind, std::span<const Value> items);

  TemplateLimits limits_;
  int64_t fuel_;
  std::deque<Status> failures_;  // of generators
  uint64_t random_ = 1;
  std::pmr::monotonic_buffer_resource arena_{size_t{16} << 10};
};

inline constexpr size_t kMaxParameters = 6;

/// Arguments bound to the parameters of a builtin.
class Bound {
 public:
  bool has(size_t i) const { return values_[i] != nullptr; }
  /// The argument, or undefined when it was left out.
  Value operator[](size_t i) const { return has(i) ? *values_[i] : Value(); }
  bool is_none(size_t i) const { return !has(i) || values_[i]->is_none(); }
  bool flag(size_t i) const { return has(i) && truthy(*values_[i]); }
  /// All arguments, for a builtin whose parameters are "*".
  const Arguments& raw() const { return *raw_; }

 private:
  friend Result<Bound> bind(const Builtin& builtin, const Arguments& arguments);
  std::array<const Value*, kMaxParameters> values_{};
  const Arguments* raw_ = nullptr;
};

/// One filter, test, method or function. For filters and tests `self` is the value on the left.
struct Builtin {
  std::string_view name;
  /// Names split by spaces, optional ones ending in '?'; "*" takes anything; a last "/" means that none may
  /// be given by name.
  std::string_view parameters;
  Result<Value> (*run)(Runtime& rt, const Value& self, const Bound& arguments);
  /// The reference cannot work it out before the template runs.
  bool needs_context = false;
};

Result<Bound> bind(const Builtin& builtin, const Arguments& arguments);
Result<Value> call_builtin(Runtime& rt, const Builtin& builtin, const Value& self,
                           const Arguments& arguments);
/// Null when no entry has the name.
const Builtin* find_builtin(std::span<const Builtin> table, std::string_view name);

// The tables, one file each.
std::span<const Builtin> text_filters();
std::span<const Builtin> layout_filters();
std::span<const Builtin> html_filters();
std::span<const Builtin> sequence_filters();
std::span<const Builtin> selection_filters();
std::span<const Builtin> number_filters();
std::span<const Builtin> value_tests();
std::span<const Builtin> string_methods();
std::span<const Builtin> container_methods(const Value& value);
std::span<const Builtin> dict_methods();
std::span<const Builtin> number_methods(const Value& value);
/// real, imag, numerator and denominator.
std::optional<Value> number_attribute(const Value& value, std::string_view name);
std::span<const Builtin> global_functions();
/// Across the tables of filters.
const Builtin* find_filter(std::string_view name);
const Builtin* find_test(std::string_view name);

/// The argument as an integer that must be one; `what` names it in the error.
Result<int64_t> integer_argument(const Value& value, std::string_view what);
/// The argument as a string that must be one.
Result<std::string_view> string_argument(const Value& value, std::string_view what);

}  // namespace brisk::text::tmpl
