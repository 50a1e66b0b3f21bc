// Getting things by HTTP and HTTPS: one request at a time, redirects followed by our own rules, bodies handed
// on as they come. Proxies (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY) and TLS are libcurl's.
//
// Rules of redirects: at most ten, to http: or https: only, never from https: to http:; the token goes to the
// origin (scheme, host, port) of the first address and to no other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "hub/curl.hpp"

namespace brisk::hub {

using Headers = std::map<std::string, std::string>;  // names in lower case

struct Request {
  std::string url;
  std::vector<std::string> headers = {};  ///< whole lines: "Range: bytes=5-"
  std::string token = {};                 ///< sent as a bearer token; may be empty
  int64_t stall_seconds = 10;             ///< a connection on which nothing comes for so long is cut
  std::function<bool()> stopped = {};     ///< asked all along; true ends the request as cancelled
};

struct Response {
  int64_t status = 0;
  Headers headers;
  Headers first_headers;       ///< of the first answer, when that was a redirect; else the same
  int64_t retry_after_s = -1;  ///< what a Retry-After asks for; -1: none
  /// The value, or "" when there is none.
  std::string header(const std::string& name) const;
  std::string first_header(const std::string& name) const;
};

/// How a request ended. A status of 400 and above is no failure here: `status` tells of transport, of broken
/// rules and of the sink.
struct Outcome {
  Status status;
  Response response;
  bool again = false;  ///< whether another try may help
};

/// Takes the body of a 2xx answer, piece by piece; an error ends the request.
using Sink = std::function<Status(const Response& head, std::span<const std::byte> piece)>;

/// Keeps its connection for the next request. Not for two threads at once.
class Client {
 public:
  static Result<Client> create();

  Outcome get(const Request& request, const Sink& sink);

 private:
  struct Deleter {
    const Curl* curl;
    void operator()(CURL* handle) const { curl->easy_cleanup(handle); }
  };
  Client(const Curl* curl, CURL* handle) : curl_(curl), handle_(handle, Deleter{curl}) {}
  Outcome get_once(const Request& request, const std::string& url, bool with_token, const Sink& sink);
  std::string redirect_url() const;

  const Curl* curl_;
  std::unique_ptr<CURL, Deleter> handle_;
};

/// "https://host:port" of an address, in lower case.
std::string origin_of(std::string_view url);
/// The bytes of a path in an address: all but letters, digits and "-._~/" as %XX.
std::string escape_path(std::string_view path);

/// One try of with_retries().
struct Try {
  Status status;
  bool again = false;          ///< a failed one may be repeated
  int64_t retry_after_s = -1;  ///< the server's wish
  bool progressed = false;     ///< it brought us so much further that counting starts anew
};
struct RetryRule {
  int tries = 5;       ///< in a row without progress
  int all_tries = 30;  ///< with and without: a server that always cuts must end in an error, too
  int64_t pause_ms = 500;
  std::function<bool()> stopped = {};
};
/// Repeats `attempt` with growing pauses (the server's own wish honoured up to a minute).
Status with_retries(const RetryRule& rule, const std::function<Try()>& attempt);

}  // namespace brisk::hub
