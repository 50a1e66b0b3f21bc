// The filter urlize: makes links of what looks like a URL or an e-mail address in a text. What looks like one
// is defined by the reference's regular expressions; each of them comes down to a scan from left to right.
#include <algorithm>
#include <array>
#include <set>

#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"
#include "text/template/urlize.hpp"

namespace brisk::text::tmpl {
namespace {

constexpr size_t kNone = std::string_view::npos;

bool is_word(char32_t c) { return c == '_' || is_alphabetic(c) || is_numeric(c); }

template <typename Test>
bool all_characters(std::string_view text, Test test) {
  for (size_t at = 0, length = 0; at < text.size(); at += length) {
    if (!test(character_at(text, at, length))) return false;
  }
  return true;
}

bool is_ascii_letter(char32_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool is_label_character(char32_t c) { return is_word(c) || c == '%' || c == '-'; }
bool is_label(std::string_view text) { return !text.empty() && all_characters(text, is_label_character); }

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && to_lower(text.substr(0, prefix.size())) == prefix;
}

/// After "http://" or "www.": labels, the last one a top-level domain of letters or "xn--...".
bool is_named_host(std::string_view host) {
  const auto labels = split_at(host, '.');
  const std::string_view last = labels.back();
  const int64_t size = count_characters(last);
  const bool is_plain = size >= 2 && size <= 63 && all_characters(last, is_ascii_letter);
  const bool is_encoded = starts_with_ignoring_case(last, "xn--") && size >= 6 && size <= 63 &&
                          all_characters(last.substr(4), [](char32_t c) { return is_word(c) || c == '%'; });
  return (is_plain || is_encoded) && std::all_of(labels.begin(), labels.end() - 1, is_label);
}

/// Without a scheme: labels before one of the oldest top-level domains.
bool is_bare_host(std::string_view host) {
  constexpr std::string_view kDomains[] = {"com", "net", "int", "edu", "gov", "org", "info", "mil"};
  const auto labels = split_at(host, '.');
  const std::string last = to_lower(labels.back());
  const auto is_domain_label = [](std::string_view label) {
    const int64_t size = count_characters(label);
    return size >= 2 && size <= 63 && is_label(label);
  };
  return labels.size() > 1 &&
         std::find(std::begin(kDomains), std::end(kDomains), last) != std::end(kDomains) &&
         std::all_of(labels.begin(), labels.end() - 1, is_domain_label);
}

bool is_ipv4(std::string_view host) {
  const auto parts = split_at(host, '.');
  const auto is_part = [](std::string_view part) {
    const int64_t size = count_characters(part);
    return size >= 1 && size <= 3 && all_characters(part, is_decimal);
  };
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), is_part);
}

/// What stands between brackets: two groups of at most four digits and a colon, then up to six groups.
bool is_ipv6(std::string_view inside) {
  const auto groups = split_at(inside, ':');
  const auto is_digits = [](std::string_view group) {
    return all_characters(
        group, [](char32_t c) { return is_decimal(c) || (is_ascii_letter(c) && (c | 0x20) <= 'f'); });
  };
  if (groups.size() < 3 || !std::all_of(groups.begin(), groups.end(), is_digits)) return false;
  if (count_characters(groups[0]) > 4 || count_characters(groups[1]) > 4) return false;
  int64_t needed = 0;
  for (size_t i = 2; i < groups.size(); ++i) {
    const int64_t of_digits = (count_characters(groups[i]) + 3) / 4;
    needed += i + 1 < groups.size() ? std::max<int64_t>(of_digits, 1) : of_digits;
  }
  return needed <= 6;
}

/// A port, and a path, query or fragment.
bool is_rest_of_url(std::string_view rest) {
  if (rest.starts_with(':')) {
    rest.remove_prefix(1);
    size_t digits = 0;
    size_t at = 0;
    for (size_t length = 0; at < rest.size() && is_decimal(character_at(rest, at, length)); at += length)
      ++digits;
    if (digits < 1 || digits > 5) return false;
    rest.remove_prefix(at);
  }
  return rest.empty() || std::string_view("/?#").find(rest[0]) != kNone;
}

bool is_url(std::string_view text) {
  const bool has_scheme =
      starts_with_ignoring_case(text, "http://") || starts_with_ignoring_case(text, "https://");
  const std::string_view after_scheme = has_scheme ? text.substr(text.find("//") + 2) : text;
  if (has_scheme && after_scheme.starts_with('[')) {
    const size_t end = after_scheme.find(']');
    return end != kNone && is_ipv6(after_scheme.substr(1, end - 1)) &&
           is_rest_of_url(after_scheme.substr(end + 1));
  }
  const size_t end = std::min(after_scheme.find_first_of(":/?#"), after_scheme.size());
  const std::string_view host = after_scheme.substr(0, end);
  if (!is_rest_of_url(after_scheme.substr(end))) return false;
  if (has_scheme) return is_named_host(host) || is_ipv4(host);
  if (starts_with_ignoring_case(host, "www.") && is_named_host(host.substr(4))) return true;
  return is_bare_host(host);
}

