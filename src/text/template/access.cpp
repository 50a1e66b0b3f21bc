// Attributes, items, slices, and walking over values.
#include <algorithm>
#include <charconv>

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

Value loop_attribute(Runtime& rt, const Loop& loop, std::string_view name, bool& found) {
  const auto size = static_cast<int64_t>(loop.items.size());
  found = true;
  if (name == "index") return of(loop.index0 + 1);
  if (name == "index0") return of(loop.index0);
  if (name == "first") return of(loop.index0 == 0);
  if (name == "last") return of(loop.index0 + 1 == size);
  if (name == "length") return of(size);
  if (name == "revindex") return of(size - loop.index0);
  if (name == "revindex0") return of(size - loop.index0 - 1);
  if (name == "depth") return of(loop.depth0 + 1);
  if (name == "depth0") return of(loop.depth0);
  if (name == "previtem") {
    return loop.index0 > 0 ? loop.items[static_cast<size_t>(loop.index0 - 1)]
                           : rt.new_undefined("there is no previous item");
  }
  if (name == "nextitem") {
    return loop.index0 + 1 < size ? loop.items[static_cast<size_t>(loop.index0 + 1)]
                                  : rt.new_undefined("there is no next item");
  }
  found = false;
  return {};
}

/// The methods and attributes proper: what Python's getattr would find.
Result<std::optional<Value>> own_attribute(Runtime& rt, const Value& value, std::string_view name) {
  if (is_mutator(value, name)) {
    BRISK_ASSIGN(const Value why,
                 rt.copy_string("a use of ." + std::string(name) + "(), which would change a " +
                                std::string(type_name(value))));
    return std::optional<Value>(rt.new_undefined(why.text(), true));
  }
  const auto methods = value.is_string() ? string_methods() : container_methods(value);
  if (const Builtin* method = find_builtin(methods, name)) {
    BRISK_ASSIGN(const Value bound, rt.bound_method(*method, value));
    return std::optional<Value>(bound);
  }
  if (value.is(Kind::kLoop)) {
    bool found = false;
    const Value attribute = loop_attribute(rt, *value.loop, name, found);
    if (found) return std::optional<Value>(attribute);
  }
  if (value.is(Kind::kNamespace)) {
    if (const Value* attribute = value.names->attributes.find(name)) return std::optional<Value>(*attribute);
  }
  if (value.is_sequence(SequenceKind::kGroup) && name == "grouper")
    return std::optional<Value>(value.sequence->items[0]);
  if (value.is_sequence(SequenceKind::kGroup) && name == "list")
    return std::optional<Value>(value.sequence->items[1]);
  if (value.is(Kind::kCallable) && value.callable->macro != nullptr && name == "name") {
    return std::optional<Value>(of(value.callable->macro->name));
  }
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
  return std::optional<Value>(of(first_character(value.text().substr(at))));
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

Result<Value> get_path(Runtime& rt, Value value, const Value& path) {
  if (!path.is_string()) return get_item(rt, value, path);
  std::string_view rest = path.text();
  while (true) {
    const size_t end = std::min(rest.find('.'), rest.size());
    const std::string_view part = rest.substr(0, end);
    int64_t number = 0;
    const auto parsed = std::from_chars(part.data(), part.data() + part.size(), number);
    const bool is_number = !part.empty() && part[0] != '-' && parsed.ec == std::errc() &&
                           parsed.ptr == part.data() + part.size();
    BRISK_ASSIGN(value, get_item(rt, value, is_number ? of(number) : of(part)));
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
  if (value.is_string()) return slice_string(rt, value.text(), range);
  const int64_t count = range_count(range);
  BRISK_TRY(rt.charge(count));
  std::vector<Value> items;
  items.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) items.push_back(value.sequence->items[range.begin + i * range.step]);
  const SequenceKind kind = value.sequence->kind;
  return rt.new_sequence(kind == SequenceKind::kGroup ? SequenceKind::kTuple : kind, items);
}

Result<std::span<const Value>> elements(Runtime& rt, const Value& value) {
  switch (value.kind) {
    case Kind::kSequence: return value.sequence->iterate();
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
    default: return fail("something to walk over", std::string(type_name(value)));
  }
}

Result<int64_t> length_of(Runtime& rt, const Value& value) {
  switch (value.kind) {
    case Kind::kString: BRISK_TRY(rt.charge_bytes(value.length / 8)); return count_characters(value.text());
    case Kind::kDict: return value.dict->size;
    case Kind::kLoop: return static_cast<int64_t>(value.loop->items.size());
    case Kind::kSequence:
      if (value.sequence->kind != SequenceKind::kGenerator) return value.sequence->size;
      break;
    case Kind::kUndefined: return int64_t{0};
    default: break;
  }
  return fail("something with a length", std::string(type_name(value)));
}

}  // namespace brisk::text::tmpl
