// Walking folders with std::filesystem, errors as values.
#include "hub/walk.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace brisk::hub {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostEntries = 50'000;

/// A file worth naming: a regular one that does not lead away.
bool is_wanted(const fs::directory_entry& entry, const std::string& root, Warnings& warnings) {
  std::error_code error;
  const bool is_link = entry.is_symlink(error);
  if (!entry.is_regular_file(error)) {
    if (is_link && !entry.exists(error))
      warnings.push_back(entry.path().string() + ": a link that leads nowhere");
    return false;
  }
  if (!is_link || root.empty() || leads_beneath(entry.path(), root)) return true;
  warnings.push_back(entry.path().string() + ": a link that leads out of " + root);
  return false;
}

void visit(const fs::path& folder, const std::string& prefix, int depth, const std::string& root,
           std::vector<FoundFile>& found, size_t& entries, Warnings& warnings) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (++entries > kMostEntries) {
      if (entries == kMostEntries + 1)
        warnings.push_back(folder.string() + ": too many files, the rest left out");
      return;
    }
    const std::string name = prefix + it->path().filename().string();
    std::error_code unused;
    if (it->is_directory(unused) && !it->is_symlink(unused)) {
      if (depth > 0) visit(it->path(), name + "/", depth - 1, root, found, entries, warnings);
      continue;
    }
    struct stat status;
    if (!is_wanted(*it, root, warnings) || stat(it->path().c_str(), &status) != 0) continue;
    found.push_back({name, static_cast<uint64_t>(status.st_size), status.st_mtime});
  }
}

}  // namespace

bool leads_beneath(const std::string& path, const std::string& root) {
  std::error_code error;
  const fs::path target = fs::canonical(path, error);
  if (error) return false;
  const fs::path top = fs::canonical(root, error);
  if (error) return false;
  return std::mismatch(top.begin(), top.end(), target.begin(), target.end()).first == top.end();
}

std::vector<FoundFile> walk(const std::string& folder, int depth, const std::string& root,
                            Warnings& warnings) {
  std::vector<FoundFile> found;
  size_t entries = 0;
  visit(folder, "", depth, root, found, entries, warnings);
  std::ranges::sort(found, {}, &FoundFile::name);
  return found;
}

std::vector<std::string> folders_of(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code unused;
    if (it->is_symlink(unused) || !it->is_directory(unused) || names.size() >= kMostEntries) continue;
    names.push_back(it->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> names_of(const std::vector<FoundFile>& files) {
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const FoundFile& file : files) names.push_back(file.name);
  return names;
}

}  // namespace brisk::hub
