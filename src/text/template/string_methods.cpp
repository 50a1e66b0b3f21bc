// The methods of str. Those that cut (strip, split, ...) give views of the text and copy nothing.
#include <algorithm>

#include "text/template/format.hpp"
#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

constexpr size_t kNone = std::string_view::npos;

template <std::string (*Map)(std::string_view)>
Result<Value> mapped(Runtime& rt, const Value& self, const Bound&) {
  BRISK_TRY(rt.charge(self.length));
  return rt.copy_string(Map(self.text()));
}

template <Side kSide>
Result<Value> stripped(Runtime& rt, const Value& self, const Bound& arguments) {
  if (arguments.is_none(0)) {
    BRISK_TRY(rt.charge_bytes(self.length / 8));
    return of(strip(self.text(), kSide));
  }
  BRISK_ASSIGN(const std::string_view characters, string_argument(arguments[0], "the characters to strip"));
  BRISK_TRY(rt.charge(1 + static_cast<int64_t>(self.text().size() * characters.size() / 64)));
  return of(strip(self.text(), kSide, &characters));
}

/// How often a split may cut: all when the argument is left out or negative.
Result<size_t> split_count(const Bound& arguments) {
  if (!arguments.has(1)) return SIZE_MAX;
  BRISK_ASSIGN(const int64_t count, integer_argument(arguments[1], "maxsplit"));
  return count < 0 ? SIZE_MAX : static_cast<size_t>(count);
}

std::string_view leading_word(std::string_view text) {
  size_t at = 0;
  for (size_t length = 0; at < text.size() && !is_space(character_at(text, at, length));) at += length;
  return text.substr(0, at);
}

std::string_view trailing_word(std::string_view text) {
  size_t begin = text.size();
  for (size_t length = 0; begin > 0;) {
    const std::string_view last = last_character(text.substr(0, begin));
    if (is_space(character_at(last, 0, length))) break;
    begin -= last.size();
  }
  return text.substr(begin);
}

std::vector<Value> split_words(std::string_view text, size_t count, bool from_right) {
  std::vector<Value> parts;
  text = strip(text, from_right ? Side::kRight : Side::kLeft);
  while (!text.empty()) {
    if (parts.size() == count) {
      parts.push_back(of(strip(text, from_right ? Side::kRight : Side::kLeft)));
      break;
    }
    const std::string_view word = from_right ? trailing_word(text) : leading_word(text);
    parts.push_back(of(word));
    if (from_right) {
      text.remove_suffix(word.size());
    } else {
      text.remove_prefix(word.size());
    }
    text = strip(text, from_right ? Side::kRight : Side::kLeft);
  }
  return parts;
}

std::vector<Value> split_at(std::string_view text, std::string_view separator, size_t count,
                            bool from_right) {
  std::vector<Value> parts;
  while (parts.size() < count) {
    const size_t at = from_right ? text.rfind(separator) : find_text(text, separator);
    if (at == kNone) break;
    if (from_right) {
      parts.push_back(of(text.substr(at + separator.size())));
      text = text.substr(0, at);
    } else {
      parts.push_back(of(text.substr(0, at)));
      text.remove_prefix(at + separator.size());
    }
  }
  parts.push_back(of(text));
  return parts;
}

/// rfind() compares anew at every place: charged for its worst case, in units of what memcmp does at once.
Status charge_backward_search(Runtime& rt, std::string_view text, std::string_view needle) {
  return rt.charge(1 + static_cast<int64_t>(text.size() / 64 * (1 + needle.size() / 16)));
}

template <bool kFromRight>
Result<Value> split(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const size_t count, split_count(arguments));
  BRISK_TRY(rt.charge_bytes(self.length / 4));
  std::vector<Value> parts;
  if (arguments.is_none(0)) {
    parts = split_words(self.text(), count, kFromRight);
  } else {
    BRISK_ASSIGN(const std::string_view separator, string_argument(arguments[0], "the separator"));
    if (separator.empty()) return fail("a separator", "an empty string");
    if (kFromRight) BRISK_TRY(charge_backward_search(rt, self.text(), separator));
    parts = split_at(self.text(), separator, count, kFromRight);
  }
  if (kFromRight) std::reverse(parts.begin(), parts.end());
  return rt.new_list(parts);
}

template <bool kFromRight>
Result<Value> partition(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const std::string_view separator, string_argument(arguments[0], "the separator"));
  if (separator.empty()) return fail("a separator", "an empty string");
  BRISK_TRY(charge_backward_search(rt, self.text(), separator));
  const std::string_view text = self.text();
  const size_t at = kFromRight ? text.rfind(separator) : find_text(text, separator);
  const Value empty = of(std::string_view());
  if (at == kNone) {
    const Value parts[] = {kFromRight ? empty : self, empty, kFromRight ? self : empty};
    return rt.new_tuple(parts);
  }
  const Value parts[] = {of(text.substr(0, at)), of(separator), of(text.substr(at + separator.size()))};
  return rt.new_tuple(parts);
}

