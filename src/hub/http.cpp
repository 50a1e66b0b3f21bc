// Requests by libcurl, redirects and retries by our own rules.
#include "hub/http.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/memory.hpp"
#include "hub/names.hpp"

namespace brisk::hub {
namespace {

constexpr int kMostRedirects = 10;
constexpr size_t kMostHeaderBytes = 64U << 10;
constexpr size_t kMostErrorBody = 64U << 10;
constexpr long kLeastSpeed = 100;  // bytes a second; less, for stall_seconds, is a stalled connection
constexpr long kBufferBytes = 256L << 10;
constexpr int64_t kLongestWait_s = 60;

/// What the callbacks of one transfer share.
struct Transfer {
  const Request& request;
  const Sink& sink;
  Response response = {};
  Status callback_status = {};
  size_t header_bytes = 0;
  size_t error_body = 0;
  bool too_much = false;  // we cut the connection ourselves: header or body of an error without end
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::string_view(" \t\r\n").find(text.front()) != text.npos) text.remove_prefix(1);
  while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != text.npos) text.remove_suffix(1);
  return text;
}

void read_header(Transfer& transfer, std::string_view line) {
  if (line.starts_with("HTTP/")) {
    transfer.response.headers.clear();
    const size_t space = line.find(' ');
    transfer.response.status =
        space == line.npos ? 0 : std::strtol(std::string(line.substr(space)).c_str(), nullptr, 10);
    return;
  }
  transfer.header_bytes += line.size();
  transfer.too_much = transfer.header_bytes > kMostHeaderBytes;
  if (transfer.too_much) return;
  const size_t colon = line.find(':');
  if (colon != line.npos) {
    transfer.response.headers[lower_case(trim(line.substr(0, colon)))] = trim(line.substr(colon + 1));
  }
}

// No exception may pass through libcurl: the callbacks turn them into a status.

size_t on_header(char* data, size_t, size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  transfer.callback_status = catch_out_of_memory("the head of an answer", [&] {
    read_header(transfer, std::string_view(data, count));
    return Status();
  });
  return transfer.callback_status.ok() && !transfer.too_much ? count : 0;
}

size_t on_body(char* data, size_t, size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.response.status < 200 || transfer.response.status >= 300) {
    transfer.error_body += count;
    transfer.too_much = transfer.error_body > kMostErrorBody;
    return transfer.too_much ? 0 : count;
  }
  transfer.callback_status = catch_out_of_memory("the body of an answer", [&] {
    return transfer.sink(transfer.response, std::as_bytes(std::span(data, count)));
  });
  return transfer.callback_status.ok() ? count : 0;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& stopped = static_cast<Transfer*>(context)->request.stopped;
  return stopped && stopped() ? 1 : 0;
}

bool may_help_again(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return true;
    default: return false;
  }
}

std::string hint_for(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY: return "HTTP_PROXY and HTTPS_PROXY";
    case CURLE_PEER_FAILED_VERIFICATION:
      return "the clock of this machine, package ca-certificates, or SSL_CERT_FILE for a proxy's own "
             "certificate";
    default: return "again later, HTTPS_PROXY behind a proxy, or HF_ENDPOINT for a mirror";
  }
}

bool is_redirect(int64_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// libcurl leaves HTTP_PROXY in capitals aside (web servers once let strangers set it); other tools do not.
std::string capital_proxy(std::string_view url) {
  const char* small = std::getenv("http_proxy");
  const char* capital = std::getenv("HTTP_PROXY");
  if (!url.starts_with("http://") || small != nullptr || capital == nullptr) return {};
  return capital;
}

/// The file of certificates that the user names, or nothing.
std::string certificates() {
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && value[0] != '\0') return value;
  }
  return {};
}

Status check_scheme(const std::string& from, const std::string& to) {
  const std::string scheme = origin_of(to);
  if (scheme.starts_with("https://")) return {};
  if (scheme.starts_with("http://") && !origin_of(from).starts_with("https://")) return {};
  return bad_input({origin_of(from), "a redirect to https", to.empty() ? "one to nowhere" : "one to " + to,
                    "another HF_ENDPOINT"});
}

class HeaderList {
 public:
  explicit HeaderList(const Curl& curl) : curl_(curl) {}
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_.slist_free_all(list_); }
  void add(const std::string& line) {
    if (curl_slist* longer = curl_.slist_append(list_, line.c_str())) list_ = longer;
  }
  curl_slist* get() const { return list_; }

 private:
  const Curl& curl_;
  curl_slist* list_ = nullptr;
};

}  // namespace

std::string Response::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string Response::first_header(const std::string& name) const {
  const auto found = first_headers.find(name);
  return found == first_headers.end() ? header(name) : found->second;
}

