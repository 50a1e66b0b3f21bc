// Makes the n-th writing call of a test program on files fail: write, fsync and rename, as a full or broken
// disk would. Include in one source file of a program only: it stands before the C library's functions.
#pragma once

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>

namespace brisk::test {

inline std::atomic<int64_t> file_call_count{0};
/// The call that fails, counted from 1 after reset; 0: none.
inline std::atomic<int64_t> failing_file_call{0};
/// Whether all calls after the failing one fail too.
inline std::atomic<bool> fail_files_for_good{false};

inline void reset_file_calls(int64_t failing = 0, bool for_good = false) {
  failing_file_call = failing;
  fail_files_for_good = for_good;
  file_call_count = 0;
}

/// Counts one call; false, and errno set, when it is to fail.
inline bool file_call_allowed(int error) {
  const int64_t number = ++file_call_count;
  const int64_t failing = failing_file_call.load();
  if (failing == 0 || !(number == failing || (fail_files_for_good.load() && number > failing))) return true;
  errno = error;
  return false;
}

template <typename Function>
Function* next_function(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace brisk::test

extern "C" {
// NOLINTBEGIN: the signatures are the C library's
ssize_t write(int descriptor, const void* data, size_t bytes) {
  static auto* const next = brisk::test::next_function<ssize_t(int, const void*, size_t)>("write");
  return brisk::test::file_call_allowed(ENOSPC) ? next(descriptor, data, bytes) : -1;
}
int fsync(int descriptor) {
  static auto* const next = brisk::test::next_function<int(int)>("fsync");
  return brisk::test::file_call_allowed(EIO) ? next(descriptor) : -1;
}
int rename(const char* from, const char* to) noexcept {
  static auto* const next = brisk::test::next_function<int(const char*, const char*)>("rename");
  return brisk::test::file_call_allowed(EIO) ? next(from, to) : -1;
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  static auto* const next =
      brisk::test::next_function<int(int, const char*, int, const char*, unsigned)>("renameat2");
  return brisk::test::file_call_allowed(EIO) ? next(from_folder, from, to_folder, to, flags) : -1;
}
// NOLINTEND
}
