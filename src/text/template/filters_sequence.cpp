// Filters over whole sequences: order, ends, groups, sums.
#include <algorithm>

#include "text/template/merge_sort.hpp"
#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

/// The key that sorting and grouping compare: an attribute, without regard to case unless asked.
Result<Value> key_of(Runtime& rt, const Value& item, const Value& attribute, bool case_sensitive) {
  Value key = item;
  if (!attribute.is_none() && !attribute.is_undefined()) {
    BRISK_ASSIGN(key, get_path(rt, item, attribute));
  }
  if (case_sensitive || !key.is_string()) return key;
  return rt.copy_string(to_lower(key.text()));
}

struct Keyed {
  Value key;
  Value item;
};

/// Stable; `reverse` keeps equal ones in their order, too. A failed comparison ends in its error.
Status sort_keyed(Runtime& rt, std::vector<Keyed>& items, bool reverse) {
  Status failure;
  merge_sort(items, [&](const Keyed& a, const Keyed& b) {
    if (!failure.ok()) return false;
    const Result<bool> before = reverse ? less(rt, b.key, a.key) : less(rt, a.key, b.key);
    if (!before.ok()) failure = before.status();
    return before.ok() && *before;
  });
  return failure;
}

Result<Value> list_of(Runtime& rt, const std::vector<Keyed>& keyed) {
  std::vector<Value> items;
  items.reserve(keyed.size());
  for (const Keyed& entry : keyed) items.push_back(entry.item);
  return rt.new_list(items);
}

/// The keys of `attribute` ("a,b" means by a, then by b) as one value to compare.
Result<Value> sort_key(Runtime& rt, const Value& item, const Value& attribute, bool case_sensitive) {
  if (!attribute.is_string() || attribute.text().find(',') == std::string_view::npos) {
    return key_of(rt, item, attribute, case_sensitive);
  }
  std::vector<Value> keys;
  std::string_view rest = attribute.text();
  while (true) {
    const size_t end = std::min(rest.find(','), rest.size());
    BRISK_ASSIGN(const Value key, key_of(rt, item, of(rest.substr(0, end)), case_sensitive));
    keys.push_back(key);
    if (end == rest.size()) return rt.new_tuple(keys);
    rest.remove_prefix(end + 1);
  }
}

Result<Value> sort(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const auto items, elements(rt, self));
  std::vector<Keyed> keyed;
  for (const Value& item : items) {
    BRISK_ASSIGN(const Value key, sort_key(rt, item, arguments[2], arguments.flag(1)));
    keyed.push_back({key, item});
  }
  BRISK_TRY(sort_keyed(rt, keyed, arguments.flag(0)));
  return list_of(rt, keyed);
}

Result<Value> pairs_of(Runtime& rt, const Dict& dict, SequenceKind kind) {
  std::vector<Value> pairs;
  for (const Dict::Entry& entry : dict.all()) {
    const Value parts[] = {entry.key, entry.value};
    BRISK_ASSIGN(const Value pair, rt.new_tuple(parts));
    pairs.push_back(pair);
  }
  return rt.new_sequence(kind, pairs);
}

Result<Value> dictsort(Runtime& rt, const Value& self, const Bound& arguments) {
  if (!self.is(Kind::kDict)) return fail("a dictionary to sort", std::string(type_name(self)));
  const bool by_value = arguments.has(1) && equal(arguments[1], of(std::string_view("value")));
  if (arguments.has(1) && !by_value && !equal(arguments[1], of(std::string_view("key")))) {
    return fail("by='key' or by='value'", "another word");
  }
  BRISK_ASSIGN(const Value pairs, pairs_of(rt, *self.dict, SequenceKind::kList));
  std::vector<Keyed> keyed;
  for (const Value& pair : pairs.sequence->all()) {
    BRISK_ASSIGN(const Value key,
                 key_of(rt, pair.sequence->items[by_value ? 1 : 0], none(), arguments.flag(0)));
    keyed.push_back({key, pair});
  }
  BRISK_TRY(sort_keyed(rt, keyed, arguments.flag(2)));
  return list_of(rt, keyed);
}

