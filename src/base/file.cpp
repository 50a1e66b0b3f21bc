// Reading whole files and writing them atomically.
#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

namespace brisk {

namespace {

std::string reason(int error) { return std::generic_category().message(error); }

std::string hint_for(int error) {
  switch (error) {
    case ENOENT: return "checking the path";
    case EACCES:
    case EPERM: return "changing its permissions";
    case ENOSPC:
    case EDQUOT: return "freeing space on the disk";
    case EFBIG: return "a larger limit ('ulimit -f'), or another disk";
    case EMFILE:
    case ENFILE: return "raising the limit of open files";
    default: return "another path";
  }
}

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "something else";
}

Status not_regular(const std::string& path, mode_t mode) {
  return environment_error({path, "a regular file", std::string(kind_of(mode)), "the path of a file"});
}

Status check_path(const std::string& path) {
  if (path.empty()) return environment_error({"path", "the path of a file", "an empty one", "naming a file"});
  if (path.find('\0') != std::string::npos) {
    return environment_error({path, "a path without zero bytes", "one with", "another name"});
  }
  return {};
}

// Closes at the end of the scope.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number > STDIN_FILENO) close(number);
  }
};

// The temporaries of open AtomicFiles, for remove_open_temporaries(), which may run in a signal handler at
// any moment: fixed memory, and a slot's path changes only while nobody else may read it.
enum class SlotState : int { kFree, kFilling, kLive, kRemoving };
struct Slot {
  std::atomic<SlotState> state{SlotState::kFree};
  char path[PATH_MAX];
};
static_assert(std::atomic<SlotState>::is_always_lock_free);
constexpr int kSlots = 256;
Slot g_slots[kSlots];

// A slot holding `path`, or -1 when all are taken.
int take_slot(const std::string& path) {
  for (int i = 0; i < kSlots; ++i) {
    SlotState expected = SlotState::kFree;
    if (!g_slots[i].state.compare_exchange_strong(expected, SlotState::kFilling)) continue;
    std::memcpy(g_slots[i].path, path.c_str(), path.size() + 1);
    g_slots[i].state.store(SlotState::kLive);
    return i;
  }
  return -1;
}

void free_slot(int slot) {
  if (slot < 0) return;
  SlotState expected = SlotState::kLive;
  g_slots[slot].state.compare_exchange_strong(expected, SlotState::kFree);
}

std::string temporary_name(const std::string& path) {
  static std::atomic<uint32_t> count{0};
  return path + ".part-" + std::to_string(getpid()) + "-" + std::to_string(count.fetch_add(1));
}

// What may not be written over. A link is judged by what it leads to.
Status check_target(const std::string& path, bool overwrite) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) return file_error(path, "a place for a file", errno);
    if (lstat(path.c_str(), &status) != 0) return {};
    return environment_error({path, "a place for a file", "a link that leads nowhere", "another name"});
  }
  if (!S_ISREG(status.st_mode)) return not_regular(path, status.st_mode);
  if (!overwrite) {
    return environment_error({path, "no file of that name", "an existing one", "--force to replace it"});
  }
  return {};
}

Status rename_into_place(const std::string& from, const std::string& to, bool overwrite) {
  if (!overwrite) {
    // Another process may have made the file since create().
    if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno == EEXIST) {
      return environment_error({to, "no file of that name", "an existing one", "--force to replace it"});
    }
    if (errno != EINVAL && errno != ENOSYS) return file_error(to, "to rename the finished file", errno);
  }
  if (rename(from.c_str(), to.c_str()) != 0) return file_error(to, "to rename the finished file", errno);
  return {};
}

// Makes the rename itself last through a power cut.
Status sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const Descriptor descriptor{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (descriptor.number < 0) return {};  // a folder that we may write but not read: nothing more to do
  if (fsync(descriptor.number) != 0 && errno != EINVAL) return file_error(folder, "to sync it", errno);
  return {};
}

}  // namespace

Status file_error(const std::string& path, std::string expected, int error) {
  const std::string got = error == ELOOP ? "a loop of links" : reason(error);
  return environment_error({path, std::move(expected), got, hint_for(error)});
}

Result<int> open_regular_file(const std::string& path) {
  BRISK_TRY(check_path(path));
  // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return file_error(path, "a readable file", errno);
  return require_regular(descriptor, path);
}

