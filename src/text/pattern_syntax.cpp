#include "text/pattern_syntax.hpp"

#include <vector>

#include "base/utf8.hpp"

namespace brisk::text {

namespace {

constexpr std::string_view kSpaceSet =
    R"(\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
constexpr std::string_view kNonSpaceSet =
    R"(\x{0}-\x{8}\x{E}-\x{1F}\x{21}-\x{84}\x{86}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027})"
    R"(\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{10FFFF})";
// Beside letters, marks and digits: letter-like numbers and circled letters.
constexpr std::string_view kWordSetInBrackets =
    R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189})";
// Outside of brackets Oniguruma takes the superscripts and fractions of Latin-1 for letters too.
constexpr std::string_view kWordSet =
    R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})"
    R"(\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189})";

constexpr int kDeepestGroup = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string set_of(std::string_view members, bool negated) {
  return (negated ? "[^" : "[") + std::string(members) + "]";
}

// Reads the expression once, from left to right, without recursion.
class Translator {
 public:
  Translator(std::string_view regex, const std::string& where) : in_(regex), where_(where) {}

  Result<std::string> run() {
    while (at_ < in_.size()) BRISK_TRY(item());
    if (!groups_.empty()) return refuse("a closing parenthesis for each opening one", "too few");
    return std::move(out_);
  }

 private:
  Status refuse(std::string expected, std::string got) const {
    return bad_input({where_ + ": pattern '" + pattern_excerpt(in_) + "', offset " + std::to_string(at_),
                      std::move(expected), std::move(got), "a tokenizer.json without it"});
  }
  Status refuse_syntax(std::string_view what) const {
    return refuse("the syntax that is known (docs/design/pre-tokenizers.md)", std::string(what));
  }

