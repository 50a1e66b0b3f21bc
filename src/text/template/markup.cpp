// Marked strings, and HTML made plain.
#include "text/template/markup.hpp"

#include <algorithm>
#include <array>

#include "base/utf8.hpp"
#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

struct Entity {
  std::string_view name;
  char32_t code;
  bool may_lack_semicolon;
};
constexpr Entity kEntities[] = {
#include "text/template/html_entities.inc"
};

/// What HTML makes of the numbers 128 to 159 (Windows-1252); 0 where the number stays as it is.
constexpr std::array<char16_t, 32> kOldNumbers = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

const Entity* find_entity(std::string_view name) {
  const auto before = [](const Entity& entity, std::string_view wanted) { return entity.name < wanted; };
  const auto* it = std::lower_bound(std::begin(kEntities), std::end(kEntities), name, before);
  return it != std::end(kEntities) && it->name == name ? it : nullptr;
}

/// The character of "&#NUMBER;"; nothing for numbers that are no characters.
void append_numbered(std::string& out, uint32_t number) {
  if (number >= 128 && number < 160 && kOldNumbers[number - 128] != 0) number = kOldNumbers[number - 128];
  const bool is_control =
      (number > 0 && number < 9) || number == 11 || (number >= 14 && number < 32) || number == 127;
  const bool is_nonchar = (number >= 0xFDD0 && number <= 0xFDEF) || (number & 0xFFFE) == 0xFFFE;
  if (number <= 0x10FFFF && (is_control || is_nonchar)) return;
  utf8_append(out, number == 0 ? kReplacementCharacter : static_cast<char32_t>(number));
}

/// Resolves the reference that follows '&' at the start of `text`; how many bytes of it were used.
size_t append_numeric_reference(std::string& out, std::string_view text) {
  size_t at = 1;
  const bool is_hex = at < text.size() && (text[at] == 'x' || text[at] == 'X');
  if (is_hex) ++at;
  const size_t begin = at;
  uint32_t number = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const uint32_t lower = static_cast<uint32_t>(c) | 0x20U;
    const bool is_decimal_digit = c >= '0' && c <= '9';
    if (!is_decimal_digit && !(is_hex && lower >= 'a' && lower <= 'f')) break;
    const uint32_t digit = is_decimal_digit ? static_cast<uint32_t>(c - '0') : lower - 'a' + 10;
    number = std::min<uint32_t>(number * (is_hex ? 16 : 10) + digit, 0x110000);
  }
  if (at == begin) return 0;
  append_numbered(out, number);
  return at < text.size() && text[at] == ';' ? at + 1 : at;
}

size_t append_named_reference(std::string& out, std::string_view text) {
  size_t end = 0;
  int characters = 0;
  for (; end < text.size() && characters < 32 &&
         std::string_view("\t\n\f <&#;").find(text[end]) == std::string_view::npos;
       ++characters)
    end += first_character(text.substr(end)).size();
  const bool ends = end < text.size() && text[end] == ';';
  if (const Entity* entity = find_entity(text.substr(0, end));
      entity != nullptr && (ends || entity->may_lack_semicolon)) {
    utf8_append(out, entity->code);
    return end + (ends ? 1 : 0);
  }
  for (size_t part = ends ? end : end - std::min<size_t>(end, 1); part > 1; --part) {
    const Entity* entity = find_entity(text.substr(0, part));
    if (entity == nullptr || !entity->may_lack_semicolon) continue;
    utf8_append(out, entity->code);
    return part;
  }
  return 0;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t reference = std::min(text.find('&', at), text.size());
    out += text.substr(at, reference - at);
    if (reference == text.size()) break;
    at = reference + 1;
    const std::string_view rest = text.substr(at);
    const size_t used =
        rest.starts_with('#') ? append_numeric_reference(out, rest) : append_named_reference(out, rest);
    if (used == 0) out += '&';
    at += used;
  }
  return out;
}

/// Marks the strings of a result, also inside a list or tuple.
Result<Value> marked(Runtime& rt, Value value) {
  if (value.is_string()) {
    value.markup = true;
    return value;
  }
  if (!value.is(Kind::kSequence)) return value;
  BRISK_TRY(rt.charge(value.sequence->size));
  for (uint32_t i = 0; i < value.sequence->size; ++i) {
    Value& item = value.sequence->items[i];
    if (item.is_string()) item.markup = true;
  }
  return value;
}

/// Which argument the method escapes before it uses it; -1 for none.
int escaped_argument(std::string_view method) {
  if (method == "replace" || method == "ljust" || method == "rjust" || method == "center") return 1;
  return -1;
}

Result<Value> unescape_method(Runtime& rt, const Value& self, const Bound&) {
  BRISK_TRY(rt.charge(self.length));
  return rt.copy_string(unescaped(self.text()));
}

Result<Value> striptags_method(Runtime& rt, const Value& self, const Bound&) {
  return strip_tags(rt, self.text());
}

constexpr Builtin kMethods[] = {{"unescape", "", unescape_method}, {"striptags", "", striptags_method}};

}  // namespace

std::span<const Builtin> markup_methods() { return kMethods; }

Result<Value> call_markup_method(Runtime& rt, const Builtin& method, const Value& self,
                                 const Arguments& arguments) {
  Arguments escaped = arguments;
  const int which = escaped_argument(method.name);
  if (which >= 0 && escaped.positional.size() > static_cast<size_t>(which)) {
    BRISK_ASSIGN(escaped.positional[static_cast<size_t>(which)],
                 escaped_text(rt, arguments.positional[static_cast<size_t>(which)]));
  }
  if (method.name == "join" && escaped.positional.size() == 1) {
    BRISK_ASSIGN(const auto parts, elements(rt, escaped.positional[0]));
    std::vector<Value> texts;
    for (const Value& part : parts) {
      BRISK_ASSIGN(const Value text, escaped_text(rt, part));
      texts.push_back(text);
    }
    BRISK_ASSIGN(escaped.positional[0], rt.new_list(texts));
  }
  BRISK_ASSIGN(const Bound bound, bind(method, escaped));
  BRISK_ASSIGN(const Value result, method.run(rt, self, bound));
  const bool is_own = find_builtin(kMethods, method.name) != nullptr;
  return is_own ? Result<Value>(result) : marked(rt, result);
}

Result<Value> strip_tags(Runtime& rt, std::string_view text) {
  BRISK_TRY(rt.charge(static_cast<int64_t>(text.size())));
  std::string plain;
  size_t at = 0;
  for (size_t tag = find_text(text, "<"); tag != std::string_view::npos; tag = find_text(text, "<", at)) {
    const bool is_comment = text.substr(tag).starts_with("<!--");
    const size_t end = is_comment ? find_text(text, "-->", tag + 4) : find_text(text, ">", tag);
    if (end == std::string_view::npos) break;
    plain += text.substr(at, tag - at);
    at = end + (is_comment ? 3 : 1);
  }
  plain += text.substr(at);
  std::string collapsed;
  for (std::string_view rest = strip(plain, Side::kBoth); !rest.empty(); rest = strip(rest, Side::kLeft)) {
    size_t end = 0;
    for (size_t length = 0; end < rest.size() && !is_space(character_at(rest, end, length));) end += length;
    if (!collapsed.empty()) collapsed += ' ';
    collapsed += rest.substr(0, end);
    rest.remove_prefix(end);
  }
  return rt.copy_string(unescaped(collapsed));
}

}  // namespace brisk::text::tmpl
