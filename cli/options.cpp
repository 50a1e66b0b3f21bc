#include "cli/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <set>

#include "base/check.hpp"
#include "base/checked.hpp"
#include "base/utf8.hpp"

namespace brisk::cli {
namespace {

/// Numbers in messages: whole ones without a point.
std::string number_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  if (std::abs(value) < 9e15 && value == std::floor(value))
    return std::to_string(static_cast<int64_t>(value));
  return {buffer, end};
}

std::string range_text(const Option& option) {
  const std::string kind = option.kind == Kind::kNumber ? "a number" : "a whole number";
  const bool low = option.least > -9e18;
  const bool high = option.most < 9e18;
  if (low && high) return kind + " from " + number_text(option.least) + " to " + number_text(option.most);
  if (low) return kind + " of at least " + number_text(option.least);
  if (high) return kind + " of at most " + number_text(option.most);
  return kind;
}

std::optional<int64_t> read_integer(std::string_view text) {
  int64_t factor = 1;
  if (text.size() > 1) {
    const char unit = text.back();
    if (unit == 'k' || unit == 'K') factor = 1024;
    if (unit == 'm' || unit == 'M') factor = 1024 * 1024;
    if (factor > 1) text.remove_suffix(1);
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return checked_mul(value, factor);
}

std::optional<double> read_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

/// Edits (insert, remove, replace, swap of neighbours) that lead from a to b.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row[b.size()];
}

}  // namespace

