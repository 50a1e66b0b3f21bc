// Filters that make text.
#include <algorithm>

#include "text/template/format.hpp"
#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

template <std::string (*Map)(std::string_view)>
Result<Value> mapped(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(const Value text, to_str(rt, self));
  BRISK_TRY(rt.charge(text.length));
  return rt.copy_string(Map(text.text()));
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
  if (arguments.is_none(0)) return of(strip(text.text(), Side::kBoth));
  BRISK_ASSIGN(const std::string_view characters, string_argument(arguments[0], "the characters to trim"));
  BRISK_TRY(rt.charge(static_cast<int64_t>(text.text().size() * characters.size() / 64)));
  return of(strip(text.text(), Side::kBoth, &characters));
}

Result<Value> replace(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const Value text, to_str(rt, self));
  BRISK_ASSIGN(const Value from, to_str(rt, arguments[0]));
  BRISK_ASSIGN(const Value to, to_str(rt, arguments[1]));
  int64_t count = -1;
  if (!arguments.is_none(2)) {
    BRISK_ASSIGN(count, integer_argument(arguments[2], "the count"));
  }
  return replace_text(rt, text, from.text(), to.text(), count);
}

Result<Value> string(Runtime& rt, const Value& self, const Bound&) { return to_str(rt, self); }

Result<Value> mark_safe(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(Value text, to_str(rt, self));
  text.markup = true;
  return text;
}

template <bool kForce>
Result<Value> escape(Runtime& rt, const Value& self, const Bound&) {
  if (self.markup && !kForce) return self;
  BRISK_ASSIGN(const Value plain, to_str(rt, self));
  BRISK_TRY(rt.charge_bytes(plain.length));
  BRISK_ASSIGN(Value text, rt.copy_string(escape_html(plain.text())));
  text.markup = true;
  return text;
}

Result<Value> format(Runtime& rt, const Value& self, const Bound& arguments) {
  const Arguments& raw = arguments.raw();
  BRISK_ASSIGN(const Value pattern, to_str(rt, self));
  if (!raw.positional.empty() && !raw.named.empty()) return fail("values by position or by name", "both");
  if (raw.named.empty()) {
    BRISK_ASSIGN(const Value values, rt.new_tuple(raw.positional));
    return format_percent(rt, pattern.text(), values);
  }
  BRISK_ASSIGN(Dict* const values, rt.new_dict());
  for (const NamedValue& named : raw.named) BRISK_TRY(rt.set_item(*values, of(named.name), named.value));
  return format_percent(rt, pattern.text(), of(values));
}

Result<Value> indent(Runtime& rt, const Value& self, const Bound& arguments) {
  if (!self.is_string()) return fail("text to indent", std::string(type_name(self)));
  std::string blanks(4, ' ');
  if (arguments.has(0) && arguments[0].is_string()) {
    blanks = arguments[0].text();
  } else if (arguments.has(0)) {
    BRISK_ASSIGN(const int64_t width, integer_argument(arguments[0], "the width"));
    BRISK_TRY(rt.charge(std::max<int64_t>(width, 0)));
    blanks.assign(static_cast<size_t>(std::max<int64_t>(width, 0)), ' ');
  }
  // The last line is known by the newline that is added, as in the reference.
  BRISK_TRY(rt.charge(self.length));
  std::vector<std::string_view> lines;
  std::string_view rest = self.text();
  bool more = true;
  while (more) {
    size_t end = 0;
    for (size_t length = 0; end < rest.size() && !is_line_break(character_at(rest, end, length));)
      end += length;
    lines.push_back(rest.substr(0, end));
    more = end < rest.size();
    if (more)
      rest.remove_prefix(
          end + (rest.substr(end).starts_with("\r\n") ? 2 : first_character(rest.substr(end)).size()));
  }
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool wanted = i == 0 ? arguments.flag(1) : arguments.flag(2) || !lines[i].empty();
    BRISK_TRY(rt.charge_bytes(lines[i].size() + blanks.size()));
    if (i > 0) out += '\n';
    if (wanted) out += blanks;
    out += lines[i];
  }
  return rt.copy_string(out);
}