  char peek(size_t ahead = 0) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }
  bool next_is(std::string_view text) const { return in_.substr(at_).starts_with(text); }

  // Appends what can be repeated.
  void atom(std::string_view text) {
    atom_begin_ = out_.size();
    out_ += text;
    repeatable_ = true;
  }
  // Appends what cannot.
  void plain(std::string_view text) {
    out_ += text;
    repeatable_ = false;
  }

  Status item() {
    const char c = peek();
    switch (c) {
      case '(': return open_group();
      case ')': return close_group();
      case '[': return bracket();
      case '\\': return escape();
      case '*':
      case '+':
      case '?': ++at_; return repeat(std::string(1, c), true);
      case '{': return brace();
      case '|':
      case '^':
      case '$':
        ++at_;
        plain(std::string_view(&c, 1));
        return {};
      default: literal(); return {};
    }
  }

  void literal() {
    const uint8_t length = utf8_decode(in_, at_).length;
    const std::string_view text = in_.substr(at_, length);
    at_ += length;
    const bool special = text == "]" || text == "}" || text == "#" || text == "-";
    atom(special ? "\\" + std::string(text) : std::string(text));
  }

  // --- Groups ---

  Status open_group() {
    if (groups_.size() >= kDeepestGroup) {
      return refuse("at most " + std::to_string(kDeepestGroup) + " groups in each other", "more");
    }
    const size_t begin = out_.size();
    const bool first = at_ == 0;
    ++at_;
    if (peek() == '*') return refuse_syntax("a verb, (*");
    if (peek() != '?') {
      out_ += "(?:";
    } else {
      BRISK_ASSIGN(const bool opened, open_special_group(first));
      if (!opened) return {};
    }
    groups_.push_back(begin);
    repeatable_ = false;
    return {};
  }

  // What follows "(": false when it was an option that opens no group.
  Result<bool> open_special_group(bool first) {
    for (const std::string_view kind : {"?:", "?=", "?!", "?>", "?<=", "?<!"}) {
      if (!next_is(kind)) continue;
      out_ += "(" + std::string(kind);
      at_ += kind.size();
      return true;
    }
    if (next_is("?<") && is_letter(peek(2))) {
      while (at_ < in_.size() && peek() != '>') ++at_;
      ++at_;
      out_ += "(?:";
      return true;
    }
    return open_options(first);
  }

  // (?im-im: or, at the beginning of the expression, (?im-im)
  Result<bool> open_options(bool first) {
    std::string options = "(";
    for (; peek() == '?' || peek() == '-' || peek() == 'i' || peek() == 'm'; ++at_) {
      options += peek() == 'm' ? 's' : peek();
    }
    const char end = peek();
    if (end != ':' && !(end == ')' && first)) return refuse_syntax("a group of kind '(?" + excerpt() + "'");
    out_ += options + end;
    ++at_;
    return end == ':';
  }

  Status close_group() {
    if (groups_.empty()) return refuse("an opening parenthesis for each closing one", "too few");
    ++at_;
    out_ += ')';
    atom_begin_ = groups_.back();
    groups_.pop_back();
    repeatable_ = true;
    return {};
  }

  // --- Repeats ---

  // {n}, {n,}, {n,m} or {,m}; any other brace is itself.
  Status brace() {
    size_t end = at_ + 1;
    size_t commas = 0, digits = 0;
    for (; end < in_.size() && (is_digit(in_[end]) || in_[end] == ','); ++end) {
      ++(in_[end] == ',' ? commas : digits);
    }
    if (end >= in_.size() || in_[end] != '}' || commas > 1 || digits == 0) {
      ++at_;
      atom("\\{");
      return {};
    }
    std::string range(in_.substr(at_, end + 1 - at_));
    if (range[1] == ',') range.insert(1, "0");
    at_ = end + 1;
    return repeat(range, false);
  }

  // `simple`: *, + or ?, which "+" makes possessive; a range followed by "+" is repeated as a whole.
  Status repeat(const std::string& how, bool simple) {
    if (!repeatable_) return refuse_syntax("a repeat of nothing, or of a repeat");
    out_ += how;
    const char after = peek();
    const bool range_alone = !simple && how.find(',') == std::string::npos;
    if (after == '+' || after == '?') {
      ++at_;
      if (!simple && (after == '+' || range_alone)) {
        out_.insert(atom_begin_, "(?:");
        out_ += ')';
      }
      out_ += after;
    }
    repeatable_ = false;
    return {};
  }

  // --- Escapes ---

  std::string excerpt() const { return pattern_excerpt(in_.substr(at_, 4)); }

  Status escape() {
    const char c = peek(1);
    switch (c) {
      case 's': return take_set(kSpaceSet, false);
      case 'S': return take_set(kSpaceSet, true);
      case 'w': return take_set(kWordSet, false);
      case 'W': return take_set(kWordSet, true);
      case 'b':
      case 'B': {
        at_ += 2;
        const std::string word = set_of(kWordSet, false);
        const std::string_view one = c == 'b' ? "!" : "=";
        const std::string_view other = c == 'b' ? "=" : "!";
        plain("(?:(?<=" + word + ")(?" + std::string(one) + word + ")|(?<!" + word + ")(?" +
              std::string(other) + word + "))");
        return {};
      }
      case 'A':
      case 'z':
      case 'Z':
        plain(in_.substr(at_, 2));
        at_ += 2;
        return {};
      default: {
        BRISK_ASSIGN(const std::string text, character_escape());
        atom(text);
        return {};
      }
    }
  }

  Status take_set(std::string_view members, bool negated) {
    at_ += 2;
    atom(set_of(members, negated));
    return {};
  }

  // An escape that means the same inside of brackets and outside: a character or a property.
  Result<std::string> character_escape() {
    const char c = peek(1);
    if (c == '\0') return Result<std::string>(refuse_syntax("a backslash at the end"));
    if (c == 'p' || c == 'P') return property();
    if (c == 'x' || c == 'u') return code_point();
    const bool known =
        c == 'd' || c == 'D' || c == 't' || c == 'n' || c == 'r' || c == 'f' || c == 'a' || c == 'e';
    if (is_letter(c) && !known && c != 'v') return refuse_syntax("\\" + std::string(1, c));
    if (is_digit(c)) return refuse_syntax("a back reference or an octal number");
    at_ += 1;
    if (c == 'v') {
      ++at_;
      return std::string("\\x{B}");
    }
    const uint8_t length = utf8_decode(in_, at_).length;
    std::string text = length == 1 ? "\\" : "";
    text += in_.substr(at_, length);
    at_ += length;
    return text;
  }

  // \p{Name}, \p{^Name}, \P{Name}: a category of one or two letters, or a script. (PCRE2 takes a script's
  // bare name for the characters that are used with the script.)
  Result<std::string> property() {
    const size_t close = in_.find('}', at_);
    if (peek(2) != '{' || close == std::string_view::npos)
      return refuse_syntax("\\p without a name in braces");
    std::string_view name = in_.substr(at_ + 3, close - at_ - 3);
    std::string text = "\\" + std::string(1, peek(1)) + "{";
    if (name.starts_with('^')) {
      text += '^';
      name.remove_prefix(1);
    }
    if (name.size() > 2) text += "sc:";
    at_ = close + 1;
    return text + std::string(name) + "}";
  }

  // \xHH below 80, \x{H...}, \uHHHH
  Result<std::string> code_point() {
    size_t begin = at_ + 2;
    const bool braces = peek(1) == 'x' && begin < in_.size() && in_[begin] == '{';
    if (braces) ++begin;
    size_t end = begin;
    const size_t most = braces ? 6 : peek(1) == 'x' ? 2 : 4;
    while (end < in_.size() && is_hex(in_[end]) && end - begin < most) ++end;
    const bool whole = braces ? end > begin && end < in_.size() && in_[end] == '}' : end - begin == most;
    if (!whole || (most == 2 && in_[begin] > '7'))
      return refuse_syntax("a code point written '" + excerpt() + "'");
    std::string text = "\\x{" + std::string(in_.substr(begin, end - begin)) + "}";
    at_ = end + (braces ? 1 : 0);
    return text;
  }

  // --- Brackets ---

  Status bracket() {
    std::string set = "[";
    ++at_;
    if (peek() == '^') {
      set += '^';
      ++at_;
    }
    if (peek() == ']') {
      set += "\\]";
      ++at_;
    }
    for (int depth = 1; depth > 0;) {
      if (at_ >= in_.size()) return refuse("a closing bracket for each opening one", "too few");
      const char c = peek();
      if (c == '[') {
        if (peek(1) == '^' || peek(1) == ':') return refuse_syntax("'" + excerpt() + "' inside of brackets");
        ++depth;
        ++at_;
      } else if (c == ']') {
        --depth;
        ++at_;
      } else if (next_is("&&")) {
        return refuse_syntax("&& inside of brackets");
      } else {
        BRISK_TRY(member(set));
      }
    }
    atom(set + "]");
    return {};
  }

  Status member(std::string& set) {
    if (peek() != '\\') {
      const uint8_t length = utf8_decode(in_, at_).length;
      set += in_.substr(at_, length);
      at_ += length;
      return {};
    }
    switch (peek(1)) {
      case 's': set += kSpaceSet; break;
      case 'S': set += kNonSpaceSet; break;
      case 'w': set += kWordSetInBrackets; break;
      default: {
        BRISK_ASSIGN(const std::string text, character_escape());
        set += text;
        return {};
      }
    }
    at_ += 2;
    return {};
  }

  std::string_view in_;
  const std::string& where_;
  size_t at_ = 0;
  std::string out_;
  std::vector<size_t> groups_;  // where each open group begins in out_
  size_t atom_begin_ = 0;       // where the last atom begins in out_
  bool repeatable_ = false;     // whether out_ ends with an atom
};

}  // namespace

std::string pattern_excerpt(std::string_view regex) {
  constexpr size_t kMost = 60;
  const size_t length = utf8_floor(regex, kMost);
  return std::string(regex.substr(0, length)) + (length < regex.size() ? "..." : "");
}

Result<std::string> translate_pattern(std::string_view regex, const std::string& where) {
  return Translator(regex, where).run();
}

}  // namespace brisk::text