Result<Value> items(Runtime& rt, const Value& self, const Bound&) {
  if (self.is_undefined()) return rt.new_sequence(SequenceKind::kGenerator, {});
  if (!self.is(Kind::kDict)) return fail("a dictionary", std::string(type_name(self)));
  return pairs_of(rt, *self.dict, SequenceKind::kGenerator);
}

Result<Value> groupby(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const auto elements_, elements(rt, self));
  std::vector<Keyed> keyed;
  for (const Value& item : elements_) {
    BRISK_ASSIGN(Value key, get_path(rt, item, arguments[0]));
    if (key.is_undefined() && arguments.has(1)) key = arguments[1];
    BRISK_ASSIGN(key, key_of(rt, key, none(), arguments.flag(2)));
    keyed.push_back({key, item});
  }
  BRISK_TRY(sort_keyed(rt, keyed, false));
  std::vector<Value> groups;
  for (size_t begin = 0, end = 0; begin < keyed.size(); begin = end) {
    std::vector<Value> members;
    for (end = begin; end < keyed.size(); ++end) {
      BRISK_ASSIGN(const bool same, equal_charged(rt, keyed[begin].key, keyed[end].key));
      if (!same) break;
      members.push_back(keyed[end].item);
    }
    BRISK_ASSIGN(const Value list, rt.new_list(members));
    // The group is named by its first member's own key, whose case is kept.
    BRISK_ASSIGN(Value name, get_path(rt, members[0], arguments[0]));
    if (name.is_undefined() && arguments.has(1)) name = arguments[1];
    const Value parts[] = {name, list};
    BRISK_ASSIGN(const Value group, rt.new_sequence(SequenceKind::kGroup, parts));
    groups.push_back(group);
  }
  return rt.new_list(groups);
}

Result<Value> unique(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const auto all, elements(rt, self));
  BRISK_ASSIGN(Dict* const seen, rt.new_dict());
  std::vector<Value> kept;
  for (const Value& item : all) {
    BRISK_ASSIGN(const Value key, key_of(rt, item, arguments[1], arguments.flag(0)));
    const uint32_t before = seen->size;
    BRISK_TRY(rt.set_item(*seen, key, none()));
    if (seen->size > before) kept.push_back(item);
  }
  return rt.new_sequence(SequenceKind::kGenerator, kept);
}

template <bool kMax>
Result<Value> extreme(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const auto all, elements(rt, self));
  if (all.empty()) return rt.new_undefined("No aggregated item, sequence was empty.");
  Value best = all[0];
  BRISK_ASSIGN(Value best_key, key_of(rt, best, arguments[1], arguments.flag(0)));
  for (const Value& item : all.subspan(1)) {
    BRISK_ASSIGN(const Value key, key_of(rt, item, arguments[1], arguments.flag(0)));
    BRISK_ASSIGN(const bool better, kMax ? less(rt, best_key, key) : less(rt, key, best_key));
    if (!better) continue;
    best = item;
    best_key = key;
  }
  return best;
}

Result<Value> sum(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const auto all, elements(rt, self));
  Value total = arguments.has(1) ? arguments[1] : of(int64_t{0});
  if (total.is_string()) return fail("numbers to sum", "a string");
  for (const Value& item : all) {
    Value part = item;
    if (!arguments.is_none(0)) {
      BRISK_ASSIGN(part, get_path(rt, item, arguments[0]));
    }
    BRISK_ASSIGN(total, binary(rt, BinaryOp::kAdd, total, part));
  }
  return total;
}

Result<Value> first(Runtime& rt, const Value& self, const Bound&) {
  if (self.is_string() && self.length > 0) return of(first_character(self.text()));
  if (self.is_sequence(SequenceKind::kGenerator) && self.sequence->consumed < self.sequence->size) {
    return self.sequence->items[self.sequence->consumed++];
  }
  BRISK_ASSIGN(const auto all, elements(rt, self));
  return all.empty() ? rt.new_undefined("No first item, sequence was empty.") : all.front();
}

Result<Value> last(Runtime& rt, const Value& self, const Bound&) {
  if (self.is_sequence(SequenceKind::kGenerator))
    return fail("a list", "a generator", "'|list' before '|last'");
  if (self.is_undefined()) return undefined_error(self);
  if (self.is_string() && self.length > 0) return of(last_character(self.text()));
  BRISK_ASSIGN(const auto all, elements(rt, self));
  return all.empty() ? rt.new_undefined("No last item, sequence was empty.") : all.back();
}