Result<Value> splitlines(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_TRY(rt.charge(self.length));
  int64_t keep_ends = 0;
  if (arguments.has(0)) {
    BRISK_ASSIGN(keep_ends, integer_argument(arguments[0], "keepends"));
  }
  std::vector<Value> lines;
  for (const std::string_view line : split_lines(self.text(), keep_ends != 0)) lines.push_back(of(line));
  return rt.new_list(lines);
}

/// The part of the text between the optional positions at arguments 1 and 2; nothing (not even an empty
/// part) when the first lies behind the second or the end.
Result<std::optional<std::string_view>> searched_part(Runtime& rt, const Value& self,
                                                      const Bound& arguments) {
  using Part = std::optional<std::string_view>;
  if (arguments.is_none(1) && arguments.is_none(2)) return Part(self.text());
  BRISK_ASSIGN(const int64_t size, length_of(rt, self));
  int64_t bounds[2] = {0, size};
  for (size_t i = 0; i < 2; ++i) {
    if (arguments.is_none(i + 1)) continue;
    BRISK_ASSIGN(const int64_t bound, integer_argument(arguments[i + 1], "where to look"));
    bounds[i] = std::max<int64_t>(bound < 0 ? bound + size : bound, 0);
  }
  const int64_t end = std::min(bounds[1], size);
  if (bounds[0] > end) return Part();
  const size_t at = offset_of_character(self.text(), bounds[0]);
  const std::string_view rest = self.text().substr(at);
  return Part(rest.substr(0, offset_of_character(rest, end - bounds[0])));
}

template <bool kStart>
Result<Value> has_affix(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const auto part, searched_part(rt, self, arguments));
  const std::string_view text = part.value_or("");
  const Value affixes = arguments[0];
  const std::span<const Value> all =
      affixes.is_sequence(SequenceKind::kTuple) ? affixes.sequence->all() : std::span(&affixes, 1);
  for (const Value& affix : all) {
    BRISK_ASSIGN(const std::string_view wanted, string_argument(affix, "a prefix or suffix"));
    BRISK_TRY(rt.charge_bytes(wanted.size() / 8));
    if (part && (kStart ? text.starts_with(wanted) : text.ends_with(wanted))) return of(true);
  }
  return of(false);
}

enum class NotFound : uint8_t { kMinusOne, kError };

template <bool kFromRight, NotFound kNotFound>
Result<Value> find(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const std::string_view wanted, string_argument(arguments[0], "the text to find"));
  BRISK_ASSIGN(const auto part, searched_part(rt, self, arguments));
  const std::string_view text = part.value_or("");
  BRISK_TRY(charge_backward_search(rt, text, wanted));
  const size_t at = !part ? kNone : kFromRight ? text.rfind(wanted) : find_text(text, wanted);
  if (at != kNone) {
    const auto offset = static_cast<size_t>(text.data() - self.characters);  // the part is a view of the text
    return of(count_characters(self.text().substr(0, offset + at)));
  }
  if (kNotFound == NotFound::kError) return fail("text that contains what is looked for", "none of it");
  return of(int64_t{-1});
}

Result<Value> count(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const std::string_view wanted, string_argument(arguments[0], "the text to count"));
  BRISK_ASSIGN(const auto part, searched_part(rt, self, arguments));
  if (!part) return of(int64_t{0});
  const std::string_view text = *part;
  BRISK_TRY(rt.charge_bytes(text.size() / 4));
  if (wanted.empty()) return of(count_characters(text) + 1);
  int64_t found = 0;
  for (size_t at = find_text(text, wanted); at != kNone; at = find_text(text, wanted, at + wanted.size()))
    ++found;
  return of(found);
}

Result<Value> replace(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const std::string_view from, string_argument(arguments[0], "the text to replace"));
  BRISK_ASSIGN(const std::string_view to, string_argument(arguments[1], "the replacement"));
  int64_t left = -1;
  if (arguments.has(2)) {
    BRISK_ASSIGN(left, integer_argument(arguments[2], "the count"));
  }
  return replace_text(rt, self, from, to, left);
}

Result<Value> join(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const auto parts, elements(rt, arguments[0]));
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    BRISK_ASSIGN(const std::string_view part, string_argument(parts[i], "what is joined"));
    BRISK_TRY(rt.charge_bytes(part.size() + self.length));
    if (i > 0) text += self.text();
    text += part;
  }
  return rt.copy_string(text);
}

