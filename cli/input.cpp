#include "cli/input.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/file.hpp"
#include "base/signals.hpp"
#include "cli/output.hpp"

namespace brisk::cli {
namespace {

/// Standard input to its end. Waits in poll(), which a signal interrupts, so that Ctrl-C ends the waiting.
Result<std::string> read_standard_input(uint64_t limit) {
  std::string text;
  std::array<char, 1U << 16> chunk;
  while (true) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&input, 1, -1);
    if (interrupt_flag().load()) return cancelled();
    if (ready < 0 && errno == EINTR) continue;
    const ssize_t got = read(STDIN_FILENO, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return environment_error(
          {"standard input", "to read it", std::generic_category().message(errno), "-f FILE for a file"});
    }
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<size_t>(got));
    if (text.size() > limit) {
      return bad_input({"standard input", "at most " + human_bytes(limit), "more", "a shorter text"});
    }
  }
}

}  // namespace

Result<std::string> read_text(const std::string& path, uint64_t limit) {
  return path == "-" ? read_standard_input(limit) : read_file(path, limit);
}

Result<std::string> read_utf8(const std::string& path) {
  BRISK_ASSIGN(std::string text, read_text(path));
  BRISK_TRY(check_utf8(text, path == "-" ? "standard input" : path, StatusCode::kBadInput));
  return text;
}

Result<std::string> text_argument(const Arguments& arguments, const std::string& what) {
  if (arguments.given("prompt") && arguments.given("file")) {
    return usage_error({arguments.spelled("file"), "only one of --prompt and --file", "both", "one of them"});
  }
  if (arguments.given("prompt")) return arguments.text("prompt");
  if (arguments.given("file")) return read_utf8(arguments.text("file"));
  if (input_is_terminal()) {
    return usage_error({"brisk", what + " by -p TEXT, -f FILE or a pipe", "nothing", "-p \"Hello\""});
  }
  return read_utf8("-");
}

}  // namespace brisk::cli
