// Ctrl-C, SIGTERM and SIGHUP. The first signal raises a flag that long work looks at between ops; the second
// ends the process at once, temporary files removed and the terminal as it was found.
#pragma once

#include <atomic>

namespace brisk {

/// Handles SIGINT, SIGTERM and SIGHUP (unless it was ignored) as above, and ignores SIGPIPE and SIGXFSZ: a
/// closed pipe and a file beyond its limit are errors of write().
/// Remembers the terminal's settings, to put them back. Call once, at the start of main.
void install_signal_handlers();

/// Raised by the first of these signals. What long work is given as `cancel`.
const std::atomic<bool>& interrupt_flag();
/// 128 + the signal that raised the flag (129, 130, 143); 0 when it is down.
int interrupt_exit_code();
/// Whether the flag was raised by a signal that means the whole program, SIGTERM or SIGHUP.
bool termination_requested();
/// Lowers the flag after a SIGINT that ended one answer and not the program. The others are not forgotten.
void forget_interrupt();

}  // namespace brisk
