// Opening files beneath a folder. The kernel does the walk where it can (openat2 with RESOLVE_BENEATH: Linux
// 5.6); elsewhere we walk part by part from open folders, following links by hand. Either way a name is
// resolved from descriptors, so swapping a part for a link in the meantime leads nowhere else.
#include "base/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <utility>

#include "base/file.hpp"

namespace brisk {

namespace {

constexpr int kFileFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;  // never waits, as for a FIFO
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr int kMostLinks = 40;  // as the kernel
constexpr std::string_view kCachePrefix = "models--";

std::atomic<bool> g_walk_by_hand{false};

std::string_view first_part(std::string_view path) { return path.substr(0, path.find('/')); }
std::string_view after_first_part(std::string_view path) {
  return path.substr(std::min(path.size(), first_part(path).size() + 1));
}

// What is wrong with a name; empty when it is one that may be looked up.
std::string fault_of(std::string_view name) {
  if (name.empty()) return "an empty name";
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::ranges::any_of(name, is_control)) return "a zero byte or control character in it";
  if (name.find('\\') != std::string_view::npos) return "a backslash in it";
  if (name.front() == '/') return "an absolute path";
  if (name.back() == '/') return "a folder";
  if (const size_t colon = name.find(':'); colon < name.rfind('/') && name.rfind('/') < name.size()) {
    return "a colon before a slash";
  }
  for (std::string_view rest = name; !rest.empty(); rest = after_first_part(rest)) {
    const std::string_view part = first_part(rest);
    if (part.empty() || part == "." || part == "..") return "a part '" + std::string(part) + "'";
  }
  return {};
}

// Closes at the end of the scope.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

// Open folders from the root to where a walk stands.
class FolderStack {
 public:
  explicit FolderStack(int root) : root_(root) {}
  FolderStack(const FolderStack&) = delete;
  FolderStack& operator=(const FolderStack&) = delete;
  ~FolderStack() {
    for (const int folder : below_) close(folder);
  }

  int top() const { return below_.empty() ? root_ : below_.back(); }
  /// 0 or an errno.
  int enter(const std::string& part) {
    const int folder = openat(top(), part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) return errno;
    below_.push_back(folder);
    return 0;
  }
  int leave() {
    if (below_.empty()) return EXDEV;
    close(below_.back());
    below_.pop_back();
    return 0;
  }

 private:
  int root_;
  std::vector<int> below_;
};

// A descriptor, or a negative errno as of openat2.
int walk(int root, std::string path, int flags) {
  FolderStack folders(root);
  int links = 0;
  while (true) {
    const std::string part(first_part(path));
    std::string rest(after_first_part(path));
    char target[PATH_MAX];
    const ssize_t length =
        part.empty() ? -1 : readlinkat(folders.top(), part.c_str(), target, sizeof(target));
    if (length >= 0) {
      if (static_cast<size_t>(length) == sizeof(target)) return -ENAMETOOLONG;
      if (++links > kMostLinks) return -ELOOP;
      if (length > 0 && target[0] == '/') return -EXDEV;
      path = std::string(target, static_cast<size_t>(length)) + (rest.empty() ? "" : "/") + rest;
      continue;
    }
    int error = 0;
    if (part == "..") {
      error = folders.leave();
    } else if (!rest.empty() && !part.empty() && part != ".") {
      error = folders.enter(part);
    }
    if (error != 0) return -error;
    if (rest.empty()) {
      const std::string last = part.empty() || part == ".." ? "." : part;
      const int descriptor = openat(folders.top(), last.c_str(), flags | O_NOFOLLOW);
      return descriptor < 0 ? -errno : descriptor;
    }
    path = std::move(rest);
  }
}

// A descriptor, or a negative errno: -EXDEV when the path leads outside.
int open_from(int root, const std::string& path, int flags) {
  open_how how = {};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  constexpr int kTries = 16;  // EAGAIN: somebody renamed a folder during the walk
  for (int i = 0; i < kTries && !g_walk_by_hand.load(std::memory_order_relaxed); ++i) {
    const auto result = static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how)));
    if (result >= 0) return result;
    if (errno == EAGAIN || errno == EINTR) continue;
    // An old kernel, or a sandbox that does not know the call.
    if (errno == ENOSYS || errno == EPERM || errno == EINVAL) break;
    return -errno;
  }
  return walk(root, path, flags);
}

