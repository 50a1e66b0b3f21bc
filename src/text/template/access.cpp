// Attributes, items, slices, and walking over values.
#include <algorithm>
#include <charconv>
#include <utility>

#include "base/checked.hpp"
#include "text/template/ast.hpp"
#include "text/template/loop.hpp"
#include "text/template/markup.hpp"
#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

/// Methods that change their object. They exist for Python; templates get the reference's refusal.
constexpr std::string_view kListMutators[] = {"append", "clear", "pop",    "reverse",
                                              "insert", "sort",  "extend", "remove"};
constexpr std::string_view kDictMutators[] = {"clear", "pop", "popitem", "setdefault", "update"};

bool is_mutator(const Value& value, std::string_view name) {
  const auto holds = [&](std::span<const std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (value.is_sequence(SequenceKind::kList)) return holds(kListMutators);
  return value.is(Kind::kDict) && holds(kDictMutators);
}

Result<Value> missing(Runtime& rt, const Value& value, std::string_view name) {
  return rt.undefined_because("'" + std::string(type_name(value)) + " object' has no attribute '" +
                              std::string(name) + "'");
}

/// Nothing when the loop has no such attribute.
Result<std::optional<Value>> loop_attribute(Runtime& rt, Loop& loop, std::string_view name) {
  using Attribute = std::optional<Value>;
  if (name == "index") return Attribute(of(loop.index0 + 1));
  if (name == "index0") return Attribute(of(loop.index0));
  if (name == "first") return Attribute(of(loop.index0 == 0));
  if (name == "depth") return Attribute(of(loop.depth0 + 1));
  if (name == "depth0") return Attribute(of(loop.depth0));
  if (name == "previtem") {
    return Attribute(loop.index0 > 0 ? loop.before : rt.new_undefined("there is no previous item"));
  }
  if (name == "last" || name == "nextitem") {
    BRISK_ASSIGN(const bool more, peek(loop));
    if (name == "last") return Attribute(of(!more));
    return Attribute(more ? loop.after : rt.new_undefined("there is no next item"));
  }
  if (name == "length" || name == "revindex" || name == "revindex0") {
    BRISK_ASSIGN(const int64_t length, loop_length(rt, loop));
    const int64_t passed = name == "length" ? 0 : name == "revindex" ? loop.index0 : loop.index0 + 1;
    return Attribute(of(length - passed));
  }
  return Attribute();
}

/// What macros, references to blocks, cyclers and joiners show.
std::optional<Value> object_attribute(Runtime& rt, const Value& value, std::string_view name) {
  if (value.is(Kind::kHelper)) {
    const Helper& helper = *value.helper;
    if (helper.cycled == nullptr) {
      if (name == "sep") return helper.separator;
      if (name == "used") return of(helper.position > 0);
      return std::nullopt;
    }
    if (name == "current") return helper.cycled->items[helper.position];
    if (name == "items") return of(helper.cycled);
    if (name == "pos") return of(helper.position);
    return std::nullopt;
  }
  const Callable& callable = *value.callable;
  const bool is_dict =
      callable.builtin != nullptr && callable.builtin == find_builtin(global_functions(), "dict");
  if (is_dict && name == "fromkeys") {
    Callable method;
    method.builtin = find_builtin(dict_methods(), name);
    return of(static_cast<const Callable*>(rt.create(method)));
  }
  if (callable.block != nullptr && name == "name") return of(callable.block->text);
  if (callable.block != nullptr && name == "super") return rt.new_undefined("there is no parent block");
  if (callable.macro == nullptr) return std::nullopt;
  if (name == "name") return callable.macro->name.empty() ? none() : of(callable.macro->name);
  return std::nullopt;
}

/// The methods and attributes proper: what Python's getattr would find.
Result<std::optional<Value>> own_attribute(Runtime& rt, const Value& value, std::string_view name) {
  if (is_mutator(value, name)) {
    BRISK_ASSIGN(const Value why,
                 rt.copy_string("a use of ." + std::string(name) + "(), which would change a " +
                                std::string(type_name(value))));
    return std::optional<Value>(rt.new_undefined(why.text(), true));
  }
  const auto methods = value.is_string()   ? string_methods()
                       : value.is_number() ? number_methods(value)
                                           : container_methods(value);
  const Builtin* method = find_builtin(methods, name);
  if (method == nullptr && value.markup) method = find_builtin(markup_methods(), name);
  if (method != nullptr) {
    BRISK_ASSIGN(const Value bound, rt.bound_method(*method, value));
    return std::optional<Value>(bound);
  }
  if (value.is_number()) return number_attribute(value, name);
  if (value.is(Kind::kLoop)) return loop_attribute(rt, *value.loop, name);
  if (value.is(Kind::kHelper) || value.is(Kind::kCallable)) return object_attribute(rt, value, name);
  if (value.is(Kind::kNamespace)) {
    if (const Value* attribute = value.names->attributes.find(name)) return std::optional<Value>(*attribute);
  }
  if (value.is_sequence(SequenceKind::kGroup) && name == "grouper")
    return std::optional<Value>(value.sequence->items[0]);
  if (value.is_sequence(SequenceKind::kGroup) && name == "list")
    return std::optional<Value>(value.sequence->items[1]);
  return std::optional<Value>();
}

bool is_indexable(const Value& value) {
  if (value.is_string()) return true;
  return value.is(Kind::kSequence) && value.sequence->kind != SequenceKind::kView &&
         value.sequence->kind != SequenceKind::kGenerator;
}

/// value[key] alone, without falling back to attributes.
Result<std::optional<Value>> own_item(Runtime& rt, const Value& value, const Value& key) {
  if (value.is(Kind::kDict)) {
    BRISK_TRY(rt.charge(weight(key)));
    const Value* found = hashable(key) ? value.dict->find(key) : nullptr;
    return found == nullptr ? std::optional<Value>() : std::optional<Value>(*found);
  }
  if (!is_indexable(value) || !key.is_integral()) return std::optional<Value>();
  BRISK_ASSIGN(const int64_t size, length_of(rt, value));
  int64_t index = key.as_int();
  if (index < 0) index += size;
  if (index < 0 || index >= size) return std::optional<Value>();
  if (!value.is_string()) return std::optional<Value>(value.sequence->items[index]);
  const size_t at = offset_of_character(value.text(), index);
  Value character = of(first_character(value.text().substr(at)));
  character.markup = value.markup;
  return std::optional<Value>(character);
}

struct Range {
  int64_t begin, end, step;
};

Result<int64_t> slice_bound(const Value& value, int64_t fallback, int64_t size, int64_t least, int64_t most) {
  if (value.is_none()) return fallback;
  if (!value.is_integral()) return fail("integers in a slice", std::string(type_name(value)));
  int64_t bound = value.as_int();
  if (bound < 0) bound += size;  // cannot overflow: size is not negative
  return std::clamp(bound, least, most);
}

Result<Range> slice_range(const Value& begin, const Value& end, const Value& step, int64_t size) {
  Range range{0, size, 1};
  if (!step.is_none()) {
    BRISK_ASSIGN(range.step, integer_argument(step, "the step of a slice"));
    if (range.step == 0) return fail("a slice step other than zero", "zero");
  }
  const bool forward = range.step > 0;
  const int64_t least = forward ? 0 : -1;
  const int64_t most = forward ? size : size - 1;
  BRISK_ASSIGN(range.begin, slice_bound(begin, forward ? 0 : size - 1, size, least, most));
  BRISK_ASSIGN(range.end, slice_bound(end, forward ? size : -1, size, least, most));
  return range;
}

int64_t range_count(const Range& range) {
  const int64_t span = range.step > 0 ? range.end - range.begin : range.begin - range.end;
  if (span <= 0) return 0;
  const uint64_t step =
      range.step > 0 ? static_cast<uint64_t>(range.step) : 0 - static_cast<uint64_t>(range.step);
  return static_cast<int64_t>((static_cast<uint64_t>(span) - 1) / step) + 1;
}

/// What Python prints for a part of a range.
Result<const RangeBounds*> sliced_bounds(Runtime& rt, const RangeBounds& whole, const Range& part) {
  const auto at = [&](int64_t index) -> std::optional<int64_t> {
    const auto offset = checked_mul(whole.step, index);
    return offset ? checked_add(whole.begin, *offset) : std::nullopt;
  };
  const auto begin = at(part.begin), end = at(part.end), step = checked_mul(whole.step, part.step);
  if (!begin || !end || !step) return fail("a range of 64-bit numbers", "a larger one");
  return rt.create(RangeBounds{*begin, *end, *step});
}

Result<Value> slice_string(Runtime& rt, std::string_view text, const Range& range) {
  BRISK_TRY(rt.charge_bytes(text.size() / 4));
  const int64_t count = range_count(range);
  if (range.step == 1) {
    const size_t begin = offset_of_character(text, range.begin);
    return of(text.substr(begin, offset_of_character(text.substr(begin), count)));
  }
  std::vector<std::string_view> characters;
  for (size_t at = 0; at < text.size(); at += characters.back().size()) {
    characters.push_back(first_character(text.substr(at)));
  }
  std::string out;
  for (int64_t i = 0; i < count; ++i) out += characters[static_cast<size_t>(range.begin + i * range.step)];
  return rt.copy_string(out);
}

}  // namespace

