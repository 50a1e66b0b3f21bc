// The global functions: range, dict, namespace, raise_exception, strftime_now.
#include <chrono>
#include <cstdlib>
#include <ctime>

#include "text/template/operators.hpp"
#include "text/template/print.hpp"

namespace brisk::text::tmpl {
namespace {

constexpr int64_t kMaxRange = 100'000;  // the reference's own limit

Result<Value> new_range(Runtime& rt, const RangeBounds& bounds, std::span<const Value> numbers) {
  BRISK_ASSIGN(const Value range, rt.new_sequence(SequenceKind::kRange, numbers));
  range.sequence->bounds = rt.create(bounds);
  return range;
}

Result<Value> range(Runtime& rt, const Value&, const Bound& arguments) {
  int64_t bounds[3] = {0, 0, 1};  // begin, end, step
  const size_t given = arguments.has(2) ? 3 : arguments.has(1) ? 2 : 1;
  for (size_t i = 0; i < given; ++i) {
    BRISK_ASSIGN(bounds[given == 1 ? 1 : i], integer_argument(arguments[i], "a bound of range"));
  }
  const auto [begin, end, step] = bounds;
  if (step == 0) return fail("a range step other than zero", "zero");
  const bool forward = step > 0;
  if (forward ? begin >= end : begin <= end) return new_range(rt, {begin, end, step}, {});
  const uint64_t span = forward ? static_cast<uint64_t>(end) - static_cast<uint64_t>(begin)
                                : static_cast<uint64_t>(begin) - static_cast<uint64_t>(end);
  const uint64_t stride = forward ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  const uint64_t count = (span - 1) / stride + 1;
  if (count > static_cast<uint64_t>(kMaxRange)) {
    return fail("a range of at most " + std::to_string(kMaxRange) + " numbers", std::to_string(count));
  }
  BRISK_TRY(rt.charge(static_cast<int64_t>(count)));
  std::vector<Value> numbers;
  numbers.reserve(count);
  for (uint64_t i = 0; i < count; ++i)
    numbers.push_back(
        of(static_cast<int64_t>(static_cast<uint64_t>(begin) + i * static_cast<uint64_t>(step))));
  return new_range(rt, {begin, end, step}, numbers);
}

/// What dict(...) takes: a dictionary or pairs, then keyword arguments.
Status fill_dict(Runtime& rt, Dict& dict, const Arguments& arguments) {
  if (arguments.positional.size() > 1) return fail("at most one argument by position", "more");
  for (const Value& source : arguments.positional) {
    if (source.is_undefined()) return undefined_error(source);
    if (source.is(Kind::kDict)) {
      for (const Dict::Entry& entry : source.dict->all())
        BRISK_TRY(rt.set_item(dict, entry.key, entry.value));
      continue;
    }
    BRISK_ASSIGN(const auto pairs, elements(rt, source));
    for (const Value& pair : pairs) {
      BRISK_ASSIGN(const auto parts, elements(rt, pair));
      if (parts.size() != 2)
        return fail("pairs of a key and a value", std::to_string(parts.size()) + " parts");
      BRISK_TRY(rt.set_item(dict, parts[0], parts[1]));
    }
  }
  for (const NamedValue& named : arguments.named) BRISK_TRY(rt.set_item(dict, of(named.name), named.value));
  return {};
}

Result<Value> make_dict(Runtime& rt, const Value&, const Bound& arguments) {
  BRISK_ASSIGN(Dict* const dict, rt.new_dict());
  BRISK_TRY(fill_dict(rt, *dict, arguments.raw()));
  return of(dict);
}

Result<Value> make_namespace(Runtime& rt, const Value&, const Bound& arguments) {
  BRISK_TRY(rt.charge(2));
  Namespace* const names = rt.create(Namespace{});
  BRISK_TRY(fill_dict(rt, names->attributes, arguments.raw()));
  for (const Dict::Entry& entry : names->attributes.all()) {
    if (entry.key.is_string() && entry.key.text().starts_with("_")) {
      return fail("attributes that do not begin with '_'", quoted(entry.key.text().substr(0, 60)));
    }
  }
  return of(names);
}

Result<Value> raise_exception(Runtime& rt, const Value&, const Bound& arguments) {
  BRISK_ASSIGN(const Value message, to_str(rt, arguments[0]));
  return fail("a conversation that the template accepts", std::string(message.text()));
}

/// BRISK_NOW ("2024-07-26" or "2024-07-26T14:05:00", a zone after it is passed over), or the clock.
Result<std::tm> current_time() {
  std::tm time{};
  const char* fixed = std::getenv("BRISK_NOW");
  if (fixed == nullptr || *fixed == '\0') {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    localtime_r(&now, &time);
    return time;
  }
  const char* rest = strptime(fixed, "%Y-%m-%d", &time);
  if (rest != nullptr && (*rest == 'T' || *rest == ' ')) rest = strptime(rest + 1, "%H:%M:%S", &time);
  if (rest == nullptr) return fail("BRISK_NOW as an ISO time (2024-07-26T14:05:00)", fixed);
  // Fills in the day of the week and of the year; as UTC, so that no zone shifts the date.
  const std::time_t seconds = timegm(&time);
  gmtime_r(&seconds, &time);
  return time;
}

/// The directive at `at` ("%d", "%-d", "%10A", "%Ey"), which moves past it; empty when it is none.
Result<std::string> read_directive(std::string_view format, size_t& at) {
  size_t end = at + 1;
  const auto skip = [&](std::string_view characters, size_t most) {
    for (; most > 0 && end < format.size() && characters.find(format[end]) != std::string_view::npos; --most)
      ++end;
  };
  skip("_-0^#", 8);
  const size_t width = end;
  skip("0123456789", SIZE_MAX);
  if (end > width + 3) return fail("a width of at most 999 in a date format", "a larger one");
  skip("EO", 1);
  constexpr std::string_view kLetters = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%";
  if (end >= format.size() || kLetters.find(format[end]) == std::string_view::npos) return std::string();
  std::string directive(format.substr(at, end + 1 - at));
  at = end + 1;
  return directive;
}

Result<Value> strftime_now(Runtime& rt, const Value&, const Bound& arguments) {
  BRISK_ASSIGN(const std::string_view format, string_argument(arguments[0], "the format"));
  BRISK_ASSIGN(const std::tm time, current_time());
  std::string out;
  for (size_t at = 0; at < format.size();) {
    BRISK_TRY(rt.charge(8));
    if (format[at] != '%') {
      out += format[at++];
      continue;
    }
    if (format.substr(at).starts_with("%f")) {  // the fraction of a second, which Python answers itself
      out += "000000";
      at += 2;
      continue;
    }
    BRISK_ASSIGN(const std::string directive, read_directive(format, at));
    if (directive.empty()) {  // stands for itself, as in the C library
      out += format[at++];
      continue;
    }
    if (directive.back() == 'z' || directive.back() == 'Z') continue;  // a time without a zone
    char buffer[1200];
    BRISK_TRY(rt.charge_bytes(sizeof buffer));
    out.append(buffer, std::strftime(buffer, sizeof buffer, directive.c_str(), &time));
  }
  return rt.copy_string(out);
}

Result<Value> make_cycler(Runtime& rt, const Value&, const Bound& arguments) {
  const Arguments& raw = arguments.raw();
  if (raw.positional.empty() || !raw.named.empty()) return fail("values to cycle through", "none");
  BRISK_ASSIGN(const Value items, rt.new_tuple(raw.positional));
  return of(rt.create(Helper{items.sequence, 0, Value()}));
}

Result<Value> make_joiner(Runtime& rt, const Value&, const Bound& arguments) {
  BRISK_TRY(rt.charge(2));
  const Value separator = arguments.has(0) ? arguments[0] : of(std::string_view(", "));
  return of(rt.create(Helper{nullptr, 0, separator}));
}

Result<Value> no_lipsum(Runtime&, const Value&, const Bound&) {
  return fail("a template that always gives the same text", "lipsum(), which is random");
}

constexpr Builtin kFunctions[] = {
    {"range", "start stop? step? /", range},  {"dict", "*", make_dict},
    {"namespace", "*", make_namespace},       {"raise_exception", "message", raise_exception},
    {"strftime_now", "format", strftime_now}, {"cycler", "*", make_cycler},
    {"joiner", "sep?", make_joiner},          {"lipsum", "*", no_lipsum},
};

}  // namespace

std::span<const Builtin> global_functions() { return kFunctions; }

}  // namespace brisk::text::tmpl