Result<JsonStyle> json_style(const Bound& arguments) {
  JsonStyle style;
  style.ensure_ascii = arguments.flag(0);
  if (!arguments.is_none(1)) {
    style.indented = true;
    style.item_separator = ",";
    if (arguments[1].is_string()) {
      style.indent = arguments[1].text();
    } else {
      BRISK_ASSIGN(const int64_t width, integer_argument(arguments[1], "the indent"));
      if (width > 1000) return fail("an indent of at most 1000", std::to_string(width));
      style.indent.assign(static_cast<size_t>(std::max<int64_t>(width, 0)), ' ');
    }
  }
  if (!arguments.is_none(2)) {
    const Value pair = arguments[2];
    if (!pair.is(Kind::kSequence) || pair.sequence->size != 2 || !pair.sequence->items[0].is_string() ||
        !pair.sequence->items[1].is_string()) {
      return fail("separators as a pair of strings", std::string(type_name(pair)));
    }
    style.item_separator = pair.sequence->items[0].text();
    style.key_separator = pair.sequence->items[1].text();
  }
  style.sort_keys = arguments.flag(3);
  return style;
}

Result<Value> tojson(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const JsonStyle style, json_style(arguments));
  std::string out;
  BRISK_TRY(append_json(rt, out, self, style));
  return rt.copy_string(out);
}

Result<Value> wordcount(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(const Value text, to_str(rt, self));
  BRISK_TRY(rt.charge(text.length));
  int64_t words = 0;
  bool inside = false;
  for (size_t at = 0, length = 0; at < text.length; at += length) {
    const char32_t c = character_at(text.text(), at, length);
    const bool is_word = c == '_' || is_alphabetic(c) || is_numeric(c);
    words += is_word && !inside ? 1 : 0;
    inside = is_word;
  }
  return of(words);
}

Result<Value> center(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const Value text, to_str(rt, self));
  Arguments width;
  width.positional.push_back(arguments.has(0) ? arguments[0] : of(int64_t{80}));
  return call_builtin(rt, *find_builtin(string_methods(), "center"), text, width);
}

Result<Value> truncate(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const Value text, to_str(rt, self));
  int64_t length = 255;
  int64_t leeway = 5;
  std::string_view end = "...";
  if (arguments.has(0)) {
    BRISK_ASSIGN(length, integer_argument(arguments[0], "the length"));
  }
  if (arguments.has(2)) {
    BRISK_ASSIGN(end, string_argument(arguments[2], "the end"));
  }
  if (!arguments.is_none(3)) {
    BRISK_ASSIGN(leeway, integer_argument(arguments[3], "the leeway"));
  }
  const int64_t end_length = count_characters(end);
  if (length < end_length || leeway < 0)
    return fail("a length of at least " + std::to_string(end_length), std::to_string(length));
  BRISK_TRY(rt.charge(text.length));
  if (count_characters(text.text()) - leeway <= length) return text;
  std::string_view cut = text.text().substr(0, offset_of_character(text.text(), length - end_length));
  if (!arguments.flag(1)) cut = cut.substr(0, std::min(cut.rfind(' '), cut.size()));
  return rt.copy_string(std::string(cut) + std::string(end));
}

constexpr Builtin kFilters[] = {
    {"upper", "", mapped<to_upper>},
    {"lower", "", mapped<to_lower>},
    {"capitalize", "", mapped<capitalize>},
    {"title", "", mapped<title>},
    {"trim", "chars?", trim},
    {"replace", "old new count?", replace},
    {"string", "", string},
    {"safe", "", mark_safe},
    {"escape", "", escape<false>},
    {"e", "", escape<false>},
    {"forceescape", "", escape<true>},
    {"format", "*", format},
    {"indent", "width? first? blank?", indent},
    {"tojson", "ensure_ascii? indent? separators? sort_keys?", tojson},
    {"wordcount", "", wordcount},
    {"center", "width?", center},
    {"truncate", "length? killwords? end? leeway?", truncate},
};

}  // namespace

std::span<const Builtin> text_filters() { return kFilters; }

}  // namespace brisk::text::tmpl
