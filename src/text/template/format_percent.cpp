// "%s of %d" % values.
#include <cmath>
#include <optional>

#include "base/utf8.hpp"
#include "text/template/format.hpp"
#include "text/template/operators.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

class PercentFormatter {
 public:
  PercentFormatter(Runtime& rt, const Value& pattern, const Value& values)
      : rt_(rt), pattern_(pattern.text()), markup_(pattern.markup), values_(values) {}

  Result<Value> run() {
    for (at_ = 0; at_ < pattern_.size();) {
      const size_t percent = std::min(pattern_.find('%', at_), pattern_.size());
      BRISK_TRY(rt_.charge_bytes(percent - at_));
      out_ += pattern_.substr(at_, percent - at_);
      at_ = percent + 1;
      if (percent < pattern_.size()) BRISK_TRY(conversion());
    }
    if (!all_used()) return bad_format("more values than the text has places for");
    BRISK_ASSIGN(Value text, rt_.copy_string(out_));
    text.markup = markup_;
    return text;
  }

 private:
  bool is_tuple() const {
    return values_.is_sequence(SequenceKind::kTuple) || values_.is_sequence(SequenceKind::kGroup);
  }

  /// A value that can be subscripted counts as a source of names, and those may be more than are used.
  bool all_used() const {
    if (is_tuple()) return used_ == values_.sequence->size;
    return used_ > 0 || values_.is(Kind::kDict) || values_.is_undefined() ||
           values_.is_sequence(SequenceKind::kList) || values_.is_sequence(SequenceKind::kRange);
  }

  Result<Value> next() {
    if (!is_tuple()) {
      if (used_++ == 0) return values_;
    } else if (used_ < values_.sequence->size) {
      return values_.sequence->items[used_++];
    }
    return bad_format("fewer values than the text has places for");
  }

  Result<Value> named() {
    size_t end = at_ + 1;
    for (int open = 1; end < pattern_.size(); ++end) {
      open += pattern_[end] == '(' ? 1 : pattern_[end] == ')' ? -1 : 0;
      if (open == 0) break;
    }
    if (end >= pattern_.size()) return bad_format("'%(' without ')'");
    if (!values_.is(Kind::kDict)) return bad_format("'%(name)' without a dictionary");
    const Value* value = values_.dict->find(pattern_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    used_ = 1;
    if (value == nullptr) return bad_format("a name that the dictionary lacks");
    return *value;
  }

  Result<int64_t> number_or_star() {
    if (at_ >= pattern_.size() || pattern_[at_] != '*') return read_number(pattern_, at_);
    ++at_;
    BRISK_ASSIGN(const Value value, next());
    return integer_argument(value, "'*'");
  }

  bool read_flags(Spec& spec) {
    bool zero = false;
    for (; at_ < pattern_.size() && std::string_view("-+ #0").find(pattern_[at_]) != std::string_view::npos;
         ++at_) {
      const char flag = pattern_[at_];
      if (flag == '-') spec.align = '<';
      if (flag == '+' || (flag == ' ' && spec.sign != '+')) spec.sign = flag;
      spec.alternate |= flag == '#';
      zero |= flag == '0';
    }
    return zero;
  }

  Status conversion() {
    if (at_ < pattern_.size() && pattern_[at_] == '%') {
      out_ += pattern_[at_++];
      return {};
    }
    Spec spec;
    std::optional<Value> value;
    if (at_ < pattern_.size() && pattern_[at_] == '(') {
      BRISK_ASSIGN(value, named());
    }
    const bool zero = read_flags(spec);
    BRISK_ASSIGN(spec.width, number_or_star());
    if (spec.width < 0) {
      spec.align = '<';
      spec.width = spec.width == INT64_MIN ? INT64_MAX : -spec.width;
    }
    if (at_ < pattern_.size() && pattern_[at_] == '.') {
      ++at_;
      BRISK_ASSIGN(spec.precision, number_or_star());
      spec.precision = std::max<int64_t>(spec.precision, 0);
    }
    if (at_ < pattern_.size() && std::string_view("hlL").find(pattern_[at_]) != std::string_view::npos) ++at_;
    if (at_ >= pattern_.size()) return bad_format("'%' at the end");
    spec.type = pattern_[at_++];
    if (!value) {
      BRISK_ASSIGN(value, next());
    }
    if (zero && spec.align == 0 && (is_integer_type(spec.type) || is_float_type(spec.type))) {
      spec.align = '=';
      spec.fill = "0";
    }
    return append(spec, *value);
  }

  Status append(const Spec& spec, const Value& value) {
    switch (spec.type) {
      case 's':
      case 'r':
      case 'a': return append_as_text(spec, value);
      case 'c': return append_character(spec, value);
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o': return append_as_integer(spec, value);
      default: break;
    }
    if (!is_float_type(spec.type) || spec.type == '%')
      return bad_format("'%" + std::string(1, spec.type) + "'");
    if (value.is_undefined()) return undefined_error(value);
    if (!value.is_number())
      return bad_format("a value of type " + std::string(type_name(value)) + " for a number");
    return append_float(rt_, out_, spec, value.as_double());
  }

  Status append_as_text(const Spec& spec, const Value& value) {
    std::string text;
    if (spec.type == 's' && markup_) {
      BRISK_ASSIGN(const Value escaped, escaped_text(rt_, value));
      text = escaped.text();
    } else if (spec.type == 's') {
      BRISK_TRY(append_str(rt_, text, value));
    } else {
      BRISK_TRY(append_repr(rt_, text, value));
      if (spec.type == 'a') text = ascii_repr(text);
      if (markup_) text = escape_html(text);
    }
    return append_text(rt_, out_, spec, text, true);
  }

  Status append_as_integer(const Spec& spec, const Value& value) {
    const bool decimal = spec.type == 'd' || spec.type == 'i' || spec.type == 'u';
    if (value.is_integral()) return append_integer(rt_, out_, spec, value.as_int());
    if (!value.is(Kind::kFloat) || !decimal)
      return bad_format("a value of type " + std::string(type_name(value)) + " for an integer");
    const double whole = std::trunc(value.real);
    if (!(std::fabs(whole) < 0x1p63)) return bad_format("a float that no 64-bit integer holds");
    return append_integer(rt_, out_, spec, static_cast<int64_t>(whole));
  }

  Status append_character(const Spec& spec, const Value& value) {
    std::string text;
    if (value.is_integral() && value.as_int() >= 0 && value.as_int() <= 0x10FFFF) {
      const auto code = static_cast<char32_t>(value.as_int());
      if (code >= 0xD800 && code <= 0xDFFF) return bad_format("half a character for '%c'");
      utf8_append(text, code);
    } else if (value.is_string() && count_characters(value.text()) == 1) {
      text = value.text();
    } else {
      return bad_format("something other than a character for '%c'");
    }
    return append_padded(rt_, out_, spec, text, 0, true);
  }

  Runtime& rt_;
  std::string_view pattern_;
  bool markup_;
  const Value& values_;
  std::string out_;
  size_t at_ = 0;
  uint32_t used_ = 0;
};

}  // namespace

Result<Value> format_percent(Runtime& rt, const Value& pattern, const Value& values) {
  return PercentFormatter(rt, pattern, values).run();
}

}  // namespace brisk::text::tmpl
