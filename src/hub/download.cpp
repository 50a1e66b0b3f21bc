// Downloading by ranges.
//
// A file on its way is blobs/HASH.incomplete: always a beginning of the file, since it is only appended to
// and each answer's offset is checked. Whatever goes wrong, a file gets its final name only with the right
// hash.
#include "hub/download.hpp"

#include <sys/stat.h>

#include <charconv>
#include <chrono>
#include <optional>
#include <thread>

#include "base/partial_file.hpp"
#include "hub/hash.hpp"

namespace brisk::hub {
namespace {

/// So much more in one try, and the counting of failures starts anew.
constexpr uint64_t kProgressBytes = 64U << 10;
constexpr auto kLockPause = std::chrono::milliseconds(100);

std::string partial_path(const RepoFolder& folder, const RemoteFile& file) {
  return folder.blob(file.hash) + ".incomplete";
}

/// The offset and the whole size in "bytes OFFSET-LAST/SIZE"; nothing when it is not of that form.
struct ContentRange {
  uint64_t offset = 0, size = 0;
};
std::optional<ContentRange> read_content_range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  const size_t dash = text.find('-'), slash = text.find('/');
  if (dash == text.npos || slash == text.npos || slash < dash) return std::nullopt;
  const auto number = [](std::string_view digits, uint64_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  ContentRange range;
  if (!number(text.substr(0, dash), range.offset) || !number(text.substr(slash + 1), range.size))
    return std::nullopt;
  return range;
}

/// A hash out of an ETag: quotes and "W/" taken off.
std::string plain_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  while (etag.starts_with('"')) etag.remove_prefix(1);
  while (etag.ends_with('"')) etag.remove_suffix(1);
  return std::string(etag);
}

/// The state of one file's download over its tries.
class Download {
 public:
  Download(Client& client, const DownloadContext& context, const RemoteFile& file, PartialFile partial)
      : client_(client), context_(context), file_(file), partial_(std::move(partial)),
        hash_(file.hash, file.size), where_(context.name.text() + ", " + file.name) {}

  Status run() {
    BRISK_TRY(partial_.read([this](std::span<const std::byte> piece) {
      hash_.add(piece);
      return Status();
    }));
    joined_ = partial_.size() > 0;
    BRISK_TRY(fetch_rest());
    std::string hash = hash_.finish();
    if (hash != file_.hash && joined_) {
      // The pieces may be of two files, or an earlier one damaged: once more, in one piece.
      BRISK_TRY(restart());
      BRISK_TRY(fetch_rest());
      hash = hash_.finish();
    }
    if (hash == file_.hash) return partial_.commit(context_.folder.blob(file_.hash));
    partial_.remove();
    return bad_input({where_, "the hash " + file_.hash, hash + "; the file is removed",
                      "again; if it stays so, the server or a proxy changes files"});
  }

 private:
  Status restart() {
    context_.arrived(-static_cast<int64_t>(partial_.size()));
    hash_ = FileHash(file_.hash, file_.size);
    etag_.clear();
    joined_ = false;
    return partial_.restart();
  }

  Status fetch_rest() {
    const RetryRule rule{.pause_ms = context_.settings.pause_ms, .stopped = context_.stopped};
    return with_retries(rule, [this] { return attempt(); });
  }

  Try attempt() {
    if (partial_.size() == file_.size) return {};
    const uint64_t before = partial_.size();
    first_piece_ = true;
    misfit_ = false;
    Request request{.url = url(),
                    .token = context_.settings.token,
                    .stall_seconds = context_.settings.stall_seconds,
                    .stopped = context_.stopped};
    if (before > 0) {
      request.headers.push_back("Range: bytes=" + std::to_string(before) + "-");
      if (!etag_.empty()) request.headers.push_back("If-Range: " + etag_);
    }
    const Outcome outcome =
        client_.get(request, [this](const Response& head, auto piece) { return take(head, piece); });
    const bool progressed = partial_.size() >= before + kProgressBytes;
    if (misfit_) {
      if (Status status = restart(); !status.ok()) return {status};
      return {outcome.status, true};
    }
    if (!outcome.status.ok()) return {outcome.status, outcome.again, -1, progressed};
    return judge(outcome.response, progressed);
  }