std::optional<bool> read_flag(std::string_view text) {
  for (const std::string_view yes : {"1", "true", "on", "yes"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "false", "off", "no"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

Status check_utf8(std::string_view text, const std::string& where, StatusCode code) {
  for (size_t at = 0; at < text.size();) {
    const Utf8Char character = utf8_decode(text, at);
    if (!character.valid) {
      return {
          code,
          {where, "text in UTF-8", "'" + std::string(text.substr(at, 1)) + "' at byte " + std::to_string(at),
           "converting it, as with iconv"}};
    }
    at += character.length;
  }
  return {};
}

std::vector<std::string> words(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const size_t end = std::min(list.find(' '), list.size());
    if (end > 0) out.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return out;
}

std::string environment_name(std::string_view option) {
  std::string name = "BRISK_";
  for (const char c : option)
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

std::vector<std::string> spellings(const Option& option) {
  std::vector<std::string> letters, others;
  for (std::string& alias : words(option.aliases))
    (alias.size() == 2 ? letters : others).push_back(std::move(alias));
  letters.push_back("--" + std::string(option.name));
  letters.insert(letters.end(), others.begin(), others.end());
  return letters;
}

std::string nearest(std::string_view word, std::span<const std::string> known) {
  // A word of thousands of letters is no slip of the finger, and its distance would take long.
  if (word.empty() || word.size() > 64) return "";
  std::string best;
  size_t least = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    // What the word begins is as near as one slip: --temp for --temperature.
    const bool begun = word.size() >= 3 && candidate.starts_with(word);
    const size_t distance = begun ? 1 : edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

const Arguments::Value& Arguments::value(std::string_view name) const {
  const auto found = values_.find(name);
  BRISK_ASSERT(found != values_.end(), "the verb's table has this option");
  return found->second;
}

int64_t Arguments::integer(std::string_view name) const {
  const Value& found = value(name);
  BRISK_ASSERT(found.integers.size() == 1, "an integer option with a value");
  return found.integers.front();
}

double Arguments::number(std::string_view name) const { return value(name).number; }

const std::string& Arguments::text(std::string_view name) const {
  static const std::string none;
  const Value& found = value(name);
  return found.texts.empty() ? none : found.texts.back();
}

class OptionParser {
 public:
  OptionParser(std::string_view verb, std::span<const Option> options,
               std::span<const Positional> positionals)
      : verb_(verb), options_(options), positionals_(positionals) {}

  Result<Arguments> parse(std::span<const std::string> line, LookUp variable) {
    for (const Option& option : options_) BRISK_TRY(set_default(option, variable));
    BRISK_TRY(read_line(line));
    if (arguments_.wants_help_) return std::move(arguments_);
    BRISK_TRY(check_positionals());
    return std::move(arguments_);
  }

 private:
  std::string where() const { return "brisk " + std::string(verb_); }

  /// The table's fallback, then the environment over it.
  Status set_default(const Option& option, LookUp variable) {
    Arguments::Value& value = reset(option);
    if (!option.fallback.empty()) {
      const Status status = set(option, option.fallback, value.spelled);
      BRISK_ASSERT(status.ok(), "the fallback of a table is within its own range");
      value.given = false;
    }
    const std::string name = environment_name(option.name);
    const char* text = variable(name.c_str());
    if (text == nullptr || text[0] == '\0') return {};
    reset(option);
    return set(option, text, name);
  }

  Arguments::Value& reset(const Option& option) {
    Arguments::Value& value = arguments_.values_[std::string(option.name)];
    value = {};
    value.spelled = "--" + std::string(option.name);
    return value;
  }

  Status read_line(std::span<const std::string> line) {
    for (size_t i = 0; i < line.size(); ++i) {
      const std::string& word = line[i];
      if (word == "--") {
        arguments_.positionals_.insert(arguments_.positionals_.end(),
                                       line.begin() + static_cast<ptrdiff_t>(i) + 1, line.end());
        return {};
      }
      if (word.size() < 2 || word[0] != '-') {
        arguments_.positionals_.push_back(word);
      } else {
        BRISK_TRY(read_option(line, i));
        if (arguments_.wants_help_) return {};
      }
    }
    return {};
  }

  /// The option at line[i], its value taken from behind '=' or from the next word (then `i` moves on).
  Status read_option(std::span<const std::string> line, size_t& i) {
    const std::string& word = line[i];
    if (word == "-h" || word == "--help") {
      arguments_.wants_help_ = true;
      return {};
    }
    const size_t equals = word.find('=');
    const std::string spelled = word.substr(0, equals);
    const Option* option = find(spelled);
    if (option == nullptr) return unknown(spelled);
    if (equals != std::string::npos)
      return set_from_line(*option, std::string_view(word).substr(equals + 1), spelled);
    if (option->kind == Kind::kFlag) return set_from_line(*option, "true", spelled);
    if (i + 1 >= line.size() || find(line[i + 1]) != nullptr) {
      const std::string got = i + 1 >= line.size() ? "the end of the line" : "the option " + line[i + 1];
      return usage_error(
          {spelled, expected(*option), got, "'" + spelled + "=" + std::string(option->placeholder) + "'"});
    }
    return set_from_line(*option, line[++i], spelled);
  }

  Status set_from_line(const Option& option, std::string_view text, const std::string& spelled) {
    // The first on the line replaces what the environment or the table said; lists grow from then on.
    if (seen_.insert(&option).second) reset(option);
    return set(option, text, spelled);
  }

  static std::string expected(const Option& option) {
    switch (option.kind) {
      case Kind::kFlag: return "nothing, or =true or =false";
      case Kind::kInteger:
      case Kind::kNumber: return range_text(option);
      case Kind::kIntegers: return "numbers separated by commas, each " + range_text(option);
      case Kind::kFile: return "the path of a file";
      case Kind::kText:
      case Kind::kTexts: return "a text";
      case Kind::kChoice: {
        std::string list;
        for (const std::string& word : words(option.choices)) list += (list.empty() ? "" : ", ") + word;
        return "one of " + list;
      }
    }
    return "a value";
  }

  Status wrong(const Option& option, std::string_view text, const std::string& spelled) const {
    std::string hint = "'brisk help " + std::string(verb_) + "'";
    if (!option.fallback.empty() && option.kind != Kind::kFlag)
      hint = std::string(option.fallback) + ", the default";
    if (option.kind == Kind::kChoice) {
      const std::vector<std::string> known = words(option.choices);
      if (const std::string near = nearest(text, known); !near.empty()) hint = near;
    }
    return usage_error(
        {spelled, expected(option), text.empty() ? "nothing" : "'" + std::string(text) + "'", hint});
  }

  Status set(const Option& option, std::string_view text, const std::string& spelled) {
    Arguments::Value& value = arguments_.values_[std::string(option.name)];
    value.given = true;
    value.spelled = spelled;
    switch (option.kind) {
      case Kind::kFlag: {
        const std::optional<bool> flag = read_flag(text);
        if (!flag) return wrong(option, text, spelled);
        value.flag = *flag;
        return {};
      }
      case Kind::kInteger: value.integers.clear(); return add_integers(option, text, spelled, value, false);
      case Kind::kIntegers: return add_integers(option, text, spelled, value, true);
      case Kind::kNumber: {
        const std::optional<double> number = read_number(text);
        if (!number || *number < option.least || *number > option.most) return wrong(option, text, spelled);
        value.number = *number;
        return {};
      }
      case Kind::kChoice: {
        const std::vector<std::string> known = words(option.choices);
        if (std::find(known.begin(), known.end(), text) == known.end()) return wrong(option, text, spelled);
        break;
      }
      case Kind::kText:
      case Kind::kTexts: BRISK_TRY(check_utf8(text, spelled, StatusCode::kUsage)); break;
      case Kind::kFile: break;  // a path is any bytes
    }
    if (option.kind != Kind::kTexts) value.texts.clear();
    value.texts.emplace_back(text);
    return {};
  }

  Status add_integers(const Option& option, std::string_view text, const std::string& spelled,
                      Arguments::Value& value, bool list) const {
    std::string_view rest = text;
    while (true) {
      const size_t comma = list ? rest.find(',') : std::string_view::npos;
      const std::optional<int64_t> number = read_integer(rest.substr(0, comma));
      const bool inside = number && static_cast<double>(*number) >= option.least &&
                          static_cast<double>(*number) <= option.most;
      if (!inside) return wrong(option, rest.substr(0, comma), spelled);
      value.integers.push_back(*number);
      if (comma == std::string_view::npos) return {};
      rest.remove_prefix(comma + 1);
    }
  }

  const Option* find(std::string_view spelled) const {
    for (const Option& option : options_) {
      for (const std::string& known : spellings(option)) {
        if (known == spelled) return &option;
      }
    }
    return nullptr;
  }

  Status unknown(const std::string& spelled) const {
    std::vector<std::string> known = {"--help"};
    for (const Option& option : options_) {
      for (std::string& spelling : spellings(option)) known.push_back(std::move(spelling));
    }
    const std::string near = nearest(spelled, known);
    return usage_error({where(), "an option that it knows", spelled,
                        near.empty() ? "'brisk help " + std::string(verb_) + "'" : near});
  }

  Status check_positionals() const {
    const size_t got = arguments_.positionals_.size();
    for (size_t i = got; i < positionals_.size(); ++i) {
      if (!positionals_[i].required) continue;
      return usage_error(
          {where(), std::string(positionals_[i].name), "nothing", "'brisk help " + std::string(verb_) + "'"});
    }
    if (got <= positionals_.size()) return {};
    std::string expected = "no further word";
    if (positionals_.empty()) expected = "options only";
    return usage_error({where(), expected, "'" + arguments_.positionals_[positionals_.size()] + "'",
                        "quotes around a text of several words, or 'brisk help " + std::string(verb_) + "'"});
  }

  const std::string_view verb_;
  const std::span<const Option> options_;
  const std::span<const Positional> positionals_;
  Arguments arguments_;
  std::set<const Option*> seen_;
};

Result<Arguments> parse_arguments(std::string_view verb, std::span<const Option> options,
                                  std::span<const Positional> positionals, std::span<const std::string> line,
                                  LookUp variable) {
  return OptionParser(verb, options, positionals).parse(line, variable);
}

}  // namespace brisk::cli
