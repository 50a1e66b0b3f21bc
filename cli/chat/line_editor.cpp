#include "cli/chat/line_editor.hpp"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "base/signals.hpp"
#include "base/utf8.hpp"
#include "cli/output.hpp"

namespace brisk::cli {

namespace {

constexpr int kHistoryLines = 1000;

/// The next byte from the terminal: 1, 0 at its end, -1 on an error or an interrupt. It looks up every 100
/// ms, because an interrupt may come between the last look at its flag and a read that waits.
int read_byte(char& byte) {
  constexpr int kWaitMs = 100;
  for (;;) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&input, 1, kWaitMs);
    if (interrupt_flag().load()) return -1;
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
    if (got >= 0) return static_cast<int>(got);
    if (errno != EINTR) return -1;
  }
}

/// libedit's way to ask for a character.
int read_character(EditLine*, wchar_t* character) {
  std::string bytes;
  do {
    char byte = 0;
    if (const int got = read_byte(byte); got <= 0) return got;
    bytes += byte;
  } while (utf8_incomplete_tail(bytes) == bytes.size());
  *character = static_cast<wchar_t>(utf8_decode(bytes, 0).code_point);
  return 1;
}

}  // namespace

struct LineEditor::Terminal {
  EditLine* line = nullptr;
  History* history = nullptr;
  std::string prompt;

  ~Terminal() {
    if (line != nullptr) el_end(line);
    if (history != nullptr) history_end(history);
  }
  static char* prompt_of(EditLine* line) {
    Terminal* terminal = nullptr;
    el_get(line, EL_CLIENTDATA, &terminal);
    return terminal->prompt.data();
  }
};

Result<std::unique_ptr<LineEditor>> LineEditor::create(const std::string& history_file) {
  std::unique_ptr<LineEditor> editor(new LineEditor());
  if (!input_is_terminal()) return editor;
  auto terminal = std::make_unique<Terminal>();
  terminal->line = el_init("brisk", stdin, output_is_terminal() ? stdout : stderr, stderr);
  terminal->history = history_init();
  if (terminal->line == nullptr || terminal->history == nullptr) {
    return environment_error({"terminal", "to edit lines on it", "a refusal", "another terminal, or a pipe"});
  }
  HistEvent event;
  history(terminal->history, &event, H_SETSIZE, kHistoryLines);
  history(terminal->history, &event, H_SETUNIQUE, 1);
  if (!history_file.empty()) history(terminal->history, &event, H_LOAD, history_file.c_str());
  el_set(terminal->line, EL_CLIENTDATA, terminal.get());
  el_set(terminal->line, EL_PROMPT, &Terminal::prompt_of);
  el_set(terminal->line, EL_EDITOR, "emacs");
  el_set(terminal->line, EL_HIST, history, terminal->history);
  el_set(terminal->line, EL_SIGNAL, 0);
  el_set(terminal->line, EL_GETCFN, &read_character);
  el_set(terminal->line, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  editor->terminal_ = std::move(terminal);
  editor->history_file_ = history_file;
  return editor;
}

LineEditor::~LineEditor() {
  if (terminal_ == nullptr || history_file_.empty()) return;
  HistEvent event;
  history(terminal_->history, &event, H_SAVE, history_file_.c_str());
}

void LineEditor::remember(const std::string& line) {
  if (terminal_ == nullptr || line.find_first_not_of(" \n") == std::string::npos) return;
  HistEvent event;
  history(terminal_->history, &event, H_ENTER, line.c_str());
}

LineEditor::Got LineEditor::read(const std::string& prompt, std::string& line) {
  return terminal_ != nullptr ? read_from_terminal(prompt, line) : read_from_pipe(line);
}

LineEditor::Got LineEditor::read_from_terminal(const std::string& prompt, std::string& line) {
  terminal_->prompt = prompt;
  el_resize(terminal_->line);
  int count = 0;
  const char* text = el_gets(terminal_->line, &count);
  if (interrupt_flag().load()) {
    print_error("\n");
    el_reset(terminal_->line);
    return Got::kInterrupt;
  }
  if (text == nullptr || count <= 0) return Got::kEnd;
  line.assign(text, static_cast<size_t>(count));
  if (line.ends_with('\n')) line.pop_back();
  return Got::kLine;
}

LineEditor::Got LineEditor::read_from_pipe(std::string& line) {
  while (true) {
    if (const size_t end = pending_.find('\n'); end != std::string::npos) {
      line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return Got::kLine;
    }
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&input, 1, -1);
    if (interrupt_flag().load()) return Got::kInterrupt;
    if (ready < 0 && errno == EINTR) continue;
    std::array<char, 4096> chunk;
    const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (got > 0) {
      pending_.append(chunk.data(), static_cast<size_t>(got));
      continue;
    }
    if (pending_.empty()) return Got::kEnd;
    line = std::exchange(pending_, {});
    return Got::kLine;
  }
}

}  // namespace brisk::cli