  /// What a whole answer means.
  Try judge(const Response& response, bool progressed) {
    constexpr int64_t kRangeNotSatisfiable = 416;
    if (response.status == kRangeNotSatisfiable && partial_.size() > 0) {
      // Our beginning does not fit to what the server has: from the start.
      if (Status status = restart(); !status.ok()) return {status};
      return {unexpected("the rest of the file", "status 416"), true};
    }
    if (response.status >= 400) {
      return {refused(context_.settings, context_.name, file_.name, response), is_passing(response.status),
              response.retry_after_s, progressed};
    }
    if (partial_.size() == file_.size) return {};
    return {unexpected(std::to_string(file_.size) + " bytes", std::to_string(partial_.size())), true, -1,
            progressed};
  }

  /// The first piece of an answer shows where it begins.
  Status take(const Response& head, std::span<const std::byte> piece) {
    if (first_piece_) BRISK_TRY(begin(head));
    first_piece_ = false;
    if (piece.size() > file_.size - partial_.size()) {
      return unexpected("a file of " + std::to_string(file_.size) + " bytes", "a longer one");
    }
    BRISK_TRY(partial_.append(piece));
    hash_.add(piece);
    context_.arrived(static_cast<int64_t>(piece.size()));
    return {};
  }

  Status begin(const Response& head) {
    const std::string linked = plain_etag(head.first_header("x-linked-etag"));
    if (is_hash(linked) && linked != file_.hash) {
      return unexpected("the file with the hash " + file_.hash, "one with " + linked);
    }
    constexpr int64_t kPartialContent = 206;
    const std::string etag = head.header("etag");
    const bool other_file = !etag_.empty() && !etag.empty() && etag != etag_;
    if (head.status != kPartialContent) {
      // The whole file, whether or not we asked for the rest.
      if (partial_.size() > 0) BRISK_TRY(restart());
    } else {
      const auto range = read_content_range(head.header("content-range"));
      misfit_ = !range || other_file || range->offset != partial_.size() || range->size != file_.size;
      if (misfit_) {
        return unexpected("the rest from byte " + std::to_string(partial_.size()),
                          other_file ? "another file" : "'" + head.header("content-range") + "'");
      }
      joined_ = joined_ || partial_.size() > 0;
    }
    // Only a strong one may guard a range.
    etag_ = etag.starts_with('"') ? etag : "";
    return {};
  }

  std::string url() const {
    return context_.settings.endpoint + "/" + context_.name.repo + "/resolve/" + context_.commit + "/" +
           escape_path(file_.name);
  }

  Status unexpected(std::string expected, std::string got) const {
    return bad_input({where_, std::move(expected), std::move(got), "again, or another HF_ENDPOINT"});
  }

  Client& client_;
  const DownloadContext& context_;
  const RemoteFile& file_;
  PartialFile partial_;
  FileHash hash_;
  std::string where_;
  std::string etag_;  // of the answer that the beginning came with; empty: unknown
  bool first_piece_ = true;
  bool misfit_ = false;  // the answer does not go on where we stand
  bool joined_ = false;  // the file consists of several answers
};

/// Waits until nobody else fetches the file.
Result<FileLock> wait_for_lock(const DownloadContext& context, const RemoteFile& file) {
  while (!context.stopped()) {
    BRISK_ASSIGN(std::optional<FileLock> lock, FileLock::try_lock(context.folder.lock(file.hash)));
    if (lock) return *std::move(lock);
    std::this_thread::sleep_for(kLockPause);
  }
  return cancelled();
}

}  // namespace

bool has_blob(const RepoFolder& folder, const RemoteFile& file) {
  struct stat status;
  return stat(folder.blob(file.hash).c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         static_cast<uint64_t>(status.st_size) == file.size;
}

uint64_t partial_bytes(const RepoFolder& folder, const RemoteFile& file) {
  struct stat status;
  const bool there = lstat(partial_path(folder, file).c_str(), &status) == 0 && S_ISREG(status.st_mode);
  const uint64_t bytes = there ? static_cast<uint64_t>(status.st_size) : 0;
  return bytes <= file.size ? bytes : 0;
}

Status download(Client& client, const DownloadContext& context, const RemoteFile& file) {
  const uint64_t counted = partial_bytes(context.folder, file);
  BRISK_ASSIGN(const FileLock lock, wait_for_lock(context, file));
  if (has_blob(context.folder, file)) {
    // Another program fetched it while we waited.
    context.arrived(static_cast<int64_t>(file.size - counted));
    return {};
  }
  BRISK_ASSIGN(PartialFile partial, PartialFile::open(partial_path(context.folder, file)));
  if (partial.size() > file.size) BRISK_TRY(partial.restart());
  // Another program may have gone further, or may have begun anew, while we waited.
  context.arrived(static_cast<int64_t>(partial.size()) - static_cast<int64_t>(counted));
  return Download(client, context, file, std::move(partial)).run();
}

}  // namespace brisk::hub
