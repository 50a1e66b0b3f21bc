// Appending, syncing and renaming of partial files, and their lock.
#include "base/partial_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/checked.hpp"

namespace brisk {
namespace {

Status partial_error(const std::string& path, std::string expected, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return environment_error({path, std::move(expected), std::generic_category().message(error),
                            full ? "freeing space on the disk" : "checking the path and its permissions"});
}

// Makes a rename last through a power cut. A folder that we may write but not read is nothing to fail for.
Status sync_parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return {};
  const int error = fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
  close(descriptor);
  return error == 0 ? Status() : partial_error(folder, "to sync it", error);
}

}  // namespace

Result<PartialFile> PartialFile::open(const std::string& path) {
  PartialFile file;
  file.path_ = path;
  file.descriptor_ =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
  if (file.descriptor_ < 0) return partial_error(path, "a place for a file", errno);
  struct stat status;
  if (fstat(file.descriptor_, &status) != 0) return partial_error(path, "a place for a file", errno);
  if (!S_ISREG(status.st_mode)) {
    return environment_error({path, "a regular file", "something else", "moving it away"});
  }
  file.size_ = static_cast<uint64_t>(status.st_size);
  return file;
}

PartialFile::PartialFile(PartialFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

PartialFile& PartialFile::operator=(PartialFile&& other) noexcept {
  if (this != &other) {
    close_file();
    path_ = std::move(other.path_);
    descriptor_ = std::exchange(other.descriptor_, -1);
    size_ = other.size_;
  }
  return *this;
}

PartialFile::~PartialFile() { close_file(); }

void PartialFile::close_file() noexcept {
  if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
}

Status PartialFile::read(const std::function<Status(std::span<const std::byte>)>& take) const {
  std::array<std::byte, 1U << 16> piece;
  uint64_t at = 0;
  while (true) {
    const ssize_t got = pread(descriptor_, piece.data(), piece.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return partial_error(path_, "to read it", errno);
    if (got == 0) return {};
    BRISK_TRY(take(std::span(piece).first(static_cast<size_t>(got))));
    at += static_cast<uint64_t>(got);
  }
}

Status PartialFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      return partial_error(path_, "to write " + std::to_string(bytes.size()) + " bytes", errno);
    }
    size_ += static_cast<uint64_t>(written);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

Status PartialFile::restart() {
  if (ftruncate(descriptor_, 0) != 0) return partial_error(path_, "to start it anew", errno);
  size_ = 0;
  return {};
}

Status PartialFile::commit(const std::string& path) {
  if (fsync(descriptor_) != 0) return partial_error(path_, "to sync it", errno);
  // close() may report a write that failed late (network file systems).
  if (close(std::exchange(descriptor_, -1)) != 0) return partial_error(path_, "to close it", errno);
  if (rename(path_.c_str(), path.c_str()) != 0) {
    return partial_error(path, "to rename the finished file", errno);
  }
  return sync_parent(path);
}

void PartialFile::remove() noexcept {
  if (descriptor_ >= 0) unlink(path_.c_str());
  close_file();
}

Result<std::optional<FileLock>> FileLock::try_lock(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
  if (descriptor < 0) return partial_error(path, "a lock file", errno);
  FileLock lock(descriptor);
  while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::optional<FileLock>();
    if (errno != EINTR) return partial_error(path, "to lock it", errno);
  }
  return std::optional(std::move(lock));
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::optional<uint64_t> free_disk_bytes(const std::string& path) {
  struct statvfs disk;
  if (statvfs(path.c_str(), &disk) != 0) return std::nullopt;
  return checked_mul<uint64_t>(disk.f_bavail, disk.f_frsize);
}

}  // namespace brisk
