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

/// Python compares sort keys as lists: first whether they are equal, which also works for values that have
/// no order.
Result<bool> sorts_before(Runtime& rt, const Value& a, const Value& b) {
  BRISK_ASSIGN(const bool same, equal_charged(rt, a, b));
  return same ? Result<bool>(false) : less(rt, a, b);
}

/// Stable; `reverse` keeps equal ones in their order, too. A failed comparison ends in its error.
Status sort_keyed(Runtime& rt, std::vector<Keyed>& items, bool reverse,
                  Result<bool> (*is_before)(Runtime&, const Value&, const Value&) = less) {
  Status failure;
  merge_sort(items, [&](const Keyed& a, const Keyed& b) {
    if (!failure.ok()) return false;
    const Result<bool> before = reverse ? is_before(rt, b.key, a.key) : is_before(rt, a.key, b.key);
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

/// Python takes nothing but numbers for the `reverse` of sorted().
Result<bool> reverse_argument(const Bound& arguments, size_t i) {
  if (!arguments.has(i)) return false;
  BRISK_ASSIGN(const int64_t reverse, integer_argument(arguments[i], "reverse"));
  return reverse != 0;
}

Result<Value> sort(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const bool reverse, reverse_argument(arguments, 0));
  BRISK_ASSIGN(const auto items, elements(rt, self));
  std::vector<Keyed> keyed;
  for (const Value& item : items) {
    BRISK_ASSIGN(const Value key, sort_key(rt, item, arguments[2], arguments.flag(1)));
    keyed.push_back({key, item});
  }
  BRISK_TRY(sort_keyed(rt, keyed, reverse, sorts_before));
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
  BRISK_ASSIGN(const bool reverse, reverse_argument(arguments, 2));
  BRISK_TRY(sort_keyed(rt, keyed, reverse));
  return list_of(rt, keyed);
}

Result<Value> items(Runtime& rt, const Value& self, const Bound&) {
  if (self.is_undefined()) return rt.new_sequence(SequenceKind::kGenerator, {});
  if (!self.is(Kind::kDict)) return rt.new_generator({}, fail("a dictionary", std::string(type_name(self))));
  return pairs_of(rt, *self.dict, SequenceKind::kGenerator);
}

Result<Value> groupby(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const auto elements_, elements(rt, self));
  std::vector<Keyed> keyed;
  for (const Value& item : elements_) {
    BRISK_ASSIGN(Value key, get_path(rt, item, arguments[0], arguments[1]));
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
    BRISK_ASSIGN(const Value name, get_path(rt, members[0], arguments[0], arguments[1]));
    const Value parts[] = {name, list};
    BRISK_ASSIGN(const Value group, rt.new_sequence(SequenceKind::kGroup, parts));
    groups.push_back(group);
  }
  return rt.new_list(groups);
}

Status unique_items(Runtime& rt, const Value& self, const Bound& arguments, std::vector<Value>& kept) {
  BRISK_ASSIGN(const auto all, elements(rt, self));
  BRISK_ASSIGN(Dict* const seen, rt.new_dict());
  for (const Value& item : all) {
    BRISK_ASSIGN(const Value key, key_of(rt, item, arguments[1], arguments.flag(0)));
    BRISK_TRY(rt.charge(weight(key)));
    if (!hashable(key)) return fail("values that do not change", std::string(type_name(key)));
    if (seen->find(key) != nullptr) continue;
    BRISK_TRY(rt.set_item(*seen, key, key));
    kept.push_back(item);
  }
  return {};
}

Result<Value> unique(Runtime& rt, const Value& self, const Bound& arguments) {
  std::vector<Value> kept;
  const Status status = unique_items(rt, self, arguments, kept);
  return rt.new_generator(kept, status);
}

/// The smallest or largest.
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
  if (self.is(Kind::kLoop)) {
    BRISK_ASSIGN(const auto rounds, elements(rt, self));
    return rounds.empty() ? rt.new_undefined("No first item, sequence was empty.") : rounds.front();
  }
  BRISK_ASSIGN(Sequence* const sequence, sequence_of(rt, self));
  LoopItems items(*sequence);
  Value item;
  BRISK_ASSIGN(const bool found, items.next(item));
  return found ? item : rt.new_undefined("No first item, sequence was empty.");
}

Result<Value> last(Runtime& rt, const Value& self, const Bound&) {
  if (self.is_sequence(SequenceKind::kGenerator))
    return fail("a list", "a generator", "'|list' before '|last'");
  if (self.is_string() && self.length > 0) {
    Value character = of(last_character(self.text()));
    character.markup = self.markup;
    return character;
  }
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
  BRISK_ASSIGN(const auto all, elements(rt, self));
  BRISK_TRY(rt.charge(static_cast<int64_t>(all.size())));
  const std::vector<Value> reversed(all.rbegin(), all.rend());
  // What cannot be walked backwards is made a list first.
  const bool is_iterator = self.is_sequence(SequenceKind::kGenerator) || self.is(Kind::kLoop);
  return rt.new_sequence(is_iterator ? SequenceKind::kList : SequenceKind::kGenerator, reversed);
}

