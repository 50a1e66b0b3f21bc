// The filter pprint: Python's pprint.pformat, 80 columns wide. What fits a line is written as repr() does,
// with the keys of dictionaries in order; what does not is broken after each item, long strings after words.
#include <algorithm>

#include "text/template/merge_sort.hpp"
#include "text/template/operators.hpp"
#include "text/template/pretty.hpp"
#include "text/template/print.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text::tmpl {
namespace {

constexpr int64_t kWidth = 80;

class PrettyPrinter {
 public:
  PrettyPrinter(Runtime& rt, std::string& out) : rt_(rt), out_(out) {}

  /// `indent` columns are used before the value, `allowance` are needed behind it.
  Status write(const Value& value, int64_t indent, int64_t allowance, int level) {
    std::string flat;
    BRISK_TRY(append_sorted_repr(rt_, flat, value));
    BRISK_TRY(rt_.charge_bytes(flat.size()));
    if (count_characters(flat) > kWidth - indent - allowance) {
      if (value.is(Kind::kDict)) return dict(*value.dict, indent, allowance + 1, level + 1);
      if (value.is_sequence(SequenceKind::kList))
        return items(value, "[", "]", indent, allowance + 1, level + 1);
      if (value.is_sequence(SequenceKind::kTuple)) {
        const std::string_view end = value.sequence->size == 1 ? ",)" : ")";
        return items(value, "(", end, indent, allowance + static_cast<int64_t>(end.size()), level + 1);
      }
      if (value.is_string() && !value.markup && value.length > 0)
        return string(value.text(), indent, allowance, level + 1);
    }
    out_ += flat;
    return {};
  }

 private:
  Status new_line(int64_t indent) {
    BRISK_TRY(rt_.charge_bytes(static_cast<size_t>(indent)));
    out_ += '\n';
    out_.append(static_cast<size_t>(indent), ' ');
    return {};
  }

  Status dict(const Dict& dict, int64_t indent, int64_t allowance, int level) {
    BRISK_ASSIGN(const auto entries, sorted_entries(rt_, dict));
    out_ += '{';
    for (size_t i = 0; i < entries.size(); ++i) {
      const bool is_last = i + 1 == entries.size();
      std::string key;
      BRISK_TRY(append_sorted_repr(rt_, key, entries[i].key));
      out_ += key + ": ";
      BRISK_TRY(write(entries[i].value, indent + count_characters(key) + 3, is_last ? allowance : 1, level));
      if (is_last) break;
      out_ += ',';
      BRISK_TRY(new_line(indent + 1));
    }
    out_ += '}';
    return {};
  }

  Status items(const Value& value, std::string_view begin, std::string_view end, int64_t indent,
               int64_t allowance, int level) {
    out_ += begin;
    const auto all = value.sequence->all();
    for (size_t i = 0; i < all.size(); ++i) {
      const bool is_last = i + 1 == all.size();
      BRISK_TRY(write(all[i], indent + 1, is_last ? allowance : 1, level));
      if (is_last) break;
      out_ += ',';
      BRISK_TRY(new_line(indent + 1));
    }
    out_ += end;
    return {};
  }

  /// Words with the white space behind them.
  static std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    size_t begin = 0;
    bool after_space = false;
    for (size_t at = 0, length = 0; at < line.size(); at += length) {
      const bool is_blank = is_space(character_at(line, at, length));
      if (after_space && !is_blank) {
        words.push_back(line.substr(begin, at - begin));
        begin = at;
      }
      after_space = is_blank;
    }
    words.push_back(line.substr(begin));
    return words;
  }

  /// Pieces of the text in quotes, each as long as fits.
  Status string(std::string_view text, int64_t indent, int64_t allowance, int level) {
    if (level == 1) {
      ++indent;
      ++allowance;
    }
    const int64_t room = kWidth - indent;
    std::vector<std::string> chunks;
    const auto lines = split_lines(text, true);
    for (size_t i = 0; i < lines.size(); ++i) {
      const bool is_last = i + 1 == lines.size();
      std::string whole = quoted(lines[i]);
      BRISK_TRY(rt_.charge_bytes(whole.size()));
      if (count_characters(whole) <= room - (is_last ? allowance : 0)) {
        chunks.push_back(std::move(whole));
      } else {
        BRISK_TRY(break_line(lines[i], room, is_last ? allowance : 0, chunks));
      }
    }
    if (level == 1 && chunks.size() > 1) out_ += '(';
    for (size_t i = 0; i < chunks.size(); ++i) {
      if (i > 0) BRISK_TRY(new_line(indent));
      out_ += chunks[i];
    }
    if (level == 1 && chunks.size() > 1) out_ += ')';
    return {};
  }

  Status break_line(std::string_view line, int64_t room, int64_t allowance,
                    std::vector<std::string>& chunks) {
    const auto words = words_of(line);
    size_t begin = 0;  // of what is collected, a part of the line
    size_t end = 0;
    for (size_t i = 0; i < words.size(); ++i) {
      const size_t candidate = end + words[i].size();
      if (i + 1 == words.size()) room -= allowance;
      const std::string text = quoted(line.substr(begin, candidate - begin));
      BRISK_TRY(rt_.charge_bytes(text.size()));
      if (count_characters(text) > room) {
        if (end > begin) chunks.push_back(quoted(line.substr(begin, end - begin)));
        begin = end;
      }
      end = candidate;
    }
    if (end > begin) chunks.push_back(quoted(line.substr(begin, end - begin)));
    return {};
  }

  Runtime& rt_;
  std::string& out_;
};

}  // namespace

Result<std::vector<Dict::Entry>> sorted_entries(Runtime& rt, const Dict& dict) {
  BRISK_TRY(rt.charge(dict.size));
  std::vector<Dict::Entry> entries(dict.all().begin(), dict.all().end());
  Status out_of_fuel;
  // Keys that have no order among themselves are sorted by the names of their types.
  merge_sort(entries, [&](const Dict::Entry& a, const Dict::Entry& b) {
    if (!out_of_fuel.ok()) return false;
    out_of_fuel = rt.charge(1);
    const Result<bool> before = less(rt, a.key, b.key);
    return before.ok() ? *before : type_name(a.key) < type_name(b.key);
  });
  BRISK_TRY(out_of_fuel);
  return entries;
}

Status append_pretty(Runtime& rt, std::string& out, const Value& value) {
  return PrettyPrinter(rt, out).write(value, 0, 0, 0);
}

}  // namespace brisk::text::tmpl
