// Mapping files, and the handler of SIGBUS: what the kernel sends when a mapped page has no file behind it
// any more, or cannot be read.
#include "base/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <system_error>

#include "base/file.hpp"

namespace brisk {

namespace {

// The mapped ranges that the handler knows: fixed memory and atomics only, because it may run in the middle
// of anything. `end` is written before `begin` and cleared after it, so a range with a begin is whole.
struct Range {
  std::atomic<bool> taken{false};
  std::atomic<bool> damaged{false};
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};
};
static_assert(std::atomic<uintptr_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);
constexpr int kRanges = 1024;
Range g_ranges[kRanges];
struct sigaction g_previous;
uintptr_t g_page = 4096;

// Puts zeros over everything from the page at `address` to the end of its range: after a truncation all of
// that is missing, and one fault is cheaper than one per page.
bool replace_missing(uintptr_t address) {
  for (Range& range : g_ranges) {
    const uintptr_t begin = range.begin.load(std::memory_order_acquire);
    const uintptr_t end = range.end.load(std::memory_order_relaxed);
    if (begin == 0 || address < begin || address >= end) continue;
    range.damaged.store(true);  // before the zeros can be seen
    const uintptr_t page = address / g_page * g_page;
    const void* zeros = mmap(reinterpret_cast<void*>(page), end - page, PROT_READ,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    return zeros != MAP_FAILED;
  }
  return false;
}

void pass_on(int number, siginfo_t* info, void* context) {
  if ((g_previous.sa_flags & SA_SIGINFO) != 0) {
    g_previous.sa_sigaction(number, info, context);
  } else if (g_previous.sa_handler != SIG_DFL && g_previous.sa_handler != SIG_IGN) {
    g_previous.sa_handler(number);
  } else if (g_previous.sa_handler == SIG_DFL || info->si_code > 0) {
    // The faulting instruction runs again and ends the process in the usual way.
    signal(number, SIG_DFL);
    if (info->si_code <= 0) raise(number);  // sent by a process: there is no faulting instruction
  }
}

void on_bus_error(int number, siginfo_t* info, void* context) {
  const int saved = errno;
  if (info->si_code <= 0 || !replace_missing(reinterpret_cast<uintptr_t>(info->si_addr))) {
    pass_on(number, info, context);
  }
  errno = saved;
}

void install_guard() {
  static std::once_flag once;
  std::call_once(once, [] {
    g_page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    struct sigaction action = {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &g_previous);
  });
}

// A slot for the range, or -1 when all are taken.
int guard(const void* data, size_t size) {
  install_guard();
  const auto begin = reinterpret_cast<uintptr_t>(data);
  for (int i = 0; i < kRanges; ++i) {
    if (g_ranges[i].taken.exchange(true)) continue;
    g_ranges[i].damaged.store(false);
    g_ranges[i].end.store((begin + size + g_page - 1) / g_page * g_page, std::memory_order_relaxed);
    g_ranges[i].begin.store(begin, std::memory_order_release);
    return i;
  }
  return -1;
}

void unguard(int slot) {
  g_ranges[slot].begin.store(0);
  g_ranges[slot].end.store(0);
  g_ranges[slot].taken.store(false);
}

int64_t modified_ns(const struct stat& status) {
  return int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

Status system_error(const std::string& path, std::string expected, int error) {
  const std::string hint =
      error == ENOMEM ? "more memory, or a larger limit ('ulimit -v')" : "a local copy of the file";
  return environment_error({path, std::move(expected), std::generic_category().message(error), hint});
}

}  // namespace

Result<std::shared_ptr<MappedFile>> MappedFile::open(const std::string& path) {
  BRISK_ASSIGN(const int descriptor, open_regular_file(path));
  return from_descriptor(descriptor, path);
}

Result<std::shared_ptr<MappedFile>> MappedFile::from_descriptor(int descriptor, const std::string& path) {
  const std::shared_ptr<MappedFile> file(new MappedFile);
  file->descriptor_ = descriptor;
  file->path_ = path;
  struct stat status;
  if (fstat(file->descriptor_, &status) != 0) return system_error(path, "a readable file", errno);
  file->modified_ns_ = modified_ns(status);
  if (status.st_size == 0) return file;
  const auto size = static_cast<size_t>(status.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, file->descriptor_, 0);
  if (data == MAP_FAILED) {
    return system_error(path, "to map " + std::to_string(size) + " bytes", errno);
  }
  file->bytes_ = {static_cast<const std::byte*>(data), size};
  file->guard_slot_ = guard(data, size);
  if (file->guard_slot_ < 0) {
    return environment_error({path, "at most " + std::to_string(kRanges) + " mapped files at a time",
                              "one more", "a model of fewer parts"});
  }
  return file;
}

MappedFile::~MappedFile() {
  if (guard_slot_ >= 0) unguard(guard_slot_);
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  if (descriptor_ >= 0) close(descriptor_);
}

bool MappedFile::damaged() const {
  return guard_slot_ >= 0 && g_ranges[guard_slot_].damaged.load(std::memory_order_relaxed);
}

Status MappedFile::check_unchanged() const {
  struct stat status;
  if (fstat(descriptor_, &status) != 0) return system_error(path_, "a readable file", errno);
  const std::string hint = "loading it again from a file that nobody writes to";
  const std::string before = std::to_string(bytes_.size());
  const std::string now = std::to_string(status.st_size);
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size != bytes_.size()) {
    const std::string verb = size < bytes_.size() ? "shrank" : "grew";
    return environment_error({path_, "the file unchanged while in use (" + before + " bytes)",
                              "a file that " + verb + " from " + before + " to " + now + " bytes", hint});
  }
  if (damaged()) {
    return environment_error({path_, "to read all " + before + " bytes",
                              "a page that could not be read (size now " + now + " bytes)", hint});
  }
  if (modified_ns(status) != modified_ns_) {
    return environment_error({path_, "the file unchanged while in use (" + before + " bytes)",
                              "a file written to since (" + now + " bytes)", hint});
  }
  return {};
}

}  // namespace brisk