Result<Value> format(Runtime& rt, const Value& self, const Bound& arguments) {
  return format_braces(rt, self, arguments.raw());
}

Result<Value> format_map(Runtime& rt, const Value& self, const Bound& arguments) {
  Arguments named;
  if (!arguments[0].is(Kind::kDict)) return format_braces(rt, self, named);
  BRISK_TRY(rt.charge(arguments[0].dict->size));
  for (const Dict::Entry& entry : arguments[0].dict->all()) {
    if (entry.key.is_string()) named.named.push_back({entry.key.text(), entry.value});
  }
  return format_braces(rt, self, named);
}

template <bool kPrefix>
Result<Value> remove_affix(Runtime&, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const std::string_view affix, string_argument(arguments[0], "a prefix or suffix"));
  std::string_view text = self.text();
  if (kPrefix && text.starts_with(affix)) text.remove_prefix(affix.size());
  if (!kPrefix && text.ends_with(affix)) text.remove_suffix(affix.size());
  return of(text);
}

/// Widens to arguments[0] characters with arguments[1] (a blank); `before` says how much goes in front.
template <int64_t (*Before)(int64_t missing, int64_t width)>
Result<Value> justified(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const int64_t width, integer_argument(arguments[0], "the width"));
  std::string_view fill = " ";
  if (arguments.has(1)) {
    BRISK_ASSIGN(fill, string_argument(arguments[1], "the fill"));
    if (count_characters(fill) != 1) return fail("one character to fill with", quoted(fill.substr(0, 60)));
  }
  BRISK_TRY(rt.charge(self.length));
  const int64_t missing = width - count_characters(self.text());
  if (width <= 0 || missing <= 0) return self;
  BRISK_TRY(rt.charge(missing));
  std::string text;
  const int64_t before = Before(missing, width);
  for (int64_t i = 0; i < before; ++i) text += fill;
  text += self.text();
  for (int64_t i = before; i < missing; ++i) text += fill;
  return rt.copy_string(text);
}

// Python puts the odd blank of center() left or right by this rule.
int64_t centred(int64_t missing, int64_t width) { return missing / 2 + (missing & width & 1); }
int64_t all_before(int64_t missing, int64_t) { return missing; }
int64_t none_before(int64_t, int64_t) { return 0; }

Result<Value> zfill(Runtime& rt, const Value& self, const Bound& arguments) {
  BRISK_ASSIGN(const int64_t width, integer_argument(arguments[0], "the width"));
  BRISK_TRY(rt.charge(self.length));
  const int64_t missing = width - count_characters(self.text());
  if (width <= 0 || missing <= 0) return self;
  BRISK_TRY(rt.charge(missing));
  const std::string_view text = self.text();
  const size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  return rt.copy_string(std::string(text.substr(0, sign)) + std::string(static_cast<size_t>(missing), '0') +
                        std::string(text.substr(sign)));
}