/// In an autoescape block all is escaped as soon as the separator or one item is marked.
Result<Value> join(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const auto all, elements(rt, self));
  std::vector<Value> parts;
  const Value glue = arguments.has(0) ? arguments[0] : of(std::string_view());
  BRISK_ASSIGN(Value separator, to_str(rt, glue));
  bool escapes = separator.markup;
  for (const Value& item : all) {
    Value part = item;
    if (!arguments.is_none(1)) {
      BRISK_ASSIGN(part, get_path(rt, item, arguments[1]));
    }
    escapes |= part.markup;
    parts.push_back(part);
  }
  escapes &= rt.autoescape;
  if (escapes) {
    BRISK_ASSIGN(separator, escaped_text(rt, separator));
  }
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (escapes) {
      BRISK_ASSIGN(parts[i], escaped_text(rt, parts[i]));
    }
    if (i > 0) BRISK_TRY(append_str(rt, out, separator));
    BRISK_TRY(append_str(rt, out, parts[i]));
  }
  BRISK_ASSIGN(Value joined, rt.copy_string(out));
  joined.markup = escapes;
  return joined;
}

/// Lists of `count` items each. A count that no list reaches (zero is passed at once) gives one list of all.
Status batches_of(Runtime& rt, const Value& self, const Bound& arguments, std::vector<Value>& batches) {
  BRISK_ASSIGN(const auto all, elements(rt, self));
  const Value count = arguments[0];
  const auto is_full = [&](size_t size) { return equal(count, of(static_cast<int64_t>(size))); };
  std::vector<Value> part;
  const auto flush = [&]() -> Status {
    BRISK_ASSIGN(const Value list, rt.new_list(part));
    batches.push_back(list);
    part.clear();
    return {};
  };
  for (const Value& item : all) {
    if (is_full(part.size())) BRISK_TRY(flush());
    part.push_back(item);
  }
  if (part.empty()) return {};
  if (!arguments.is_none(1)) {
    BRISK_ASSIGN(const bool lacks, less(rt, of(static_cast<int64_t>(part.size())), count));
    if (lacks) {
      BRISK_ASSIGN(const int64_t wanted, integer_argument(count, "the count"));
      const int64_t lacking = wanted - static_cast<int64_t>(part.size());
      BRISK_TRY(rt.charge(lacking));
      part.insert(part.end(), static_cast<size_t>(lacking), arguments[1]);
    }
  }
  return flush();
}

Result<Value> batch(Runtime& rt, const Value& self, const Bound& arguments) {
  std::vector<Value> batches;
  const Status status = batches_of(rt, self, arguments, batches);
  return rt.new_generator(batches, status);
}

Status slices_of(Runtime& rt, const Value& self, const Bound& arguments, std::vector<Value>& parts) {
  BRISK_ASSIGN(const auto all, elements(rt, self));
  BRISK_ASSIGN(const int64_t slices, integer_argument(arguments[0], "the count"));
  if (slices == 0) return fail("a count other than zero", "zero");
  if (slices < 0) return {};
  BRISK_TRY(rt.charge(slices));
  const auto size = static_cast<int64_t>(all.size());
  for (int64_t i = 0, begin = 0; i < slices; ++i) {
    const int64_t end = begin + size / slices + (i < size % slices ? 1 : 0);
    std::vector<Value> part(all.begin() + begin, all.begin() + end);
    if (!arguments.is_none(1) && i >= size % slices) part.push_back(arguments[1]);
    BRISK_ASSIGN(const Value list, rt.new_list(part));
    parts.push_back(list);
    begin = end;
  }
  return {};
}

Result<Value> slice(Runtime& rt, const Value& self, const Bound& arguments) {
  std::vector<Value> parts;
  const Status status = slices_of(rt, self, arguments, parts);
  return rt.new_generator(parts, status);
}

/// Any item would do; it is the same one each time that the template runs.
Result<Value> random(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(const int64_t size, length_of(rt, self));
  if (size == 0) return rt.new_undefined("No random item, sequence was empty.");
  if (self.is(Kind::kDict)) return fail("a list", "a dictionary");
  return get_item(rt, self, of(static_cast<int64_t>(rt.next_random() % static_cast<uint64_t>(size))));
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
    {"random", "", random, true},
    {"list", "", list},
    {"reverse", "", reverse},
    {"join", "d? attribute?", join},
    {"batch", "linecount fill_with?", batch},
    {"slice", "slices fill_with?", slice},
};

}  // namespace

std::span<const Builtin> sequence_filters() { return kFilters; }

}  // namespace brisk::text::tmpl
