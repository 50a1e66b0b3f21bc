#include "base/signals.hpp"

#include <termios.h>
#include <unistd.h>
#include <csignal>

#include "base/file.hpp"

namespace brisk {
namespace {

// Everything that the handler touches is lock-free or written before it is installed.
std::atomic<bool> g_interrupted{false};
std::atomic<int> g_signal{0};
bool g_have_terminal = false;
termios g_terminal;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void on_signal(int signal) {
  if (g_interrupted.exchange(true)) {
    if (g_have_terminal) tcsetattr(STDIN_FILENO, TCSANOW, &g_terminal);
    remove_open_temporaries();
    _exit(128 + signal);
  }
  g_signal.store(signal);
}

}  // namespace

void install_signal_handlers() {
  g_have_terminal = tcgetattr(STDIN_FILENO, &g_terminal) == 0;
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  // No SA_RESTART: a read from the terminal or a pipe comes back, so that its caller can look at the flag.
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // nohup starts its program with SIGHUP ignored, and means it.
  struct sigaction hangup{};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
    sigaction(SIGHUP, &action, nullptr);
  }
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
  sigaction(SIGXFSZ, &action, nullptr);
}

const std::atomic<bool>& interrupt_flag() { return g_interrupted; }

int interrupt_exit_code() { return g_interrupted.load() ? 128 + g_signal.load() : 0; }

bool termination_requested() {
  const int signal = g_signal.load();
  return g_interrupted.load() && (signal == SIGTERM || signal == SIGHUP);
}

void forget_interrupt() {
  if (!termination_requested()) g_interrupted.store(false);
}

}  // namespace brisk