Result<Value> get_attribute(Runtime& rt, const Value& value, std::string_view name) {
  if (value.is_undefined()) return undefined_error(value);
  BRISK_ASSIGN(const std::optional<Value> attribute, own_attribute(rt, value, name));
  if (attribute) return *attribute;
  BRISK_ASSIGN(const std::optional<Value> item, own_item(rt, value, of(name)));
  return item ? Result<Value>(*item) : missing(rt, value, name);
}

Result<Value> get_item(Runtime& rt, const Value& value, const Value& key) {
  if (value.is_undefined()) return undefined_error(value);
  BRISK_ASSIGN(const std::optional<Value> item, own_item(rt, value, key));
  if (item) return *item;
  if (key.is_string()) {
    BRISK_ASSIGN(const std::optional<Value> attribute, own_attribute(rt, value, key.text()));
    return attribute ? Result<Value>(*attribute) : missing(rt, value, key.text().substr(0, 200));
  }
  return rt.undefined_because(
      std::string(type_name(value)) + " object has no element " +
      (key.is_integral() ? std::to_string(key.as_int()) : std::string(type_name(key))));
}

Result<Value> get_path(Runtime& rt, Value value, const Value& path, const Value& fallback) {
  if (path.is_none()) return value;
  const bool has_fallback = !fallback.is_none() && !fallback.is_missing();
  const auto step = [&](const Value& part) -> Status {
    BRISK_ASSIGN(value, get_item(rt, value, part));
    if (has_fallback && value.is_undefined()) value = fallback;
    return {};
  };
  if (!path.is_string()) {
    BRISK_TRY(step(path));
    return value;
  }
  std::string_view rest = path.text();
  while (true) {
    const size_t end = std::min(rest.find('.'), rest.size());
    const std::string_view part = rest.substr(0, end);
    int64_t number = 0;
    const auto parsed = std::from_chars(part.data(), part.data() + part.size(), number);
    const bool is_number = !part.empty() && part[0] != '-' && parsed.ec == std::errc() &&
                           parsed.ptr == part.data() + part.size();
    BRISK_TRY(step(is_number ? of(number) : of(part)));
    if (end == rest.size()) return value;
    rest.remove_prefix(end + 1);
  }
}

