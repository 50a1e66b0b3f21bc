// Assertions for programmers' mistakes. Never reachable from a file, a request or an option: those
// return a Status (base/status.hpp).
#pragma once

namespace brisk {

/// Prints the place and what was believed, then aborts.
[[noreturn]] void assertion_failed(const char* file, int line, const char* condition, const char* belief);

}  // namespace brisk

/// Always on; keep the condition cheap. `belief` says in words what was believed.
#define BRISK_ASSERT(condition, belief)                                  \
  do {                                                                   \
    if (!(condition)) [[unlikely]]                                       \
      ::brisk::assertion_failed(__FILE__, __LINE__, #condition, belief); \
  } while (false)

/// On in the dev and sanitizer builds; may cost time.
#if defined(BRISK_DCHECKS)
#define BRISK_DCHECK(condition, belief) BRISK_ASSERT(condition, belief)
#else
#define BRISK_DCHECK(condition, belief) static_cast<void>(0)
#endif
