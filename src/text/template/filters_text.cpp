// Filters that make text.
#include <algorithm>

#include "text/template/format.hpp"
#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

/// `kKeeps`: a marked string stays marked.
template <std::string (*Map)(std::string_view), bool kKeeps>
Result<Value> mapped(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(const Value text, to_str(rt, self));
  BRISK_TRY(rt.charge(text.length));
  BRISK_ASSIGN(Value result, rt.copy_string(Map(text.text())));
  result.markup = kKeeps && text.markup;
  return result;
}

/// Unlike str.title, words begin after blanks, '-' and opening brackets only.
std::string title(std::string_view text) {
  std::string out;
  size_t begin = 0;
  const auto flush = [&](size_t end) {
    const std::string_view word = text.substr(begin, end - begin);
    const std::string_view first = first_character(word);
    out += to_upper(first) + to_lower(word.substr(first.size()));
  };
  for (size_t at = 0, length = 0; at < text.size(); at += length) {
    const char32_t c = character_at(text, at, length);
    if (!is_space(c) &&
        !(c < 0x80 && std::string_view("-({[<").find(static_cast<char>(c)) != std::string_view::npos))
      continue;
    flush(at);
    out += text.substr(at, length);
    begin = at + length;
  }
  flush(text.size());
  return out;
}

Result<Value> trim(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const Value text, to_str(rt, self));
  BRISK_TRY(rt.charge_bytes(text.length / 8));
  Value trimmed;
  if (arguments.is_none(0)) {
    trimmed = of(strip(text.text(), Side::kBoth));
  } else {
    BRISK_ASSIGN(const std::string_view characters, string_argument(arguments[0], "the characters to trim"));
    BRISK_TRY(rt.charge(static_cast<int64_t>(text.text().size() * characters.size() / 64)));
    trimmed = of(strip(text.text(), Side::kBoth, &characters));
  }
  trimmed.markup = text.markup;
  return trimmed;
}

/// In an autoescape block what is put in is escaped when the text is marked, and the text as soon as what is
/// put in is marked.
Result<Value> replace(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(Value text, to_str(rt, self));
  BRISK_ASSIGN(const Value from, to_str(rt, arguments[0]));
  BRISK_ASSIGN(Value to, to_str(rt, arguments[1]));
  int64_t count = -1;
  if (!arguments.is_none(2)) {
    BRISK_ASSIGN(count, integer_argument(arguments[2], "the count"));
  }
  if (!rt.autoescape) {
    BRISK_ASSIGN(Value replaced, replace_text(rt, text, from.text(), to.text(), count));
    replaced.markup = false;
    return replaced;
  }
  if (from.markup || (to.markup && !text.markup)) {
    BRISK_ASSIGN(text, escaped_text(rt, text));
  }
  if (text.markup) {
    BRISK_ASSIGN(to, escaped_text(rt, to));
  }
  BRISK_ASSIGN(Value replaced, replace_text(rt, text, from.text(), to.text(), count));
  replaced.markup = text.markup;
  return replaced;
}

Result<Value> string(Runtime& rt, const Value& self, const Bound&) { return to_str(rt, self); }

Result<Value> format(Runtime& rt, const Value& self, const Bound& arguments) {
  const Arguments& raw = arguments.raw();
  BRISK_ASSIGN(const Value pattern, to_str(rt, self));
  if (!raw.positional.empty() && !raw.named.empty()) return fail("values by position or by name", "both");
  if (raw.named.empty()) {
    BRISK_ASSIGN(const Value values, rt.new_tuple(raw.positional));
    return format_percent(rt, pattern, values);
  }
  BRISK_ASSIGN(Dict* const values, rt.new_dict());
  for (const NamedValue& named : raw.named) BRISK_TRY(rt.set_item(*values, of(named.name), named.value));
  return format_percent(rt, pattern, of(values));
}

Result<JsonStyle> json_style(Runtime& rt, const Bound& arguments, bool is_text) {
  JsonStyle style;
  style.ensure_ascii = arguments.flag(0);
  if (!arguments.is_none(1)) {
    style.indented = true;
    style.item_separator = ",";
    if (arguments[1].is_string()) {
      style.indent = arguments[1].text();
    } else if (!is_text) {  // text has no lines: any indent will do
      BRISK_ASSIGN(const int64_t width, integer_argument(arguments[1], "the indent"));
      if (width > 1000) return fail("an indent of at most 1000", std::to_string(width));
      style.indent.assign(static_cast<size_t>(std::max<int64_t>(width, 0)), ' ');
    }
  }
  if (!arguments.is_none(2)) {
    BRISK_ASSIGN(const auto pair, elements(rt, arguments[2]));
    if (pair.size() != 2) return fail("a pair of separators", std::to_string(pair.size()) + " of them");
    BRISK_ASSIGN(style.item_separator, string_argument(pair[0], "a separator"));
    BRISK_ASSIGN(style.key_separator, string_argument(pair[1], "a separator"));
  }
  style.sort_keys = arguments.flag(3);
  return style;
}

Result<Value> tojson(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const JsonStyle style, json_style(rt, arguments, self.is_string()));
  std::string out;
  BRISK_TRY(append_json(rt, out, self, style));
  return rt.copy_string(out);
}

constexpr Builtin kFilters[] = {
    {"upper", "", mapped<to_upper, true>},
    {"lower", "", mapped<to_lower, true>},
    {"capitalize", "", mapped<capitalize, true>},
    {"title", "", mapped<title, false>},
    {"trim", "chars?", trim},
    {"replace", "old new count?", replace},
    {"string", "", string},
    {"format", "*", format},
    {"tojson", "ensure_ascii? indent? separators? sort_keys?", tojson},
};

}  // namespace

std::span<const Builtin> text_filters() { return kFilters; }

}  // namespace brisk::text::tmpl
