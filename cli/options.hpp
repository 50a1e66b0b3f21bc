// Options of verbs, declared as data. One table gives the parsing with its checks, the environment variable
// of each flag, the help text and the shell completion.
//
// Written by hand because the habits we keep need it: llama.cpp's flags of several letters behind one dash
// (-sys, -ctk), errors in four parts with the nearest name, and no exceptions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace brisk::cli {

enum class Kind : uint8_t {
  kFlag,     ///< no value; --flag=false turns it off
  kInteger,  ///< whole number; "32k" and "1m" are multiples of 1024
  kNumber,   ///< decimal number
  kText,
  kFile,      ///< path of a file (completion offers files)
  kTexts,     ///< may be given several times
  kIntegers,  ///< whole numbers separated by commas; may be given several times
  kChoice,    ///< one word of `choices`
};

struct Option {
  std::string_view name;          ///< "ctx-size" is --ctx-size on the line and BRISK_CTX_SIZE outside
  std::string_view aliases = {};  ///< other spellings as they are typed: "-c --ctx"
  Kind kind = Kind::kFlag;
  std::string_view placeholder = {};  ///< what stands for the value in the help: "N"
  std::string_view fallback = {};  ///< the value when nobody gives one, written as on the line; may be none
  std::string_view help = {};
  double least = -9.2e18;  ///< of numbers, both ends included
  double most = 9.2e18;
  std::string_view choices = {};  ///< "md csv json jsonl"
};

/// What stands without a dash: `run [MODEL]`.
struct Positional {
  std::string_view name;  ///< "MODEL"
  std::string_view help;
  bool required = false;
  bool file = true;  ///< whether completion offers files
};

/// The values of one call: from the line, else the environment, else the table's fallback. Asking for an
/// option that the table does not have, or as another kind, is a programmer's mistake.
class Arguments {
 public:
  /// Whether the line or the environment gives it.
  bool given(std::string_view name) const { return value(name).given; }
  bool flag(std::string_view name) const { return value(name).flag; }
  /// Only for options that have a fallback or are given().
  int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  const std::string& text(std::string_view name) const;  ///< empty when there is none
  const std::vector<std::string>& texts(std::string_view name) const { return value(name).texts; }
  const std::vector<int64_t>& integers(std::string_view name) const { return value(name).integers; }
  /// How the user spelled it, for errors: "--threads", "-t" or "BRISK_THREADS".
  const std::string& spelled(std::string_view name) const { return value(name).spelled; }

  const std::vector<std::string>& positionals() const { return positionals_; }
  /// Empty when there are fewer.
  std::string positional(size_t index) const {
    return index < positionals_.size() ? positionals_[index] : "";
  }
  bool wants_help() const { return wants_help_; }

 private:
  friend class OptionParser;
  struct Value {
    bool given = false;
    std::string spelled;
    bool flag = false;
    std::vector<std::string> texts;
    std::vector<int64_t> integers;
    double number = 0;
  };
  const Value& value(std::string_view name) const;

  std::map<std::string, Value, std::less<>> values_;
  std::vector<std::string> positionals_;
  bool wants_help_ = false;
};

/// Reads the line of one verb. Usage errors name the option, its range or the nearest spelling.
/// `variable` looks up the environment (tests give their own).
using LookUp = const char* (*)(const char* name);
Result<Arguments> parse_arguments(std::string_view verb, std::span<const Option> options,
                                  std::span<const Positional> positionals, std::span<const std::string> line,
                                  LookUp variable);

/// What a flag's value means: 1, true, on, yes or 0, false, off, no; none for anything else.
std::optional<bool> read_flag(std::string_view text);
/// An error of `code` that names the first byte of `text` that is not UTF-8, if there is one.
Status check_utf8(std::string_view text, const std::string& where, StatusCode code);
/// "BRISK_CTX_SIZE" of "ctx-size".
std::string environment_name(std::string_view option);
/// All spellings of an option: letters, its name, then the other aliases: {"-c", "--ctx-size", "--ctx"}.
std::vector<std::string> spellings(const Option& option);
/// The words of a list separated by spaces.
std::vector<std::string> words(std::string_view list);
/// The member of `known` closest to `word`; empty when none is near enough to be meant.
std::string nearest(std::string_view word, std::span<const std::string> known);

}  // namespace brisk::cli
