// The command line's entry: picks the verb, reads its options, runs it, and turns its status into the
// message and the exit code.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <exception>
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

/// A closed descriptor 0, 1 or 2 would be given to the next file we open, and then written to.
void fill_standard_descriptors() {
  int descriptor = open("/dev/null", O_RDWR);
  while (descriptor >= 0 && descriptor <= STDERR_FILENO) descriptor = open("/dev/null", O_RDWR);
  if (descriptor > STDERR_FILENO) close(descriptor);
}

/// Looked up before the line is parsed, since the parsing may fail.
bool wants_json(const std::vector<std::string>& line) {
  const auto end = std::find(line.begin(), line.end(), "--");
  if (std::find(line.begin(), end, "--json") != end) return true;
  const char* variable = std::getenv("BRISK_JSON");
  return variable != nullptr && (std::string_view(variable) == "1" || std::string_view(variable) == "true");
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
  fill_standard_descriptors();
  install_signal_handlers();
  // Characters of the user's terminal; if the environment names none, UTF-8 all the same. Numbers stay in C.
  if (setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
  std::vector<std::string> line(words + std::min(count, 1), words + count);
  const bool json = wants_json(line);
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