// Where a Hugging Face cache ends whose snapshot `path` is ("CACHE" of
// "CACHE/models--A--B/snapshots/REV..."), or the whole length when `path` is no such folder. Its links lead
// to the model's blobs, which in turn may be links to blobs that models share (CACHE/blobs).
size_t root_length(const std::string& path) {
  const std::string before = "/" + std::string(kCachePrefix);
  for (size_t at = path.rfind(before); at != std::string::npos && at > 0; at = path.rfind(before, at - 1)) {
    const size_t end = path.find('/', at + 1);
    if (end == std::string::npos) continue;
    const std::string_view inside = std::string_view(path).substr(end + 1);
    if (first_part(inside) == "snapshots" && !after_first_part(inside).empty()) return at;
  }
  return path.size();
}

}  // namespace

void set_walk_by_hand(bool by_hand) { g_walk_by_hand.store(by_hand); }

Result<Folder> Folder::open(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return environment_error({"path", "the path of a folder", "an empty one or a zero byte", "naming it"});
  }
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return file_error(path, "a readable folder", errno);
  const std::string real = resolved;
  std::free(resolved);
  const size_t length = root_length(real);

  Folder folder;
  folder.path_ = path;
  folder.inner_ = length < real.size() ? real.substr(length + 1) : "";
  folder.root_ = ::open(real.substr(0, length).c_str(), kFolderFlags);
  if (folder.root_ < 0) return file_error(path, "a readable folder", errno);
  if (folder.inner_.empty()) return folder;
  const Descriptor inner{open_from(folder.root_, folder.inner_, kFolderFlags)};
  if (inner.number < 0) return file_error(path, "a readable folder", -inner.number);
  return folder;
}

Folder::Folder(Folder&& other) noexcept
    : path_(std::move(other.path_)), inner_(std::move(other.inner_)), root_(std::exchange(other.root_, -1)) {}

Folder& Folder::operator=(Folder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(inner_, other.inner_);
  std::swap(root_, other.root_);
  return *this;
}

Folder::~Folder() {
  if (root_ >= 0) close(root_);
}

std::string Folder::full_name(std::string_view name) const {
  return path_ + (path_.ends_with('/') ? "" : "/") + std::string(name);
}

Result<int> Folder::open_beneath(std::string_view name) const {
  if (const std::string fault = fault_of(name); !fault.empty()) {
    return bad_input({path_ + ": '" + std::string(name) + "'", "the name of a file beneath the folder", fault,
                      "a plain name such as 'model.safetensors'"});
  }
  const std::string where = full_name(name);
  const std::string inside = (inner_.empty() ? "" : inner_ + "/") + std::string(name);
  const int descriptor = open_from(root_, inside, kFileFlags);
  if (descriptor >= 0) return require_regular(descriptor, where);
  if (descriptor == -EXDEV) {
    return bad_input({where, "a file beneath the folder", "a link that leads outside it",
                      "a copy of the file in the folder"});
  }
  return file_error(where, "a readable file", -descriptor);
}

bool Folder::has(std::string_view name) const {
  const Result<int> descriptor = open_beneath(name);
  if (descriptor.ok()) close(*descriptor);
  return descriptor.ok();
}

int Folder::open_itself() const { return open_from(root_, inner_.empty() ? "." : inner_, kFolderFlags); }

bool Folder::has_entry(std::string_view name) const {
  if (!fault_of(name).empty() || name.find('/') != std::string_view::npos) return false;
  const Descriptor folder{open_itself()};
  struct stat status;
  return folder.number >= 0 &&
         fstatat(folder.number, std::string(name).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<std::string> Folder::read(std::string_view name, uint64_t limit) const {
  BRISK_ASSIGN(const int number, open_beneath(name));
  const Descriptor descriptor{number};
  return read_descriptor(descriptor.number, full_name(name), limit);
}

Result<std::shared_ptr<MappedFile>> Folder::map(std::string_view name) const {
  const std::string where = full_name(name);
  BRISK_ASSIGN(const int descriptor, open_beneath(name));
  return MappedFile::from_descriptor(descriptor, where);
}

Result<std::vector<std::string>> Folder::files() const {
  const int descriptor = open_itself();
  if (descriptor < 0) return file_error(path_, "a readable folder", -descriptor);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(descriptor), closedir);
  if (stream == nullptr) {
    const Descriptor closed{descriptor};
    return file_error(path_, "a readable folder", errno);
  }
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr && errno != 0) return file_error(path_, "a readable folder", errno);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_REG ? fault_of(name).empty() : has(name)) names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace brisk