Result<Value> get_slice(Runtime& rt, const Value& value, const Value& begin, const Value& end,
                        const Value& step) {
  if (value.is_undefined()) return undefined_error(value);
  if (!is_indexable(value)) return fail("something that can be sliced", std::string(type_name(value)));
  BRISK_ASSIGN(const int64_t size, length_of(rt, value));
  BRISK_ASSIGN(const Range range, slice_range(begin, end, step, size));
  if (value.is_string()) {
    BRISK_ASSIGN(Value part, slice_string(rt, value.text(), range));
    part.markup = value.markup;
    return part;
  }
  const int64_t count = range_count(range);
  BRISK_TRY(rt.charge(count));
  std::vector<Value> items;
  items.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) items.push_back(value.sequence->items[range.begin + i * range.step]);
  const SequenceKind kind = value.sequence->kind;
  BRISK_ASSIGN(const Value part,
               rt.new_sequence(kind == SequenceKind::kGroup ? SequenceKind::kTuple : kind, items));
  if (kind == SequenceKind::kRange) {
    BRISK_ASSIGN(part.sequence->bounds, sliced_bounds(rt, *value.sequence->bounds, range));
  }
  return part;
}

Result<std::span<const Value>> elements(Runtime& rt, const Value& value) {
  switch (value.kind) {
    case Kind::kSequence: {
      Sequence& sequence = *value.sequence;
      if (sequence.kind != SequenceKind::kGenerator) return sequence.all();
      const uint32_t from = std::exchange(sequence.consumed, sequence.size);
      if (sequence.failure != nullptr) return *sequence.failure;
      return sequence.all().subspan(from);
    }
    case Kind::kUndefined: return std::span<const Value>();
    case Kind::kDict: {
      std::vector<Value> keys;
      BRISK_TRY(rt.charge(value.dict->size));
      for (const Dict::Entry& entry : value.dict->all()) keys.push_back(entry.key);
      BRISK_ASSIGN(const Value list, rt.new_list(keys));
      return list.sequence->all();
    }
    case Kind::kString: {
      BRISK_TRY(rt.charge(value.length));
      std::vector<Value> characters;
      for (size_t at = 0; at < value.length; at += characters.back().length) {
        characters.push_back(of(first_character(value.text().substr(at))));
      }
      BRISK_ASSIGN(const Value list, rt.new_list(characters));
      return list.sequence->all();
    }
    case Kind::kLoop: {
      std::vector<Value> rounds;
      while (true) {
        BRISK_ASSIGN(const bool more, advance(*value.loop));
        if (!more) break;
        const Value pair[] = {value.loop->current, value};
        BRISK_ASSIGN(const Value round, rt.new_tuple(pair));
        rounds.push_back(round);
      }
      BRISK_ASSIGN(const Value list, rt.new_list(rounds));
      return list.sequence->all();
    }
    default: return fail("something to walk over", std::string(type_name(value)));
  }
}

Result<Sequence*> sequence_of(Runtime& rt, const Value& value) {
  if (value.is(Kind::kSequence)) return value.sequence;
  BRISK_ASSIGN(const auto items, elements(rt, value));
  BRISK_ASSIGN(const Value list, rt.new_list(items));
  return list.sequence;
}

Result<int64_t> length_of(Runtime& rt, const Value& value) {
  switch (value.kind) {
    case Kind::kString: BRISK_TRY(rt.charge_bytes(value.length / 8)); return count_characters(value.text());
    case Kind::kDict: return value.dict->size;
    case Kind::kLoop: return loop_length(rt, *value.loop);
    case Kind::kSequence:
      if (value.sequence->kind != SequenceKind::kGenerator) return value.sequence->size;
      break;
    case Kind::kUndefined: return int64_t{0};
    default: break;
  }
  return fail("something with a length", std::string(type_name(value)));
}

}  // namespace brisk::text::tmpl
