// brisk completion SHELL: a completion script made from the verbs' tables.
#include "cli/output.hpp"
#include "cli/verb.hpp"

namespace brisk::cli {
namespace {

std::string verb_names() {
  std::string names;
  for (const Verb& verb : all_verbs()) names += (names.empty() ? "" : " ") + std::string(verb.name);
  return names;
}

/// The verb's name and aliases with `separator` between.
std::string names_of(const Verb& verb, const char* separator) {
  std::string names(verb.name);
  for (const std::string& alias : words(verb.aliases)) names += separator + alias;
  return names;
}

/// Inside single quotes of a shell.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

bool takes_file(const Verb& verb) {
  for (const Positional& positional : verb.positionals) {
    if (positional.file) return true;
  }
  return false;
}

/// Lines of a bash `case` on the word before: what an option's value may be.
std::string bash_values(const Verb& verb) {
  std::string choices, files, others;
  for (const Option& option : verb.options) {
    std::string pattern;
    for (const std::string& spelling : spellings(option)) pattern += (pattern.empty() ? "" : "|") + spelling;
    if (option.kind == Kind::kChoice) {
      choices += "        " + pattern + ") COMPREPLY=($(compgen -W " + shell_quoted(option.choices) +
                 " -- \"$cur\")); return;;\n";
    } else if (option.kind == Kind::kFile) {
      files += (files.empty() ? "" : "|") + pattern;
    } else if (option.kind != Kind::kFlag) {
      others += (others.empty() ? "" : "|") + pattern;
    }
  }
  if (!files.empty()) files = "        " + files + ") COMPREPLY=($(compgen -f -- \"$cur\")); return;;\n";
  if (!others.empty()) others = "        " + others + ") return;;\n";
  return choices + files + others;
}

std::string bash_script() {
  std::string out = R"sh(# Completion of brisk for bash. To use it: eval "$(brisk completion bash)"
_brisk() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ')sh" +
                    verb_names() + R"sh( --help --version' -- "$cur"))
    return
  fi
  case $verb in
    help) COMPREPLY=($(compgen -W ')sh" +
                    verb_names() + R"sh(' -- "$cur")); return;;
)sh";
  for (const Verb& verb : all_verbs()) {
    if (verb.name == "help") continue;
    std::string flags = "--help";
    for (const Option& option : verb.options) {
      for (const std::string& spelling : spellings(option)) flags += " " + spelling;
    }
    out += "    " + names_of(verb, "|") + ")\n";
    if (const std::string values = bash_values(verb); !values.empty()) {
      out += "      case $prev in\n" + values + "      esac\n";
    }
    out +=
        "      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W " + shell_quoted(flags) + " -- \"$cur\"))\n";
    if (verb.name == "completion") {
      out += "      else COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$cur\"))\n";
    } else if (takes_file(verb)) {
      out += "      else COMPREPLY=($(compgen -f -- \"$cur\"))\n";
    }
    out += "      fi;;\n";
  }
  return out + "  esac\n}\ncomplete -o filenames -F _brisk brisk\n";
}

/// Text inside a zsh specification: brackets and colons have a meaning there.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const Option& option) {
  if (option.kind == Kind::kFlag) return "";
  const std::string message = ":" + zsh_text(option.placeholder.empty() ? "value" : option.placeholder) + ":";
  if (option.kind == Kind::kFile) return message + "_files";
  if (option.kind == Kind::kChoice) return message + "(" + std::string(option.choices) + ")";
  return message;
}

std::string zsh_script() {
  std::string out = R"sh(#compdef brisk
# Completion of brisk for zsh. To use it: eval "$(brisk completion zsh)"
_brisk() {
  local -a verbs
  verbs=(
)sh";
  for (const Verb& verb : all_verbs()) {
    out += "    " + shell_quoted(std::string(verb.name) + ":" + zsh_text(verb.summary)) + "\n";
  }
  out +=
      "  )\n  if ((CURRENT == 2)); then _describe verb verbs; return; fi\n  local verb=$words[2]\n"
      "  shift words; ((CURRENT--))\n  case $verb in\n";
  for (const Verb& verb : all_verbs()) {
    out += "    " + names_of(verb, "|") + ")\n      _arguments";
    for (const Option& option : verb.options) {
      for (const std::string& spelling : spellings(option)) {
        out +=
            " \\\n        " + shell_quoted(spelling + "[" + zsh_text(option.help) + "]" + zsh_action(option));
      }
    }
    if (verb.name == "completion") out += " \\\n        '1:shell:(bash zsh fish)'";
    if (verb.name == "help") out += " \\\n        '1:verb:(" + verb_names() + ")'";
    if (takes_file(verb)) out += " \\\n        '*:file:_files'";
    out += ";;\n";
  }
  return out +
         "  esac\n}\nif [[ $funcstack[1] == _brisk ]]; then _brisk \"$@\"; else compdef _brisk brisk; fi\n";
}

std::string fish_spelling(const std::string& spelling) {
  if (spelling.starts_with("--")) return " -l " + spelling.substr(2);
  return (spelling.size() == 2 ? " -s " : " -o ") + spelling.substr(1);
}

std::string fish_script() {
  std::string out =
      "# Completion of brisk for fish. To use it: brisk completion fish | source\n"
      "complete -c brisk -f\n";
  for (const Verb& verb : all_verbs()) {
    out += "complete -c brisk -n __fish_use_subcommand -a " + std::string(verb.name) + " -d " +
           shell_quoted(verb.summary) + "\n";
  }
  for (const Verb& verb : all_verbs()) {
    const std::string begin =
        "complete -c brisk -n '__fish_seen_subcommand_from " + names_of(verb, " ") + "'";
    if (takes_file(verb)) out += begin + " -F\n";
    if (verb.name == "completion") out += begin + " -a 'bash zsh fish'\n";
    if (verb.name == "help") out += begin + " -a " + shell_quoted(verb_names()) + "\n";
    for (const Option& option : verb.options) {
      out += begin;
      for (const std::string& spelling : spellings(option)) out += fish_spelling(spelling);
      if (option.kind == Kind::kFile) out += " -r -F";
      if (option.kind == Kind::kChoice) out += " -x -a " + shell_quoted(option.choices);
      if (option.kind != Kind::kFlag && option.kind != Kind::kFile && option.kind != Kind::kChoice)
        out += " -x";
      out += " -d " + shell_quoted(option.help) + "\n";
    }
  }
  return out;
}

Status run(const Arguments& arguments) {
  const std::string shell = arguments.positional(0);
  if (shell == "bash") return print(bash_script());
  if (shell == "zsh") return print(zsh_script());
  if (shell == "fish") return print(fish_script());
  return usage_error({"brisk completion", "bash, zsh or fish", "'" + shell + "'", "'brisk completion bash'"});
}

}  // namespace

Verb verb_completion() {
  return {
      .name = "completion",
      .group = VerbGroup::kHelp,
      .summary = "print a completion script for your shell",
      .positionals = {{.name = "SHELL", .help = "bash, zsh or fish", .required = true, .file = false}},
      .examples = {"eval \"$(brisk completion bash)\"", "brisk completion fish | source"},
      .run = run,
  };
}

}  // namespace brisk::cli
