// libcurl, loaded when something is first fetched. Linked, it would cost every start of the program three
// milliseconds (it brings some thirty libraries along); and a machine without it can do all but pull.
#pragma once

#include <curl/curl.h>

#include "base/status.hpp"

namespace brisk::hub {

/// The functions that we use, under their names without "curl_".
struct Curl {
  decltype(&curl_global_init) global_init;
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_reset) easy_reset;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_perform) easy_perform;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
};

/// The loaded and initialised library, the same for all threads; an environment error when it is missing.
Result<const Curl*> load_curl();

}  // namespace brisk::hub
