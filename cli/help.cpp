#include "cli/help.hpp"

#include <algorithm>

#include "base/status.hpp"
#include "cli/output.hpp"

namespace brisk::cli {
namespace {

std::string_view group_heading(VerbGroup group) {
  switch (group) {
    case VerbGroup::kUse: return "Use a model";
    case VerbGroup::kFiles: return "Files and this machine";
    case VerbGroup::kJudge: return "Judge";
    case VerbGroup::kText: return "Text and tokens";
    case VerbGroup::kHelp: return "Help";
  }
  return "";
}

/// Words of `text` on lines of at most `width`, each after the first indented by `indent`.
std::string wrapped(std::string_view text, size_t indent, size_t width) {
  std::string out;
  size_t column = indent;
  for (const std::string& word : words(text)) {
    const size_t length = display_width(word);
    if (column > indent && column + 1 + length > width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    }
    if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += length;
  }
  return out;
}

std::string option_line(const Option& option) {
  std::string line;
  for (const std::string& spelling : spellings(option)) line += (line.empty() ? "" : ", ") + spelling;
  if (option.kind != Kind::kFlag) {
    std::string value(option.placeholder);
    if (option.kind == Kind::kChoice) {
      value.clear();
      for (const std::string& word : words(option.choices)) value += (value.empty() ? "" : "|") + word;
    }
    line += " " + value;
  }
  return line;
}

std::string option_help(const Option& option) {
  std::string text(option.help);
  if (option.kind != Kind::kFlag && !option.fallback.empty())
    text += " [" + std::string(option.fallback) + "]";
  return text;
}

/// The columns of help: what is typed, then what it does; long left parts take a line of their own.
std::string two_columns(const std::string& left, std::string_view right, size_t left_width) {
  constexpr size_t kMargin = 2;
  const size_t indent = kMargin + left_width + 2;
  const size_t width = std::clamp<size_t>(static_cast<size_t>(terminal_width()), 60, 100);
  std::string out = std::string(kMargin, ' ') + left;
  if (display_width(left) > left_width) {
    out += "\n" + std::string(indent, ' ');
  } else {
    out += std::string(left_width - display_width(left) + 2, ' ');
  }
  return out + wrapped(right, indent, width) + "\n";
}

std::string usage_line(const Verb& verb) {
  std::string line = "brisk " + std::string(verb.name);
  for (const Positional& positional : verb.positionals) {
    const std::string name(positional.name);
    line += positional.required ? " " + name : " [" + name + "]";
  }
  if (!verb.options.empty()) line += " [options]";
  return line;
}

}  // namespace

std::string overview() {
  std::string out = bold("brisk") + " " + BRISK_VERSION +
                    ": neural-network inference on ordinary machines\n\n" + "usage: brisk VERB [options]\n";
  const Verb* before = nullptr;
  for (const Verb& verb : all_verbs()) {
    if (before == nullptr || before->group != verb.group) {
      out += "\n" + bold(group_heading(verb.group)) + "\n";
    }
    before = &verb;
    out += two_columns(std::string(verb.name), verb.summary, 12);
  }
  out += "\n'brisk VERB --help' tells more. A first try: brisk run -p \"Why is the sky blue?\"\n";
  return out;
}

std::string help_of(const Verb& verb) {
  constexpr size_t kLeft = 30;
  std::string out = bold("brisk " + std::string(verb.name)) + ": " + std::string(verb.summary) + "\n";
  if (!verb.details.empty()) out += "\n" + wrapped(verb.details, 0, 100) + "\n";
  out += "\nusage: " + usage_line(verb) + "\n";
  if (!verb.aliases.empty()) out += "alias: " + std::string(verb.aliases) + "\n";
  if (!verb.positionals.empty()) out += "\n";
  for (const Positional& positional : verb.positionals) {
    out += two_columns(std::string(positional.name), positional.help, kLeft);
  }
  out += "\n" + bold("Options") + "\n";
  for (const Option& option : verb.options)
    out += two_columns(option_line(option), option_help(option), kLeft);
  out += two_columns("-h, --help", "this text", kLeft);
  out += "\n" + bold(verb.examples.size() > 1 ? "Examples" : "Example") + "\n";
  for (const std::string_view example : verb.examples) out += "  " + std::string(example) + "\n";
  if (verb.options.empty()) return out;
  const std::string_view first = verb.options.front().name;
  out += "\n" +
         dim("The environment sets options too: " + environment_name(first) + " is --" + std::string(first) +
             ".") +
         "\n";
  return out;
}

}  // namespace brisk::cli