Result<Value> expandtabs(Runtime& rt, const Value& self, const Bound& arguments) {
  int64_t size = 8;
  if (arguments.has(0)) {
    BRISK_ASSIGN(size, integer_argument(arguments[0], "the size of a tab"));
  }
  std::string text;
  int64_t column = 0;
  for (const char c : self.text()) {
    const int64_t blanks = c == '\t' && size > 0 ? size - column % size : 0;
    BRISK_TRY(rt.charge(1 + blanks));
    if (c != '\t') text += c;
    text.append(static_cast<size_t>(blanks), ' ');
    column = c == '\n' || c == '\r'
                 ? 0
                 : column + blanks + (c != '\t' && (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0);
  }
  return rt.copy_string(text);
}

template <bool (*Test)(char32_t)>
Result<Value> all_are(Runtime& rt, const Value& self, const Bound&) {
  BRISK_TRY(rt.charge(self.length));
  bool all = self.length > 0;
  for (size_t at = 0, length = 0; all && at < self.length; at += length)
    all = Test(character_at(self.text(), at, length));
  return of(all);
}

bool is_alphanumeric(char32_t c) { return is_alphabetic(c) || is_numeric(c); }
bool is_ascii_character(char32_t c) { return c < 0x80; }

Result<Value> isascii(Runtime& rt, const Value& self, const Bound& arguments) {
  return self.length == 0 ? Result<Value>(of(true)) : all_are<is_ascii_character>(rt, self, arguments);
}

Result<Value> isprintable(Runtime& rt, const Value& self, const Bound& arguments) {
  return self.length == 0 ? Result<Value>(of(true)) : all_are<is_printable>(rt, self, arguments);
}

Result<Value> isidentifier(Runtime& rt, const Value& self, const Bound&) {
  BRISK_TRY(rt.charge(self.length));
  bool valid = self.length > 0;
  for (size_t at = 0, length = 0; valid && at < self.length; at += length) {
    const char32_t c = character_at(self.text(), at, length);
    valid = at == 0 ? starts_identifier(c) : continues_identifier(c);
  }
  return of(valid);
}

template <bool kUpper>
Result<Value> is_cased_as(Runtime& rt, const Value& self, const Bound&) {
  BRISK_TRY(rt.charge(self.length));
  return of(has_case(self.text(), kUpper));
}

Result<Value> istitle(Runtime& rt, const Value& self, const Bound&) {
  BRISK_TRY(rt.charge(self.length));
  bool inside_word = false;
  bool any = false;
  for (size_t at = 0, length = 0; at < self.length; at += length) {
    const char32_t c = character_at(self.text(), at, length);
    const bool starts_word = is_upper(c) || is_title(c);
    if (starts_word ? inside_word : is_lower(c) && !inside_word) return of(false);
    inside_word = starts_word || is_lower(c);
    any |= inside_word;
  }
  return of(any);
}

constexpr Builtin kMethods[] = {
    {"strip", "chars? /", stripped<Side::kBoth>},
    {"lstrip", "chars? /", stripped<Side::kLeft>},
    {"rstrip", "chars? /", stripped<Side::kRight>},
    {"split", "sep? maxsplit?", split<false>},
    {"rsplit", "sep? maxsplit?", split<true>},
    {"splitlines", "keepends?", splitlines},
    {"partition", "sep /", partition<false>},
    {"rpartition", "sep /", partition<true>},
    {"startswith", "prefix start? end? /", has_affix<true>},
    {"endswith", "suffix start? end? /", has_affix<false>},
    {"removeprefix", "prefix /", remove_affix<true>},
    {"removesuffix", "suffix /", remove_affix<false>},
    {"find", "sub start? end? /", find<false, NotFound::kMinusOne>},
    {"rfind", "sub start? end? /", find<true, NotFound::kMinusOne>},
    {"index", "sub start? end? /", find<false, NotFound::kError>},
    {"rindex", "sub start? end? /", find<true, NotFound::kError>},
    {"count", "sub start? end? /", count},
    {"replace", "old new count? /", replace},
    {"join", "iterable /", join},
    {"format", "*", format},
    {"format_map", "mapping /", format_map},
    {"upper", "", mapped<to_upper>},
    {"lower", "", mapped<to_lower>},
    {"casefold", "", mapped<case_fold>},
    {"title", "", mapped<to_title>},
    {"capitalize", "", mapped<capitalize>},
    {"swapcase", "", mapped<swap_case>},
    {"center", "width fillchar? /", justified<centred>},
    {"ljust", "width fillchar? /", justified<none_before>},
    {"rjust", "width fillchar? /", justified<all_before>},
    {"zfill", "width /", zfill},
    {"expandtabs", "tabsize?", expandtabs},
    {"isalpha", "", all_are<is_alphabetic>},
    {"isdigit", "", all_are<is_digit>},
    {"isdecimal", "", all_are<is_decimal>},
    {"isnumeric", "", all_are<is_numeric>},
    {"isalnum", "", all_are<is_alphanumeric>},
    {"isspace", "", all_are<is_space>},
    {"isascii", "", isascii},
    {"isprintable", "", isprintable},
    {"isidentifier", "", isidentifier},
    {"isupper", "", is_cased_as<true>},
    {"islower", "", is_cased_as<false>},
    {"istitle", "", istitle},
};

}  // namespace

std::span<const Builtin> string_methods() { return kMethods; }

Result<Value> replace_text(Runtime& rt, const Value& text, std::string_view from, std::string_view to,
                           int64_t count) {
  std::string out;
  const std::string_view all = text.text();
  size_t at = 0;
  BRISK_TRY(rt.charge_bytes(all.size() / 4));
  while (count != 0 && at <= all.size()) {
    const size_t found = find_text(all, from, at);
    if (found == kNone) break;
    --count;
    BRISK_TRY(rt.charge_bytes(to.size()));
    out += all.substr(at, found - at);
    out += to;
    at = found + from.size();
    if (!from.empty()) continue;
    // An empty text stands before every character and at the end.
    const std::string_view next = first_character(all.substr(at));
    if (next.empty()) break;
    out += next;
    at += next.size();
    if (at == all.size() && count != 0) {
      out += to;
      break;
    }
  }
  if (out.empty() && at == 0) return of(all);
  out += all.substr(std::min(at, all.size()));
  return rt.copy_string(out);
}

}  // namespace brisk::text::tmpl
