// Filters that apply another filter or a test to each element: map, select and their kin; and default.
#include "text/template/operators.hpp"

namespace brisk::text::tmpl {
namespace {

Result<std::string_view> builtin_name(const Value& value, std::string_view what) {
  return string_argument(value, "the name of a " + std::string(what));
}

/// map('filter', ...) or map(attribute='path', default=...).
Result<Value> map(Runtime& rt, const Value& self, const Bound& arguments) {
  const Arguments& raw = arguments.raw();
  BRISK_ASSIGN(const auto all, elements(rt, self));
  std::vector<Value> results;
  if (raw.positional.empty()) {
    Value attribute;
    Value fallback;
    for (const NamedValue& named : raw.named) {
      if (named.name != "attribute" && named.name != "default")
        return fail("attribute and default", std::string(named.name));
      (named.name == "attribute" ? attribute : fallback) = named.value;
    }
    if (attribute.is_undefined()) return fail("a filter or attribute=... for map", "neither");
    for (const Value& item : all) {
      BRISK_ASSIGN(const Value found, get_path(rt, item, attribute));
      results.push_back(found.is_undefined() && !fallback.is_undefined() ? fallback : found);
    }
  } else {
    BRISK_ASSIGN(const std::string_view name, builtin_name(raw.positional[0], "filter"));
    const Builtin* filter = find_filter(name);
    if (filter == nullptr) return fail("the name of a filter", "'" + std::string(name.substr(0, 60)) + "'");
    const Arguments rest{{raw.positional.begin() + 1, raw.positional.end()}, raw.named};
    for (const Value& item : all) {
      BRISK_ASSIGN(const Value result, call_builtin(rt, *filter, item, rest));
      results.push_back(result);
    }
  }
  return rt.new_sequence(SequenceKind::kGenerator, results);
}

template <bool kWanted, bool kByAttribute>
Result<Value> choose(Runtime& rt, const Value& self, const Bound& arguments) {
  Arguments rest = arguments.raw();
  Value attribute;
  if (kByAttribute) {
    if (rest.positional.empty()) return fail("the name of an attribute", "nothing");
    attribute = rest.positional[0];
    rest.positional.erase(rest.positional.begin());
  }
  const Builtin* test = nullptr;
  if (!rest.positional.empty()) {
    BRISK_ASSIGN(const std::string_view name, builtin_name(rest.positional[0], "test"));
    test = find_test(name);
    if (test == nullptr) return fail("the name of a test", "'" + std::string(name.substr(0, 60)) + "'");
    rest.positional.erase(rest.positional.begin());
  }
  BRISK_ASSIGN(const auto all, elements(rt, self));
  std::vector<Value> chosen;
  for (const Value& item : all) {
    Value subject = item;
    if (kByAttribute) {
      BRISK_ASSIGN(subject, get_path(rt, item, attribute));
    }
    if (test != nullptr) {
      BRISK_ASSIGN(subject, call_builtin(rt, *test, subject, rest));
    }
    if (truthy(subject) == kWanted) chosen.push_back(item);
  }
  return rt.new_sequence(SequenceKind::kGenerator, chosen);
}

Result<Value> default_value(Runtime&, const Value& self, const Bound& arguments) {
  if (!self.is_undefined() && !(arguments.flag(1) && !truthy(self))) return self;
  return arguments.has(0) ? arguments[0] : of(std::string_view());
}

Result<Value> attr(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const std::string_view name, string_argument(arguments[0], "the attribute"));
  // Attributes alone, not items: a dictionary has only its methods.
  if (self.is(Kind::kDict) && find_builtin(container_methods(self), name) == nullptr) {
    return rt.undefined_because("'dict object' has no attribute '" + std::string(name.substr(0, 60)) + "'");
  }
  return get_attribute(rt, self, name);
}

constexpr Builtin kFilters[] = {
    {"map", "*", map},
    {"select", "*", choose<true, false>},
    {"reject", "*", choose<false, false>},
    {"selectattr", "*", choose<true, true>},
    {"rejectattr", "*", choose<false, true>},
    {"default", "default_value? boolean?", default_value},
    {"d", "default_value? boolean?", default_value},
    {"attr", "name", attr},
};

}  // namespace

std::span<const Builtin> selection_filters() { return kFilters; }

}  // namespace brisk::text::tmpl
