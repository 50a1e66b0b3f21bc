// str() and repr() of values.
#include "text/template/print.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "text/template/ast.hpp"
#include "text/template/loop.hpp"
#include "text/template/pretty.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

/// \x, \u or \U and the code.
void append_escape(std::string& out, char32_t c) {
  const int digits = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
  out += digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U";
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out += "0123456789abcdef"[(c >> shift) & 15];
}

void append_quoted_character(std::string& out, std::string_view text, char32_t c, char quote) {
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\\': out += "\\\\"; return;
    default: break;
  }
  if (c == static_cast<char32_t>(quote)) {
    out += '\\';
    out += quote;
  } else if (is_printable(c)) {
    out += text;
  } else {
    append_escape(out, c);
  }
}

/// Prints with a bound on recursion: values are bounded in depth, but a namespace may hold itself.
class Printer {
 public:
  Printer(Runtime& rt, std::string& out, bool sorted) : rt_(rt), out_(out), sorted_(sorted) {}

  Status repr(const Value& value) {
    switch (value.kind) {
      case Kind::kString:
        return put(value.markup ? "Markup(" + quoted(value.text()) + ")" : quoted(value.text()));
      case Kind::kSequence: return sequence(*value.sequence);
      case Kind::kDict: return dict(*value.dict);
      case Kind::kNamespace: return names(*value.names);
      case Kind::kUndefined: return put("Undefined");
      default: return plain(value);
    }
  }

  Status plain(const Value& value) {
    switch (value.kind) {
      case Kind::kLoop: return loop(*value.loop);
      case Kind::kTemplate: return put("<TemplateReference None>");
      case Kind::kCallable:
        if (value.callable->macro == nullptr) break;
        return put(value.callable->macro->name.empty()
                       ? "<Macro anonymous>"
                       : "<Macro " + quoted(value.callable->macro->name) + ">");
      case Kind::kNone: return put("None");
      case Kind::kBool: return put(value.boolean ? "True" : "False");
      case Kind::kInt: return put(std::to_string(value.integer));
      case Kind::kBigInt: return put(value.text());
      case Kind::kFloat: return put(float_repr(value.real));
      default: break;
    }
    return put("<" + std::string(type_name(value)) + ">");
  }

  Status put(std::string_view text) {
    BRISK_TRY(rt_.charge_bytes(text.size()));
    out_ += text;
    return {};
  }

 private:
  Status loop(Loop& loop) {
    BRISK_ASSIGN(const int64_t length, loop_length(rt_, loop));
    return put("<LoopContext " + std::to_string(loop.index0 + 1) + "/" + std::to_string(length) + ">");
  }

  Status range(const RangeBounds& bounds) {
    const std::string step = bounds.step == 1 ? "" : ", " + std::to_string(bounds.step);
    return put("range(" + std::to_string(bounds.begin) + ", " + std::to_string(bounds.end) + step + ")");
  }

  Status items(std::span<const Value> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) BRISK_TRY(put(", "));
      BRISK_TRY(repr(values[i]));
    }
    return {};
  }

  Status sequence(const Sequence& sequence) {
    switch (sequence.kind) {
      case SequenceKind::kGenerator: return put("<generator>");
      case SequenceKind::kRange: return range(*sequence.bounds);
      case SequenceKind::kList:
        BRISK_TRY(put("["));
        BRISK_TRY(items(sequence.all()));
        return put("]");
      case SequenceKind::kView:
        BRISK_TRY(put(sequence.view_name));
        BRISK_TRY(put("(["));
        BRISK_TRY(items(sequence.all()));
        return put("])");
      default:
        BRISK_TRY(put("("));
        BRISK_TRY(items(sequence.all()));
        return put(sequence.size == 1 ? ",)" : ")");
    }
  }

  Status dict(const Dict& dict) {
    std::vector<Dict::Entry> in_order;
    if (sorted_) {
      BRISK_ASSIGN(in_order, sorted_entries(rt_, dict));
    }
    BRISK_TRY(put("{"));
    bool first = true;
    for (const Dict::Entry& entry : sorted_ ? std::span<const Dict::Entry>(in_order) : dict.all()) {
      if (!first) BRISK_TRY(put(", "));
      first = false;
      BRISK_TRY(repr(entry.key));
      BRISK_TRY(put(": "));
      BRISK_TRY(repr(entry.value));
    }
    return put("}");
  }

  Status names(const Namespace& names) {
    if (namespaces_ >= 8) return fail("namespaces that do not hold themselves", "one that does");
    ++namespaces_;
    BRISK_TRY(put("<Namespace "));
    BRISK_TRY(dict(names.attributes));
    --namespaces_;
    return put(">");
  }

  Runtime& rt_;
  std::string& out_;
  bool sorted_;
  int namespaces_ = 0;
};

}  // namespace

std::string float_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string text(buffer, end);  // "d.ddde+XX"
  const size_t e = text.find('e');
  const int exponent = std::atoi(text.c_str() + e + 1);
  if (exponent < -4 || exponent >= 16) return text;
  std::string digits = text.substr(0, e);
  const std::string sign = digits[0] == '-' ? "-" : "";
  digits.erase(0, sign.size());
  std::erase(digits, '.');
  if (exponent < 0) return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string quoted(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (size_t at = 0, length = 0; at < text.size(); at += length) {
    const char32_t c = character_at(text, at, length);
    append_quoted_character(out, text.substr(at, length), c, quote);
  }
  return out + quote;
}

std::string ascii_repr(std::string_view repr) {
  std::string out;
  for (size_t at = 0, length = 0; at < repr.size(); at += length) {
    const char32_t c = character_at(repr, at, length);
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else {
      append_escape(out, c);
    }
  }
  return out;
}

Status append_str(Runtime& rt, std::string& out, const Value& value) {
  Printer printer(rt, out, false);
  if (value.is_string()) return printer.put(value.text());
  return value.is_undefined() ? Status() : printer.repr(value);
}

Status append_repr(Runtime& rt, std::string& out, const Value& value) {
  return Printer(rt, out, false).repr(value);
}

Status append_sorted_repr(Runtime& rt, std::string& out, const Value& value) {
  return Printer(rt, out, true).repr(value);
}

Result<Value> to_str(Runtime& rt, const Value& value) {
  if (value.is_string()) return value;
  std::string text;
  BRISK_TRY(append_str(rt, text, value));
  return rt.copy_string(text);
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

Result<Value> escaped_text(Runtime& rt, const Value& value) {
  if (value.markup) return value;
  BRISK_ASSIGN(const Value plain, to_str(rt, value));
  BRISK_TRY(rt.charge_bytes(plain.length));
  BRISK_ASSIGN(Value text, rt.copy_string(escape_html(plain.text())));
  text.markup = true;
  return text;
}

}  // namespace brisk::text::tmpl
