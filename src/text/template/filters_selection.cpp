// Filters that apply another filter or a test to each element: map, select and their kin; and default.
#include "text/template/operators.hpp"

namespace brisk::text::tmpl {
namespace {

Result<std::string_view> builtin_name(const Value& value, std::string_view what) {
  return string_argument(value, "the name of a " + std::string(what));
}

/// What map(...) does to each item: a filter by its name, or attribute='path' and a default.
struct Mapping {
  const Builtin* filter = nullptr;
  Arguments arguments;
  Value attribute;
  Value fallback;
};

Result<Mapping> mapping_of(const Arguments& raw) {
  Mapping mapping;
  if (!raw.positional.empty()) {
    BRISK_ASSIGN(const std::string_view name, builtin_name(raw.positional[0], "filter"));
    mapping.filter = find_filter(name);
    if (mapping.filter == nullptr)
      return fail("the name of a filter", "'" + std::string(name.substr(0, 60)) + "'");
    mapping.arguments = {{raw.positional.begin() + 1, raw.positional.end()}, raw.named};
    return mapping;
  }
  bool has_attribute = false;
  for (const NamedValue& named : raw.named) {
    if (named.name != "attribute" && named.name != "default")
      return fail("attribute and default", std::string(named.name));
    has_attribute |= named.name == "attribute";
    (named.name == "attribute" ? mapping.attribute : mapping.fallback) = named.value;
  }
  if (!has_attribute) return fail("a filter or attribute=... for map", "neither");
  return mapping;
}

Result<Value> apply(Runtime& rt, const Mapping& mapping, const Value& item) {
  if (mapping.filter != nullptr) return call_builtin(rt, *mapping.filter, item, mapping.arguments);
  return get_path(rt, item, mapping.attribute, mapping.fallback);
}

Status map_items(Runtime& rt, const Value& self, const Arguments& raw, std::vector<Value>& results) {
  if (!truthy(self)) return {};
  BRISK_ASSIGN(const Mapping mapping, mapping_of(raw));
  BRISK_ASSIGN(const auto all, elements(rt, self));
  for (const Value& item : all) {
    BRISK_ASSIGN(const Value result, apply(rt, mapping, item));
    results.push_back(result);
  }
  return {};
}

Result<Value> map(Runtime& rt, const Value& self, const Bound& arguments) {
  std::vector<Value> results;
  const Status status = map_items(rt, self, arguments.raw(), results);
  return rt.new_generator(results, status);
}

template <bool kWanted, bool kByAttribute>
Status choose_items(Runtime& rt, const Value& self, Arguments rest, std::vector<Value>& chosen) {
  if (!truthy(self)) return {};
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
  return {};
}

template <bool kWanted, bool kByAttribute>
Result<Value> choose(Runtime& rt, const Value& self, const Bound& arguments) {
  std::vector<Value> chosen;
  const Status status = choose_items<kWanted, kByAttribute>(rt, self, arguments.raw(), chosen);
  return rt.new_generator(chosen, status);
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
    {"map", "*", map, true},
    {"select", "*", choose<true, false>, true},
    {"reject", "*", choose<false, false>, true},
    {"selectattr", "*", choose<true, true>, true},
    {"rejectattr", "*", choose<false, true>, true},
    {"default", "default_value? boolean?", default_value},
    {"d", "default_value? boolean?", default_value},
    {"attr", "name", attr},
};

}  // namespace

std::span<const Builtin> selection_filters() { return kFilters; }

}  // namespace brisk::text::tmpl