bool is_email(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == kNone || at == 0) return false;
  const std::string_view host = text.substr(at + 1);
  const size_t dot = host.rfind('.');
  if (dot == kNone || dot == 0 || dot + 1 == host.size()) return false;
  size_t length = 0;
  return is_word(character_at(host, 0, length)) && all_characters(host.substr(dot + 1), is_word) &&
         all_characters(host.substr(0, dot), [](char32_t c) { return is_word(c) || c == '.' || c == '-'; });
}

/// Brackets in front of a link, punctuation behind it.
struct Word {
  std::string head, middle, tail;
};

size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != kNone; at = text.find(part, at + part.size())) ++count;
  return count;
}

Word take_apart(std::string_view text) {
  Word word;
  size_t begin = 0;
  while (begin < text.size()) {
    const std::string_view rest = text.substr(begin);
    const size_t size = rest[0] == '(' || rest[0] == '<' ? 1 : rest.starts_with("&lt;") ? 4 : 0;
    if (size == 0) break;
    begin += size;
  }
  size_t end = text.size();
  while (end > begin) {
    const std::string_view rest = text.substr(begin, end - begin);
    const size_t size = std::string_view(")>.,").find(rest.back()) != kNone ? 1
                        : rest.ends_with("&gt;")                            ? 4
                                                                            : 0;
    if (size == 0) break;
    end -= size;
  }
  word.head = text.substr(0, begin);
  word.middle = text.substr(begin, end - begin);
  word.tail = text.substr(end);
  // A bracket that was opened inside takes its closing one back.
  constexpr std::array<std::array<std::string_view, 2>, 3> kPairs = {
      {{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}}};
  for (const auto& [open, close] : kPairs) {
    const size_t opened = count_of(word.middle, open);
    if (opened <= count_of(word.middle, close)) continue;
    for (size_t i = std::min(opened, count_of(word.tail, close)); i > 0; --i) {
      const size_t closing = word.tail.find(close) + close.size();
      word.middle += word.tail.substr(0, closing);
      word.tail.erase(0, closing);
    }
  }
  return word;
}

std::string link(std::string_view url, std::string_view attributes, std::string_view text) {
  return "<a href=\"" + std::string(url) + "\"" + std::string(attributes) + ">" + std::string(text) + "</a>";
}

/// The URL as it is shown, cut to the limit.
Result<std::string> shown(Runtime& rt, const std::string& url, const Value& limit) {
  if (limit.is_none()) return url;
  BRISK_ASSIGN(const bool is_long, less(rt, limit, of(count_characters(url))));
  if (!is_long) return url;
  BRISK_ASSIGN(const int64_t most, integer_argument(limit, "the limit"));
  const int64_t kept = most < 0 ? std::max<int64_t>(count_characters(url) + most, 0) : most;
  return url.substr(0, offset_of_character(url, kept)) + "...";
}

Result<std::string> linked(Runtime& rt, const std::string& text, const LinkStyle& style) {
  if (is_url(text)) {
    const bool has_scheme = text.starts_with("https://") || text.starts_with("http://");
    BRISK_ASSIGN(const std::string label, shown(rt, text, style.limit));
    return link(has_scheme ? text : "https://" + text, style.attributes, label);
  }
  if (text.starts_with("mailto:") && is_email(std::string_view(text).substr(7)))
    return link(text, "", text.substr(7));
  const bool may_be_email = text.find('@') != kNone && !text.starts_with("www.") && !text.starts_with('@') &&
                            text.find(':') == kNone;
  if (may_be_email && is_email(text)) return link("mailto:" + text, "", text);
  std::string result = text;
  for (const std::string& scheme : style.schemes) {
    if (result != scheme && result.starts_with(scheme)) result = link(result, style.attributes, result);
  }
  return result;
}

}  // namespace

bool is_url_scheme(std::string_view text) {
  std::string_view name = text;
  for (int slashes = 0; slashes < 2 && name.ends_with('/'); ++slashes) name.remove_suffix(1);
  if (!name.ends_with(':')) return false;
  name.remove_suffix(1);
  return count_characters(name) >= 2 &&
         all_characters(name, [](char32_t c) { return is_word(c) || c == '.' || c == '+' || c == '-'; });
}

Result<std::string> with_links(Runtime& rt, std::string_view text, const LinkStyle& style) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    size_t length = 0;
    while (end < text.size() && !is_space(character_at(text, end, length))) end += length;
    const Word word = take_apart(text.substr(at, end - at));
    // Punctuation is looked for once for each bracket.
    BRISK_TRY(rt.charge(1 + 4 * static_cast<int64_t>(end - at)));
    BRISK_TRY(rt.charge_bytes(word.tail.size() * std::min(word.tail.size(), word.middle.size())));
    BRISK_ASSIGN(const std::string middle, linked(rt, word.middle, style));
    out += word.head + middle + word.tail;
    for (at = end; at < text.size() && is_space(character_at(text, at, length)); at += length)
      out += text.substr(at, length);
  }
  return out;
}

}  // namespace brisk::text::tmpl
