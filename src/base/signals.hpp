// Ctrl-C and SIGTERM. The first signal raises a flag that long work looks at between ops; the second ends
// the process at once, temporary files removed and the terminal as it was found.
#pragma once

#include <atomic>

namespace brisk {

/// Handles SIGINT and SIGTERM as above and ignores SIGPIPE (a closed pipe is an error of write()).
/// Remembers the terminal's settings, to put them back. Call once, at the start of main.
void install_signal_handlers();

/// Raised by the first SIGINT or SIGTERM. What long work is given as `cancel`.
const std::atomic<bool>& interrupt_flag();
/// 128 + the signal that raised the flag (130, 143); 0 when it is down.
int interrupt_exit_code();
/// Lowers the flag after a SIGINT that ended one answer and not the program. SIGTERM is not forgotten.
void forget_interrupt();

}  // namespace brisk