Result<int> require_regular(int descriptor, const std::string& path) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) {
    const int error = errno;
    close(descriptor);
    return file_error(path, "a readable file", error);
  }
  if (!S_ISREG(status.st_mode)) {
    close(descriptor);
    return not_regular(path, status.st_mode);
  }
  return descriptor;
}

Result<std::string> read_descriptor(int descriptor, const std::string& path, uint64_t limit) {
  constexpr size_t kChunk = 1U << 16;
  std::string text;
  while (true) {
    const size_t before = text.size();
    text.resize(before + kChunk);
    const ssize_t got = read(descriptor, text.data() + before, kChunk);
    text.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(path, "to read it", errno);
    if (text.size() > limit) {
      return bad_input({path, "at most " + std::to_string(limit) + " bytes", "more", "a smaller file"});
    }
    if (got == 0) return text;
  }
}

Result<std::string> read_file(const std::string& path, uint64_t limit) {
  if (path == "-") return read_descriptor(STDIN_FILENO, "standard input", limit);
  BRISK_ASSIGN(const int number, open_regular_file(path));
  const Descriptor descriptor{number};
  return read_descriptor(descriptor.number, path, limit);
}

Result<AtomicFile> AtomicFile::create(const std::string& path, bool overwrite) {
  BRISK_TRY(check_path(path));
  BRISK_TRY(check_target(path, overwrite));
  AtomicFile file;
  file.path_ = path;
  file.overwrite_ = overwrite;
  std::string temporary = temporary_name(path);
  if (temporary.size() >= PATH_MAX) return file_error(path, "a place for a file", ENAMETOOLONG);
  file.slot_ = take_slot(temporary);
  if (file.slot_ < 0) {
    return environment_error({path, "at most " + std::to_string(kSlots) + " files being written at a time",
                              "one more", "writing fewer at once"});
  }
  file.descriptor_ = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file.descriptor_ < 0) return file_error(path, "a place for a file", errno);
  file.temporary_ = std::move(temporary);
  return file;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)), slot_(std::exchange(other.slot_, -1)),
      overwrite_(other.overwrite_), named_(other.named_) {}

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this != &other) {
    abandon();
    path_ = std::move(other.path_);
    temporary_ = std::exchange(other.temporary_, {});
    descriptor_ = std::exchange(other.descriptor_, -1);
    slot_ = std::exchange(other.slot_, -1);
    overwrite_ = other.overwrite_;
    named_ = other.named_;
  }
  return *this;
}

AtomicFile::~AtomicFile() { abandon(); }

void AtomicFile::abandon() noexcept {
  if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
  if (!temporary_.empty()) unlink(temporary_.c_str());
  temporary_.clear();
  free_slot(std::exchange(slot_, -1));
}

Status AtomicFile::write(std::span<const std::byte> bytes) {
  BRISK_ASSERT(descriptor_ >= 0, "write() comes before finish() and commit()");
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_error(path_, "to write " + std::to_string(bytes.size()) + " bytes", errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

Status AtomicFile::write(std::string_view text) { return write(std::as_bytes(std::span(text))); }

Status AtomicFile::finish() {
  if (fsync(descriptor_) != 0) return file_error(path_, "to sync it", errno);
  // close() may report a write that failed late (network file systems).
  if (close(std::exchange(descriptor_, -1)) != 0) return file_error(path_, "to close it", errno);
  return {};
}

Status AtomicFile::commit() {
  BRISK_ASSERT(!temporary_.empty(), "commit() comes once");
  if (descriptor_ >= 0) BRISK_TRY(finish());
  BRISK_TRY(rename_into_place(temporary_, path_, overwrite_));
  named_ = true;
  temporary_.clear();
  free_slot(std::exchange(slot_, -1));
  return sync_folder_of(path_);
}

Status remove_file(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return file_error(path, "to remove it", errno);
  return {};
}

void remove_open_temporaries() noexcept {
  for (Slot& slot : g_slots) {
    SlotState expected = SlotState::kLive;
    // The slot stays taken: the process is about to end.
    if (slot.state.compare_exchange_strong(expected, SlotState::kRemoving)) unlink(slot.path);
  }
}

}  // namespace brisk
