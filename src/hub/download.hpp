// One file from the hub into the cache: resumed, verified, then renamed to its final name.
#pragma once

#include <cstdint>
#include <functional>

#include "base/status.hpp"
#include "hub/cache.hpp"
#include "hub/http.hpp"
#include "hub/listing.hpp"
#include "hub/settings.hpp"

namespace brisk::hub {

/// What the downloads of one pull share.
struct DownloadContext {
  const Settings& settings;
  const RepoName& name;
  const RepoFolder& folder;
  std::string commit;
  std::function<bool()> stopped;         ///< true: give up, keep what is there
  std::function<void(int64_t)> arrived;  ///< bytes more (or, negative, thrown away); from any thread
};

/// Whether the blob of a file is there, whole.
bool has_blob(const RepoFolder& folder, const RemoteFile& file);
/// The bytes of a file that an earlier run left.
uint64_t partial_bytes(const RepoFolder& folder, const RemoteFile& file);

/// Fetches a file unless it is there. Waits while another program fetches the same one. What comes is hashed
/// on its way; a file whose hash is wrong is removed.
Status download(Client& client, const DownloadContext& context, const RemoteFile& file);

}  // namespace brisk::hub
