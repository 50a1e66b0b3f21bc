// Filters for HTML and URLs.
#include <algorithm>
#include <set>

#include "base/utf8.hpp"
#include "text/template/markup.hpp"
#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"
#include "text/template/urlize.hpp"

namespace brisk::text::tmpl {
namespace {

Result<Value> mark_safe(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(Value text, to_str(rt, self));
  text.markup = true;
  return text;
}

Result<Value> escape(Runtime& rt, const Value& self, const Bound&) { return escaped_text(rt, self); }

Result<Value> force_escape(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(Value plain, to_str(rt, self));
  plain.markup = false;
  return escaped_text(rt, plain);
}

Result<Value> striptags(Runtime& rt, const Value& self, const Bound&) {
  BRISK_ASSIGN(const Value text, to_str(rt, self));
  return strip_tags(rt, text.text());
}

/// Percent-encoding of all but letters, digits, "_.-~" and, outside of queries, "/".
Result<std::string> url_quoted(Runtime& rt, const Value& value, bool for_query) {
  BRISK_ASSIGN(const Value text, to_str(rt, value));
  BRISK_TRY(rt.charge(text.length));
  std::string out;
  for (const char c : text.text()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          std::string_view("_.-~").find(c) != std::string_view::npos;
    if (is_plain || (c == '/' && !for_query)) {
      out += c;
    } else if (c == ' ' && for_query) {
      out += '+';
    } else {
      out += '%';
      out += "0123456789ABCDEF"[byte >> 4];
      out += "0123456789ABCDEF"[byte & 15];
    }
  }
  return out;
}

Result<Value> urlencode(Runtime& rt, const Value& self, const Bound&) {
  const bool is_iterable = self.is(Kind::kSequence) || self.is(Kind::kDict) || self.is_undefined();
  if (!is_iterable) {
    BRISK_ASSIGN(const std::string quoted, url_quoted(rt, self, false));
    return rt.copy_string(quoted);
  }
  std::string out;
  const auto append = [&](const Value& key, const Value& value) -> Status {
    BRISK_ASSIGN(const std::string name, url_quoted(rt, key, true));
    BRISK_ASSIGN(const std::string text, url_quoted(rt, value, true));
    out += (out.empty() ? "" : "&") + name + "=" + text;
    return {};
  };
  if (self.is(Kind::kDict)) {
    for (const Dict::Entry& entry : self.dict->all()) BRISK_TRY(append(entry.key, entry.value));
    return rt.copy_string(out);
  }
  BRISK_ASSIGN(const auto pairs, elements(rt, self));
  for (const Value& pair : pairs) {
    BRISK_ASSIGN(const auto parts, elements(rt, pair));
    if (parts.size() != 2)
      return fail("pairs of a name and a value", std::to_string(parts.size()) + " parts");
    BRISK_TRY(append(parts[0], parts[1]));
  }
  return rt.copy_string(out);
}

Result<Value> xmlattr(Runtime& rt, const Value& self, const Bound& arguments) {
  if (!self.is(Kind::kDict)) return fail("a dictionary of attributes", std::string(type_name(self)));
  std::string out;
  for (const Dict::Entry& entry : self.dict->all()) {
    if (entry.value.is_none() || entry.value.is_undefined()) continue;
    BRISK_ASSIGN(const std::string_view name, string_argument(entry.key, "the name of an attribute"));
    if (name.find_first_of(" \t\n\r\f\v/>=") != std::string_view::npos) {
      return fail("a name of an attribute without blanks, '/', '>' and '='", quoted(name.substr(0, 60)));
    }
    BRISK_ASSIGN(const Value key, escaped_text(rt, entry.key));
    BRISK_ASSIGN(const Value value, escaped_text(rt, entry.value));
    if (!out.empty()) out += ' ';
    out += std::string(key.text()) + "=\"" + std::string(value.text()) + "\"";
  }
  const bool autospace = !arguments.has(0) || arguments.flag(0);
  if (autospace && !out.empty()) out.insert(0, 1, ' ');
  BRISK_ASSIGN(Value text, rt.copy_string(out));
  text.markup = rt.autoescape;
  return text;
}

/// The words of `rel` and what belongs there anyway, in order.
Result<std::string> rel_of(const Bound& arguments) {
  std::set<std::string, std::less<>> words = {"noopener"};
  if (arguments.flag(1)) words.insert("nofollow");
  if (arguments.flag(3)) {
    BRISK_ASSIGN(const std::string_view rel, string_argument(arguments[3], "rel"));
    for (std::string_view rest = strip(rel, Side::kBoth); !rest.empty(); rest = strip(rest, Side::kLeft)) {
      size_t end = 0;
      for (size_t length = 0; end < rest.size() && !is_space(character_at(rest, end, length));) end += length;
      words.emplace(rest.substr(0, end));
      rest.remove_prefix(end);
    }
  }
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

Result<Value> urlize(Runtime& rt, const Value& self, const Bound& arguments) {
  LinkStyle style;
  style.limit = arguments.is_none(0) ? none() : arguments[0];
  BRISK_ASSIGN(const std::string rel, rel_of(arguments));
  style.attributes = " rel=\"" + escape_html(rel) + "\"";
  if (arguments.flag(2)) {
    BRISK_ASSIGN(const Value target, escaped_text(rt, arguments[2]));
    style.attributes += " target=\"" + std::string(target.text()) + "\"";
  }
  if (!arguments.is_none(4)) {
    BRISK_ASSIGN(const auto schemes, elements(rt, arguments[4]));
    for (const Value& scheme : schemes) {
      BRISK_ASSIGN(const std::string_view text, string_argument(scheme, "a scheme"));
      if (!is_url_scheme(text))
        return fail("the start of a URL such as 'ftp://'", quoted(text.substr(0, 60)));
      style.schemes.emplace_back(text);
    }
  }
  BRISK_ASSIGN(const Value text, escaped_text(rt, self));
  BRISK_ASSIGN(const std::string linked, with_links(rt, text.text(), style));
  BRISK_ASSIGN(Value result, rt.copy_string(linked));
  result.markup = rt.autoescape;
  return result;
}

constexpr Builtin kFilters[] = {
    {"safe", "", mark_safe},
    {"escape", "", escape},
    {"e", "", escape},
    {"forceescape", "", force_escape},
    {"striptags", "", striptags},
    {"urlencode", "", urlencode},
    {"xmlattr", "autospace?", xmlattr},
    {"urlize", "trim_url_limit? nofollow? target? rel? extra_schemes?", urlize},
};

}  // namespace

std::span<const Builtin> html_filters() { return kFilters; }

}  // namespace brisk::text::tmpl
