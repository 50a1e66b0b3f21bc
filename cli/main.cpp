// The command line's entry: picks the verb, reads its options, runs it, and turns its status into the
// message and the exit code.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/signals.hpp"
#include "base/status.hpp"
#include "cli/help.hpp"
#include "cli/output.hpp"
#include "cli/verb.hpp"

namespace brisk::cli {
namespace {

/// Before fill_standard_descriptors(): whether somebody could get what we write.
bool output_is_open() {
  const int flags = fcntl(STDOUT_FILENO, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/// A closed descriptor 0, 1 or 2 would be given to the next file we open, and then written to.
void fill_standard_descriptors() {
  int descriptor = open("/dev/null", O_RDWR);
  while (descriptor >= 0 && descriptor <= STDERR_FILENO) descriptor = open("/dev/null", O_RDWR);
  if (descriptor > STDERR_FILENO) close(descriptor);
}

/// The value of a word that is `spelling=VALUE`, or of `spelling` followed by the word `next`.
std::optional<std::string_view> value_of(std::string_view word, std::string_view next,
                                         std::string_view spelling) {
  if (!word.starts_with(spelling)) return std::nullopt;
  if (word.size() == spelling.size()) return next;
  if (word[spelling.size()] != '=') return std::nullopt;
  return word.substr(spelling.size() + 1);
}

bool is_json_form(std::string_view form) { return form == "json" || form == "jsonl"; }

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Whether errors are to be JSON: --json, or `bench --output` with a form of JSON. Looked up before the line
/// is parsed, since the parsing may fail.
bool wants_json(const std::vector<std::string>& line) {
  const bool bench = !line.empty() && line[0] == "bench";
  bool flag = read_flag(variable("BRISK_JSON")).value_or(false);
  bool output = bench && is_json_form(variable("BRISK_OUTPUT"));
  for (size_t i = 0; i < line.size() && line[i] != "--"; ++i) {
    const std::string_view next = i + 1 < line.size() ? std::string_view(line[i + 1]) : "";
    if (const auto value = value_of(line[i], "true", "--json")) flag = read_flag(*value).value_or(flag);
    for (const std::string_view spelling : {"-o", "--output"}) {
      if (const auto form = value_of(line[i], next, spelling); bench && form) output = is_json_form(*form);
    }
  }
  return flag || output;
}

void report(const Status& status, bool json) {
  if (!json) {
    print_error(red("error:", Stream::kError) + " " + status.message() + "\n");
    return;
  }
  const ErrorParts& parts = status.parts();
  print_error(to_json_text({{"error",
                             {{"where", parts.where},
                              {"expected", parts.expected},
                              {"got", parts.got},
                              {"hint", parts.hint},
                              {"code", status.exit_code()}}}}) +
              "\n");
}

Status run_verb(const Verb& verb, const std::vector<std::string>& line) {
  BRISK_ASSIGN(const Arguments arguments,
               parse_arguments(verb.name, verb.options, verb.positionals, line,
                               [](const char* name) -> const char* { return std::getenv(name); }));
  if (arguments.wants_help()) return print(help_of(verb));
  return verb.run(arguments);
}

Status dispatch(std::vector<std::string>& line) {
  if (line.empty()) return print(overview());
  // `brisk --kernels` is `brisk doctor --kernels`; --version and --help are the verbs of the same names.
  if (line[0] == "--kernels") line.insert(line.begin(), "doctor");
  if (line[0] == "-h" || line[0] == "--help") line[0] = "help";
  if (line[0] == "--version" || line[0] == "-V") line[0] = "version";
  const std::string name = line[0];
  const Verb* verb = find_verb(name);
  if (verb == nullptr) return unknown_verb(name);
  line.erase(line.begin());
  return run_verb(*verb, line);
}

int exit_code(const Status& status, bool json) {
  if (const int interrupted = interrupt_exit_code(); interrupted != 0) return interrupted;
  // Whoever read our output had enough.
  if (output_closed()) return 0;
  if (!status.ok()) report(status, json);
  return status.exit_code();
}

int main_of_cli(int count, char** words) {
  const bool has_output = output_is_open();
  fill_standard_descriptors();
  install_signal_handlers();
  // Characters of the user's terminal; if the environment names none, UTF-8 all the same. Numbers stay in C.
  if (setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
  std::vector<std::string> line(words + std::min(count, 1), words + count);
  const bool json = wants_json(line);
  if (!has_output) {
    return exit_code(environment_error({"standard output", "an open one", "a closed one", "'> /dev/null'"}),
                     json);
  }
  try {
    return exit_code(dispatch(line), json);
  } catch (const std::bad_alloc&) {
    // Ours throw nothing; this one is the standard library's.
    return exit_code(environment_error({"brisk", "enough memory", "none left", "a smaller model or context"}),
                     json);
  } catch (const std::exception& e) {
    return exit_code(internal_error({"brisk", "no exception", e.what(), "reporting this as a bug"}), json);
  }
}

}  // namespace
}  // namespace brisk::cli

int main(int count, char** words) { return brisk::cli::main_of_cli(count, words); }
