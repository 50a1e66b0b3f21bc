// JSON out (Python's json.dumps, as templates use it to show tools and arguments) and JSON in.
#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"
#include "text/template/merge_sort.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

class JsonWriter {
 public:
  JsonWriter(Runtime& rt, std::string& out, const JsonStyle& style) : rt_(rt), out_(out), style_(style) {}

  Status write(const Value& value, int level) {
    switch (value.kind) {
      case Kind::kNone: return put("null");
      case Kind::kBool: return put(value.boolean ? "true" : "false");
      case Kind::kInt: return put(std::to_string(value.integer));
      case Kind::kBigInt: return put(value.text());
      case Kind::kFloat: return put(number(value.real));
      case Kind::kString: return string(value.text());
      case Kind::kDict: return dict(*value.dict, level);
      case Kind::kSequence:
        if (value.sequence->kind <= SequenceKind::kTuple || value.sequence->kind == SequenceKind::kGroup) {
          return list(*value.sequence, level);
        }
        break;
      default: break;
    }
    return fail("a value that JSON can hold", "one of type " + std::string(type_name(value)));
  }

 private:
  Status put(std::string_view text) {
    BRISK_TRY(rt_.charge_bytes(text.size()));
    out_ += text;
    return {};
  }

  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return float_repr(value);
  }

  void escape(uint32_t unit) {
    out_ += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out_ += "0123456789abcdef"[(unit >> shift) & 15];
  }

  Status string(std::string_view text) {
    BRISK_TRY(rt_.charge_bytes(text.size()));
    out_ += '"';
    for (size_t at = 0, length = 0; at < text.size(); at += length) {
      const char32_t c = character_at(text, at, length);
      constexpr std::string_view kShort = "\"\\\n\r\t\f\b";
      constexpr std::string_view kLetters = "\"\\nrtfb";
      const size_t found = c < 0x80 ? kShort.find(static_cast<char>(c)) : std::string_view::npos;
      if (found != std::string_view::npos) {
        out_ += '\\';
        out_ += kLetters[found];
      } else if (c >= 0x20 && (c < 0x7F || !style_.ensure_ascii)) {
        out_ += text.substr(at, length);
      } else if (c == 0x7F) {
        out_ += '\x7F';
      } else if (c < 0x10000) {
        escape(c);
      } else {
        escape(0xD800 + ((c - 0x10000) >> 10));
        escape(0xDC00 + ((c - 0x10000) & 0x3FF));
      }
    }
    out_ += '"';
    return {};
  }

  Status line(int level) {
    if (!style_.indented) return {};
    BRISK_TRY(put("\n"));
    for (int i = 0; i < level; ++i) BRISK_TRY(put(style_.indent));
    return {};
  }

  Status list(const Sequence& sequence, int level) {
    if (sequence.size == 0) return put("[]");
    BRISK_TRY(put("["));
    for (uint32_t i = 0; i < sequence.size; ++i) {
      if (i > 0) BRISK_TRY(put(style_.item_separator));
      BRISK_TRY(line(level + 1));
      BRISK_TRY(write(sequence.items[i], level + 1));
    }
    BRISK_TRY(line(level));
    return put("]");
  }

  /// Python turns the keys that are not strings into strings.
  Status key(const Value& key) {
    if (key.is_string()) return string(key.text());
    if (key.is(Kind::kSequence)) return fail("keys that JSON can hold", "a tuple");
    BRISK_TRY(put("\""));
    BRISK_TRY(write(key, 0));
    return put("\"");
  }

  Result<std::vector<Dict::Entry>> sorted(const Dict& dict) {
    BRISK_TRY(rt_.charge(dict.weight));
    std::vector<Dict::Entry> entries(dict.all().begin(), dict.all().end());
    const auto is_text = [](const Dict::Entry& entry) { return entry.key.is_string(); };
    const auto is_number = [](const Dict::Entry& entry) { return entry.key.is_number(); };
    if (std::all_of(entries.begin(), entries.end(), is_text)) {
      merge_sort(entries, [](const auto& a, const auto& b) { return a.key.text() < b.key.text(); });
    } else if (std::all_of(entries.begin(), entries.end(), is_number)) {
      merge_sort(entries, [](const auto& a, const auto& b) { return a.key.as_double() < b.key.as_double(); });
    } else {
      return fail("keys of one kind to sort", "keys of several kinds");
    }
    return entries;
  }

  Status dict(const Dict& dict, int level) {
    if (dict.size == 0) return put("{}");
    std::vector<Dict::Entry> in_order;
    std::span<const Dict::Entry> entries = dict.all();
    if (style_.sort_keys) {
      BRISK_ASSIGN(in_order, sorted(dict));
      entries = in_order;
    }
    BRISK_TRY(put("{"));
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) BRISK_TRY(put(style_.item_separator));
      BRISK_TRY(line(level + 1));
      BRISK_TRY(key(entries[i].key));
      BRISK_TRY(put(style_.key_separator));
      BRISK_TRY(write(entries[i].value, level + 1));
    }
    BRISK_TRY(line(level));
    return put("}");
  }

  Runtime& rt_;
  std::string& out_;
  const JsonStyle& style_;
};

Result<Value> import_string(const std::string& text) {
  if (text.size() > UINT32_MAX / 2)
    return fail("strings below 2 GiB", std::to_string(text.size()) + " bytes");
  if (!utf8_valid(text)) return fail("variables in UTF-8", "an ill-formed string");
  return of(std::string_view(text));
}

/// Not charged to the template's fuel: the caller chose this data. Depth is checked on the way down.
Result<Value> import(Runtime& rt, const Json& json, int level) {
  if (level > rt.limits().depth) {
    return fail("variables nested at most " + std::to_string(rt.limits().depth) + " levels deep",
                "a deeper value");
  }
  switch (json.type()) {
    case Json::value_t::boolean: return of(json.get<bool>());
    case Json::value_t::number_integer: return of(json.get<int64_t>());
    case Json::value_t::number_unsigned: {
      const auto value = json.get<uint64_t>();
      if (value <= INT64_MAX) return of(static_cast<int64_t>(value));
      BRISK_ASSIGN(const Value digits, rt.copy_string(std::to_string(value)));
      return big_integer(digits.text());
    }
    case Json::value_t::number_float: return of(json.get<double>());
    case Json::value_t::string: return import_string(json.get_ref<const std::string&>());
    case Json::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const Json& item : json) {
        BRISK_ASSIGN(const Value value, import(rt, item, level + 1));
        items.push_back(value);
      }
      return rt.import_list(items);
    }
    case Json::value_t::object: {
      Dict* dict = rt.create(Dict{});
      for (auto it = json.begin(); it != json.end(); ++it) {
        BRISK_ASSIGN(const Value key, import_string(it.key()));
        BRISK_ASSIGN(const Value value, import(rt, it.value(), level + 1));
        dict->set(rt.arena(), key, value);
      }
      return of(dict);
    }
    default: return none();
  }
}

}  // namespace

Status append_json(Runtime& rt, std::string& out, const Value& value, const JsonStyle& style) {
  return JsonWriter(rt, out, style).write(value, 0);
}

Result<Value> from_json(Runtime& rt, const Json& json) { return import(rt, json, 1); }

}  // namespace brisk::text::tmpl