std::string origin_of(std::string_view url) {
  const size_t scheme = url.find("://");
  const size_t end = scheme == url.npos ? url.size() : url.find_first_of("/?#", scheme + 3);
  return lower_case(url.substr(0, end));
}

std::string escape_path(std::string_view path) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

Result<Client> Client::create() {
  BRISK_ASSIGN(const Curl* curl, load_curl());
  CURL* handle = curl->easy_init();
  if (handle == nullptr) {
    return environment_error({"libcurl", "memory for a connection", "none", "closing other programs"});
  }
  return Client(curl, handle);
}

std::string Client::redirect_url() const {
  char* url = nullptr;
  curl_->easy_getinfo(handle_.get(), CURLINFO_REDIRECT_URL, &url);
  return url == nullptr ? "" : url;
}

Outcome Client::get(const Request& request, const Sink& sink) {
  const std::string origin = origin_of(request.url);
  std::string url = request.url;
  Headers first_headers;
  for (int hop = 0; hop <= kMostRedirects; ++hop) {
    Outcome outcome = get_once(request, url, origin_of(url) == origin, sink);
    if (hop == 0) first_headers = outcome.response.headers;
    outcome.response.first_headers = first_headers;
    if (!outcome.status.ok() || !is_redirect(outcome.response.status)) return outcome;
    const std::string next = redirect_url();
    outcome.status = check_scheme(url, next);
    if (!outcome.status.ok()) return outcome;
    url = next;
  }
  return {bad_input({origin, "at most " + std::to_string(kMostRedirects) + " redirects", "more",
                     "another HF_ENDPOINT"}),
          {},
          false};
}

Outcome Client::get_once(const Request& request, const std::string& url, bool with_token, const Sink& sink) {
  Transfer transfer{request, sink};
  CURL* handle = handle_.get();
  const auto set = [&](CURLoption option, auto value) { curl_->easy_setopt(handle, option, value); };
  curl_->easy_reset(handle);

  HeaderList headers(*curl_);
  headers.add("Accept-Encoding: identity");  // sizes and ranges are those of the file
  for (const std::string& line : request.headers) headers.add(line);
  if (with_token && !request.token.empty()) headers.add("Authorization: Bearer " + request.token);
  const std::string proxy = capital_proxy(url);
  const std::string authorities = certificates();
  char error[CURL_ERROR_SIZE] = "";

  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_PROTOCOLS_STR,
      "http,https");  // check_scheme() sees to it, too: older libraries lack the option
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_USERAGENT, "brisk/" BRISK_VERSION);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(request.stall_seconds));
  set(CURLOPT_LOW_SPEED_LIMIT, kLeastSpeed);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_seconds));
  set(CURLOPT_BUFFERSIZE, kBufferBytes);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(error));
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
  if (!proxy.empty()) set(CURLOPT_PROXY, proxy.c_str());
  if (!authorities.empty()) set(CURLOPT_CAINFO, authorities.c_str());

  const CURLcode code = curl_->easy_perform(handle);
  // Its buffer ends with this function.
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  Outcome outcome{{}, std::move(transfer.response), false};
  curl_off_t wait = 0;
  curl_->easy_getinfo(handle, CURLINFO_RETRY_AFTER, &wait);
  if (outcome.response.headers.contains("retry-after")) outcome.response.retry_after_s = wait;
  if (code == CURLE_OK) return outcome;
  if (!transfer.callback_status.ok()) {
    outcome.status = transfer.callback_status;
  } else if (code == CURLE_ABORTED_BY_CALLBACK) {
    outcome.status = cancelled();
  } else if (transfer.too_much && outcome.response.status >= 300) {
    // The status says enough.
  } else {
    const std::string got = error[0] != '\0' ? error : curl_->easy_strerror(code);
    outcome.status = environment_error({origin_of(url), "an answer", got, hint_for(code)});
    outcome.again = may_help_again(code);
  }
  return outcome;
}

Status with_retries(const RetryRule& rule, const std::function<Try()>& attempt) {
  using Clock = std::chrono::steady_clock;
  const auto stopped = [&rule] { return rule.stopped && rule.stopped(); };
  for (int failures = 0, all = 1;; ++all) {
    const Try done = attempt();
    if (done.status.ok() || !done.again) return done.status;
    failures = done.progressed ? 1 : failures + 1;
    if (failures >= rule.tries || all >= rule.all_tries || done.retry_after_s > kLongestWait_s)
      return done.status;
    auto pause = std::chrono::milliseconds(rule.pause_ms << std::min(failures - 1, 5));
    if (done.retry_after_s >= 0) pause = std::chrono::seconds(done.retry_after_s);
    for (const auto end = Clock::now() + pause; Clock::now() < end && !stopped();) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (stopped()) return cancelled();
  }
}

}  // namespace brisk::hub
