// The methods of dict, list, tuple and of `loop`. Those that would change an object are refused in
// access.cpp, as the reference's sandbox does: values never change.
#include <algorithm>

#include "text/template/operators.hpp"

namespace brisk::text::tmpl {
namespace {

enum class Part : uint8_t { kKeys, kValues, kItems };

template <Part kPart>
Result<Value> view(Runtime& rt, const Value& self, const Bound&) {
  std::vector<Value> items;
  items.reserve(self.dict->size);
  for (const Dict::Entry& entry : self.dict->all()) {
    if (kPart == Part::kItems) {
      const Value pair[] = {entry.key, entry.value};
      BRISK_ASSIGN(const Value tuple, rt.new_tuple(pair));
      items.push_back(tuple);
    } else {
      items.push_back(kPart == Part::kKeys ? entry.key : entry.value);
    }
  }
  BRISK_ASSIGN(const Value result, rt.new_sequence(SequenceKind::kView, items));
  result.sequence->view_name = kPart == Part::kKeys     ? "dict_keys"
                               : kPart == Part::kValues ? "dict_values"
                                                        : "dict_items";
  return result;
}

Result<Value> get(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_TRY(rt.charge(weight(arguments[0])));
  if (!hashable(arguments[0]))
    return fail("a key that does not change", std::string(type_name(arguments[0])));
  if (const Value* found = self.dict->find(arguments[0])) return *found;
  return arguments.has(1) ? arguments[1] : none();
}

/// dict.fromkeys: each item of the argument with the same value.
Result<Value> from_keys(Runtime& rt, const Value&, const Bound& arguments) {
  BRISK_ASSIGN(const auto keys, elements(rt, arguments[0]));
  BRISK_ASSIGN(Dict* const dict, rt.new_dict());
  const Value value = arguments.has(1) ? arguments[1] : none();
  for (const Value& key : keys) BRISK_TRY(rt.set_item(*dict, key, value));
  return of(dict);
}

/// A value equal to self but not the same.
Result<Value> copy(Runtime& rt, const Value& self, const Bound&) {
  if (self.is(Kind::kSequence)) return rt.new_list(self.sequence->all());
  BRISK_TRY(rt.charge(2));
  return of(rt.create(Dict(*self.dict)));
}

Result<Value> index(Runtime& rt, const Value& self, const Bound& arguments) {
  const int64_t size = self.sequence->size;
  int64_t bounds[2] = {0, size};
  for (size_t i = 0; i < 2; ++i) {
    if (!arguments.has(i + 1)) continue;
    BRISK_ASSIGN(const int64_t bound, integer_argument(arguments[i + 1], "a bound of index()"));
    bounds[i] = std::clamp<int64_t>(bound < 0 ? bound + size : bound, 0, size);
  }
  for (int64_t i = bounds[0]; i < bounds[1]; ++i) {
    BRISK_ASSIGN(const bool same, equal_charged(rt, self.sequence->items[i], arguments[0]));
    if (same) return of(i);
  }
  return fail("a list that holds what is looked for", "one without it");
}

Result<Value> count(Runtime& rt, const Value& self, const Bound& arguments) {
  int64_t found = 0;
  for (const Value& item : self.sequence->all()) {
    BRISK_ASSIGN(const bool same, equal_charged(rt, item, arguments[0]));
    found += same ? 1 : 0;
  }
  return of(found);
}

Result<Value> cycle(Runtime&, const Value& self, const Bound& arguments) {
  const auto& values = arguments.raw().positional;
  if (values.empty()) return fail("values to cycle through", "none");
  return values[static_cast<size_t>(self.loop->index0) % values.size()];
}

Result<Value> next_of_cycle(Runtime&, const Value& self, const Bound&) {
  Helper& helper = *self.helper;
  const Value now = helper.cycled->items[helper.position];
  helper.position = (helper.position + 1) % helper.cycled->size;
  return now;
}

Result<Value> reset_cycle(Runtime&, const Value& self, const Bound&) {
  self.helper->position = 0;
  return none();
}

Result<Value> changed(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const Value now, rt.new_tuple(arguments.raw().positional));
  BRISK_ASSIGN(const bool same, equal_charged(rt, self.loop->last_changed, now));
  self.loop->last_changed = now;
  return of(!same);
}

constexpr Builtin kDictMethods[] = {
    {"get", "key default? /", get},
    {"keys", "", view<Part::kKeys>},
    {"values", "", view<Part::kValues>},
    {"items", "", view<Part::kItems>},
    {"copy", "", copy},
    {"fromkeys", "iterable value? /", from_keys},
};
constexpr Builtin kListMethods[] = {
    {"index", "value start? stop? /", index}, {"count", "value /", count}, {"copy", "", copy}};
constexpr Builtin kTupleMethods[] = {{"index", "value start? stop? /", index}, {"count", "value /", count}};
constexpr Builtin kRangeMethods[] = {{"index", "value /", index}, {"count", "value /", count}};
constexpr Builtin kCyclerMethods[] = {{"next", "", next_of_cycle}, {"reset", "", reset_cycle}};
constexpr Builtin kLoopMethods[] = {{"cycle", "*", cycle}, {"changed", "*", changed}};

}  // namespace

std::span<const Builtin> dict_methods() { return kDictMethods; }

std::span<const Builtin> container_methods(const Value& value) {
  switch (value.kind) {
    case Kind::kDict: return kDictMethods;
    case Kind::kLoop: return kLoopMethods;
    case Kind::kHelper:
      return value.helper->cycled == nullptr ? std::span<const Builtin>() : std::span(kCyclerMethods);
    case Kind::kSequence: break;
    default: return {};
  }
  switch (value.sequence->kind) {
    case SequenceKind::kList: return kListMethods;
    case SequenceKind::kTuple:
    case SequenceKind::kGroup: return kTupleMethods;
    case SequenceKind::kRange: return kRangeMethods;
    default: return {};
  }
}

}  // namespace brisk::text::tmpl