Result<Value> length(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(const int64_t size, length_of(rt, self));
  return of(size);
}

Result<Value> list(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(const auto all, elements(rt, self));
  return rt.new_list(all);
}

Result<Value> reverse(Runtime& rt, const Value& self, const Bound&) {
  if (self.is_string()) return get_slice(rt, self, none(), none(), of(int64_t{-1}));
  if (self.is_undefined()) return undefined_error(self);
  BRISK_ASSIGN(const auto all, elements(rt, self));
  BRISK_TRY(rt.charge(static_cast<int64_t>(all.size())));
  const std::vector<Value> reversed(all.rbegin(), all.rend());
  return rt.new_sequence(SequenceKind::kGenerator, reversed);
}

Result<Value> join(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const auto all, elements(rt, self));
  BRISK_ASSIGN(const Value separator, to_str(rt, arguments[0]));
  std::string out;
  for (size_t i = 0; i < all.size(); ++i) {
    Value item = all[i];
    if (!arguments.is_none(1)) {
      BRISK_ASSIGN(item, get_path(rt, item, arguments[1]));
    }
    if (i > 0) BRISK_TRY(append_str(rt, out, separator));
    BRISK_TRY(append_str(rt, out, item));
  }
  return rt.copy_string(out);
}

Result<int64_t> positive_count(const Value& value) {
  BRISK_ASSIGN(const int64_t count, integer_argument(value, "the count"));
  if (count < 1) return fail("a count of at least 1", std::to_string(count));
  return count;
}

Result<Value> batch(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const int64_t count, positive_count(arguments[0]));
  BRISK_ASSIGN(const auto all, elements(rt, self));
  std::vector<Value> batches;
  for (size_t begin = 0; begin < all.size();) {
    const size_t size = std::min(all.size() - begin, static_cast<size_t>(count));
    std::vector<Value> part(all.begin() + static_cast<int64_t>(begin),
                            all.begin() + static_cast<int64_t>(begin + size));
    const auto lacking = static_cast<int64_t>(count) - static_cast<int64_t>(size);
    if (lacking > 0 && !arguments.is_none(1)) {
      BRISK_TRY(rt.charge(lacking));
      part.insert(part.end(), static_cast<size_t>(lacking), arguments[1]);
    }
    BRISK_ASSIGN(const Value list_, rt.new_list(part));
    batches.push_back(list_);
    begin += size;
  }
  return rt.new_sequence(SequenceKind::kGenerator, batches);
}

Result<Value> slice(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const int64_t slices, positive_count(arguments[0]));
  BRISK_ASSIGN(const auto all, elements(rt, self));
  BRISK_TRY(rt.charge(slices));
  const auto size = static_cast<int64_t>(all.size());
  std::vector<Value> parts;
  for (int64_t i = 0, begin = 0; i < slices; ++i) {
    const int64_t end = begin + size / slices + (i < size % slices ? 1 : 0);
    std::vector<Value> part(all.begin() + begin, all.begin() + end);
    if (!arguments.is_none(1) && i >= size % slices) part.push_back(arguments[1]);
    BRISK_ASSIGN(const Value list_, rt.new_list(part));
    parts.push_back(list_);
    begin = end;
  }
  return rt.new_sequence(SequenceKind::kGenerator, parts);
}

constexpr Builtin kFilters[] = {
    {"sort", "reverse? case_sensitive? attribute?", sort},
    {"dictsort", "case_sensitive? by? reverse?", dictsort},
    {"items", "", items},
    {"groupby", "attribute default? case_sensitive?", groupby},
    {"unique", "case_sensitive? attribute?", unique},
    {"min", "case_sensitive? attribute?", extreme<false>},
    {"max", "case_sensitive? attribute?", extreme<true>},
    {"sum", "attribute? start?", sum},
    {"first", "", first},
    {"last", "", last},
    {"length", "", length},
    {"count", "", length},
    {"list", "", list},
    {"reverse", "", reverse},
    {"join", "d? attribute?", join},
    {"batch", "linecount fill_with?", batch},
    {"slice", "slices fill_with?", slice},
};

}  // namespace

std::span<const Builtin> sequence_filters() { return kFilters; }

}  // namespace brisk::text::tmpl
