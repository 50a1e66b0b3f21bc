// Fuel, the arena's makers, and binding of arguments to the parameters of builtins.
#include "text/template/runtime.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

namespace brisk::text::tmpl {

Status fail(std::string expected, std::string got, std::string hint) {
  return bad_input({"", std::move(expected), std::move(got), std::move(hint)});
}

Status Runtime::charge(int64_t steps) {
  BRISK_DCHECK(steps >= 0, "work is not negative");
  if (steps > fuel_) {
    fuel_ = 0;
    return fail("a template that ends within " + std::to_string(limits_.steps) + " steps",
                "more work than that");
  }
  fuel_ -= steps;
  return {};
}

Result<Value> Runtime::copy_string(std::string_view text) {
  BRISK_TRY(charge_bytes(text.size()));
  if (text.empty()) return of(std::string_view());
  auto* copy = static_cast<char*>(arena_.allocate(text.size(), 1));
  std::memcpy(copy, text.data(), text.size());
  return of(std::string_view(copy, text.size()));
}

Sequence* Runtime::make_sequence(SequenceKind kind, std::span<const Value> items) {
  Sequence sequence;
  sequence.kind = kind;
  sequence.size = static_cast<uint32_t>(items.size());
  for (const Value& item : items) {
    sequence.depth = std::max(sequence.depth, 1 + depth(item));
    sequence.weight = add_weights(sequence.weight, weight(item));
  }
  sequence.items = static_cast<Value*>(arena_.allocate(items.size_bytes(), alignof(Value)));
  std::uninitialized_copy(items.begin(), items.end(), sequence.items);
  return create(sequence);
}

Result<Value> Runtime::new_sequence(SequenceKind kind, std::span<const Value> items) {
  BRISK_TRY(charge(1 + static_cast<int64_t>(items.size())));
  Sequence* sequence = make_sequence(kind, items);
  if (sequence->depth > limits_.depth) {
    return fail("values nested at most " + std::to_string(limits_.depth) + " levels deep", "a deeper list");
  }
  return of(sequence);
}

Result<Value> Runtime::new_generator(std::span<const Value> items, const Status& failure) {
  if (!failure.ok() && fuel_ == 0) return failure;
  BRISK_ASSIGN(const Value generator, new_sequence(SequenceKind::kGenerator, items));
  if (failure.ok()) return generator;
  BRISK_TRY(charge(100));  // an error is large
  generator.sequence->failure = &failures_.emplace_back(failure);
  return generator;
}

Result<Dict*> Runtime::new_dict() {
  BRISK_TRY(charge(2));
  return create(Dict{});
}

Status Runtime::set_item(Dict& dict, const Value& key, const Value& value) {
  BRISK_TRY(charge(2 + weight(key)));
  if (!hashable(key))
    return fail("a key that does not change", "a key of type " + std::string(type_name(key)));
  if (std::max(depth(key), depth(value)) >= limits_.depth) {
    return fail("values nested at most " + std::to_string(limits_.depth) + " levels deep",
                "a deeper dictionary");
  }
  dict.set(arena_, key, value);
  return {};
}

Value Runtime::new_undefined(std::string_view why, bool forbidden) {
  Value value;
  value.undefined = create(Undefined{why, forbidden});
  return value;
}

Result<Value> Runtime::undefined_because(std::string why) {
  BRISK_ASSIGN(const Value text, copy_string(why));
  return new_undefined(text.text());
}

Result<Value> Runtime::bound_method(const Builtin& builtin, const Value& self) {
  BRISK_TRY(charge(2));
  const Callable* callable = create(Callable{&builtin, self, nullptr, nullptr});
  return of(callable);
}

Result<Bound> bind(const Builtin& builtin, const Arguments& arguments) {
  Bound bound;
  bound.raw_ = &arguments;
  if (builtin.parameters == "*") return bound;
  const auto refuse = [&](std::string got) {
    return fail(
        "the arguments of " + std::string(builtin.name) + " to be (" + std::string(builtin.parameters) + ")",
        std::move(got));
  };
  size_t count = 0;
  size_t named = 0;
  std::string_view rest = builtin.parameters;
  if (rest.ends_with('/')) {
    if (!arguments.named.empty()) return refuse("one by name");
    rest.remove_suffix(std::min<size_t>(rest.size(), 2));
  }
  for (; !rest.empty(); ++count) {
    const size_t end = std::min(rest.find(' '), rest.size());
    std::string_view name = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const bool optional = name.ends_with('?');
    if (optional) name.remove_suffix(1);
    if (count < arguments.positional.size()) bound.values_[count] = &arguments.positional[count];
    for (const NamedValue& argument : arguments.named) {
      if (argument.name != name) continue;
      if (bound.values_[count] != nullptr) return refuse("'" + std::string(name) + "' twice");
      bound.values_[count] = &argument.value;
      ++named;
    }
    if (bound.values_[count] == nullptr && !optional) return refuse("no '" + std::string(name) + "'");
  }
  if (arguments.positional.size() > count) {
    return refuse(std::to_string(arguments.positional.size()) + " arguments");
  }
  if (named < arguments.named.size()) return refuse("an argument of another name");
  return bound;
}

Result<Value> call_builtin(Runtime& rt, const Builtin& builtin, const Value& self,
                           const Arguments& arguments) {
  BRISK_TRY(rt.charge(1));
  BRISK_ASSIGN(const Bound bound, bind(builtin, arguments));
  return builtin.run(rt, self, bound);
}

const Builtin* find_builtin(std::span<const Builtin> table, std::string_view name) {
  const auto it =
      std::find_if(table.begin(), table.end(), [&](const Builtin& entry) { return entry.name == name; });
  return it == table.end() ? nullptr : &*it;
}

const Builtin* find_filter(std::string_view name) {
  for (const auto table : {text_filters(), layout_filters(), html_filters(), sequence_filters(),
                           selection_filters(), number_filters()}) {
    if (const Builtin* found = find_builtin(table, name)) return found;
  }
  return nullptr;
}

const Builtin* find_test(std::string_view name) { return find_builtin(value_tests(), name); }

Result<int64_t> integer_argument(const Value& value, std::string_view what) {
  if (value.is_integral()) return value.as_int();
  return fail(std::string(what) + " to be an integer", std::string(type_name(value)));
}

Result<std::string_view> string_argument(const Value& value, std::string_view what) {
  if (value.is_string()) return value.text();
  return fail(std::string(what) + " to be a string", std::string(type_name(value)));
}

}  // namespace brisk::text::tmpl
