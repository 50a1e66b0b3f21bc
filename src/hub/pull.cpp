// The steps of a pull, and its threads.
#include "hub/pull.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "base/memory.hpp"
#include "base/partial_file.hpp"
#include "hub/cache.hpp"
#include "hub/download.hpp"
#include "hub/select.hpp"

namespace brisk::hub {
namespace {

std::vector<std::string> names_of_files(const std::vector<RemoteFile>& files) {
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const RemoteFile& file : files) names.push_back(file.name);
  return names;
}

/// Whether a file is in the cache: as a blob, or on a disk without links in its snapshot.
bool is_there(const RepoFolder& folder, const std::string& commit, const RemoteFile& file) {
  if (has_blob(folder, file)) return true;
  std::error_code error;
  const std::string path = folder.snapshot(commit) + "/" + file.name;
  return std::filesystem::file_size(path, error) == file.size && !error;
}

/// The files of the listing that the name means, in the order in which they are to appear.
Result<std::vector<PulledFile>> choose(const RepoName& name, const Listing& listing,
                                       const RepoFolder& folder) {
  BRISK_ASSIGN(const std::vector<std::string> chosen, select_files(name, names_of_files(listing.files)));
  std::vector<PulledFile> files;
  for (const std::string& wanted : chosen) {
    const auto found = std::ranges::lower_bound(listing.files, wanted, {}, &RemoteFile::name);
    files.push_back({*found, !is_there(folder, listing.commit, *found)});
  }
  return files;
}

Status check_room(const RepoFolder& folder, const std::vector<PulledFile>& files) {
  uint64_t needed = 0;
  for (const PulledFile& entry : files) {
    if (entry.fetched) needed += entry.file.size - partial_bytes(folder, entry.file);
  }
  const std::optional<uint64_t> room = free_disk_bytes(folder.path());
  if (!room || *room >= needed) return {};
  return environment_error({folder.path(), std::to_string(needed) + " free bytes on the disk",
                            std::to_string(*room), "freeing space, or HF_HOME on another disk"});
}

/// Counts bytes over all threads and tells how far the pull is.
class Counter {
 public:
  Counter(const PullOptions& options, uint64_t done, uint64_t total)
      : options_(options), progress_{.done = done, .total = total} {}

  void add(int64_t bytes) {
    const std::lock_guard lock(mutex_);
    // Bytes thrown away come off again; what was counted is never less than nothing.
    progress_.done += static_cast<uint64_t>(bytes);
    if (bytes > 0) progress_.fetched += static_cast<uint64_t>(bytes);
    if (options_.progress) options_.progress(progress_);
  }
  uint64_t fetched() const { return progress_.fetched; }

 private:
  const PullOptions& options_;
  std::mutex mutex_;
  PullProgress progress_;
};

/// Fetches the files by several threads; the first error stops all of them and is returned.
class Crew {
 public:
  /// `failed` is raised by the first error.
  Crew(const DownloadContext& context, const std::vector<PulledFile>& files, std::atomic<bool>& failed)
      : context_(context), files_(files), failed_(failed) {}

  Status run(int jobs) {
    std::vector<std::thread> threads;
    const auto wanted = std::ranges::count_if(files_, &PulledFile::fetched);
    try {
      for (int i = 1; i < std::min<int64_t>(jobs, wanted); ++i) threads.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // No more threads to be had: those that there are do the work.
    }
    work();
    for (std::thread& thread : threads) thread.join();
    return first_error_;
  }

 private:
  void work() {
    const Status status = catch_out_of_memory("a download", [this] { return fetch(); });
    if (status.ok()) return;
    const std::lock_guard lock(mutex_);
    if (!failed_.exchange(true)) first_error_ = status;
  }

  Status fetch() {
    BRISK_ASSIGN(Client client, Client::create());
    for (size_t i = next_++; i < files_.size() && !failed_; i = next_++) {
      if (files_[i].fetched) BRISK_TRY(download(client, context_, files_[i].file));
    }
    return {};
  }

  const DownloadContext& context_;
  const std::vector<PulledFile>& files_;
  std::atomic<size_t> next_{0};
  std::atomic<bool>& failed_;
  std::mutex mutex_;
  Status first_error_;
};

Result<uint64_t> fetch_files(const Settings& settings, const RepoName& name, const RepoFolder& folder,
                             const std::string& commit, const std::vector<PulledFile>& files,
                             const PullOptions& options) {
  uint64_t done = 0, total = 0;
  for (const PulledFile& entry : files) {
    total += entry.file.size;
    done += entry.fetched ? partial_bytes(folder, entry.file) : entry.file.size;
  }
  Counter counter(options, done, total);
  std::atomic<bool> failed{false};
  const DownloadContext context{.settings = settings,
                                .name = name,
                                .folder = folder,
                                .commit = commit,
                                .stopped = [&] { return options.stopped() || failed; },
                                .arrived = [&](int64_t bytes) { counter.add(bytes); }};
  BRISK_TRY(Crew(context, files, failed).run(options.jobs));
  return counter.fetched();
}

Result<PullReport> look_up(const Settings& settings, const RepoName& name) {
  BRISK_ASSIGN(std::string path, find_in_cache(settings.cache, name, settings.offline));
  PullReport report;
  report.commit = RepoFolder(settings.cache, name.repo).commit_of(name.revision);
  report.path = std::move(path);
  return report;
}

}  // namespace

Result<PullReport> pull(const Settings& settings, const RepoName& name, const PullOptions& options) {
  if (settings.offline) return look_up(settings, name);
  BRISK_ASSIGN(Client client, Client::create());
  BRISK_ASSIGN(const Listing listing, fetch_listing(client, settings, name, options.stopped));
  const RepoFolder folder(settings.cache, name.repo);
  PullReport report;
  report.commit = listing.commit;
  BRISK_ASSIGN(report.files, choose(name, listing, folder));
  BRISK_TRY(make_shared_folders(folder.path() + "/blobs"));
  BRISK_TRY(make_shared_folders(folder.locks()));
  BRISK_TRY(check_room(folder, report.files));
  BRISK_ASSIGN(report.fetched, fetch_files(settings, name, folder, listing.commit, report.files, options));
  for (const PulledFile& entry : report.files) {
    BRISK_TRY(folder.link(listing.commit, entry.file.name, entry.file.hash));
  }
  BRISK_TRY(folder.write_ref(name.revision, listing.commit));
  RepoName pinned = name;
  pinned.revision = listing.commit;
  BRISK_ASSIGN(report.path, find_in_cache(settings.cache, pinned, settings.offline));
  return report;
}

}  // namespace brisk::hub
