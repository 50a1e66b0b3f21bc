// The first signal raises the flag, the second ends the process and removes temporaries. Each case runs in
// a child process, since it changes how the process takes signals.
#include "base/signals.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>

#include "base/file.hpp"

namespace brisk {
namespace {

/// The exit code of `body` in a child; -1 when a signal killed it.
int exit_code_of(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    install_signal_handlers();
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Signals, TheFirstRaisesTheFlagAndTellsWhich) {
  EXPECT_EQ(exit_code_of([] { return interrupt_flag().load() || interrupt_exit_code() != 0 ? 1 : 7; }), 7);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(exit_code_of([signal] {
                raise(signal);
                return interrupt_flag().load() ? interrupt_exit_code() : 1;
              }),
              128 + signal);
  }
}

TEST(Signals, TheSecondEndsAtOnceAndRemovesTemporaries) {
  char pattern[] = "/tmp/brisk_signals_XXXXXX";
  const std::string folder = mkdtemp(pattern);
  const std::string path = folder + "/out";
  EXPECT_EQ(exit_code_of([&path] {
              auto file = AtomicFile::create(path, false);
              if (!file.ok() || !file->write("half").ok()) return 1;
              raise(SIGINT);
              raise(SIGINT);
              return 2;  // not reached
            }),
            130);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

TEST(Signals, AnInterruptCanBeForgottenATerminationCannot) {
  EXPECT_EQ(exit_code_of([] {
              raise(SIGINT);
              forget_interrupt();
              if (interrupt_flag().load()) return 1;
              raise(SIGINT);  // the first again, not the second
              return interrupt_exit_code();
            }),
            130);
  for (const int signal : {SIGTERM, SIGHUP}) {
    EXPECT_EQ(exit_code_of([signal] {
                raise(signal);
                forget_interrupt();
                return termination_requested() ? interrupt_exit_code() : 1;
              }),
              128 + signal);
  }
}

TEST(Signals, AHangupThatWasIgnoredStaysIgnored) {
  EXPECT_EQ(exit_code_of([] {
              signal(SIGHUP, SIG_IGN);
              install_signal_handlers();
              raise(SIGHUP);
              return interrupt_flag().load() ? 1 : 7;
            }),
            7);
}

TEST(Signals, AFileBeyondItsLimitIsAnErrorOfWriteAndLeavesNothing) {
  char pattern[] = "/tmp/brisk_signals_XXXXXX";
  const std::string folder = mkdtemp(pattern);
  EXPECT_EQ(exit_code_of([&folder] {
              const rlimit limit{4096, 4096};
              setrlimit(RLIMIT_FSIZE, &limit);
              auto file = AtomicFile::create(folder + "/out", false);
              if (!file.ok()) return 1;
              const Status status = file->write(std::string(10'000, 'x'));
              if (status.ok() || status.parts().hint.find("ulimit -f") == std::string::npos) return 2;
              return status.exit_code();
            }),
            4);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

TEST(Signals, AClosedPipeIsAnErrorOfWriteAndABlockedReadComesBack) {
  EXPECT_EQ(exit_code_of([] {
              int ends[2];
              if (pipe(ends) != 0) return 1;
              close(ends[0]);
              return write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
            }),
            0);
  EXPECT_EQ(exit_code_of([] {
              int ends[2];
              if (pipe(ends) != 0) return 1;
              const pid_t parent = getpid();
              if (fork() == 0) {
                usleep(50'000);
                kill(parent, SIGINT);
                _exit(0);
              }
              char byte;
              const ssize_t got = read(ends[0], &byte, 1);
              return got == -1 && errno == EINTR && interrupt_flag().load() ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace brisk
