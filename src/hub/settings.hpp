// What the environment says about the hub, in the variables that huggingface_hub reads.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.hpp"

namespace brisk::hub {

struct Settings {
  std::string endpoint;  ///< HF_ENDPOINT, else https://huggingface.co; no slash at the end
  std::string cache;     ///< HF_HUB_CACHE, else $HF_HOME/hub, else ~/.cache/huggingface/hub
  std::string token;     ///< HF_TOKEN, else the file HF_TOKEN_PATH or $HF_HOME/token; may be empty
  bool offline = false;  ///< HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE: no request is made
  int64_t stall_seconds =
      10;  ///< HF_HUB_DOWNLOAD_TIMEOUT: a connection on which nothing comes for so long is cut
  int64_t pause_ms = 500;  ///< before the first further try; doubles with each
};

/// A wrong endpoint or token is an environment error that does not repeat the token.
Result<Settings> read_settings();
/// Only Settings::cache, which needs no token.
Result<std::string> cache_of_hub();
/// Only Settings::offline.
bool offline_of_hub();

}  // namespace brisk::hub
