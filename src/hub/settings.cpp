// Reading of the environment.
#include "hub/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/file.hpp"
#include "base/paths.hpp"
#include "hub/names.hpp"

namespace brisk::hub {
namespace {

constexpr uint64_t kLongestToken = 4096;
constexpr int64_t kLongestStall = 3600;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_true(const std::string& value) {
  const std::string word = lower_case(value);
  return word == "1" || word == "on" || word == "yes" || word == "true";
}

Result<std::string> hub_home() {
  if (const std::string home = variable("HF_HOME"); !home.empty()) return expand_home(home);
  if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty()) {
    return expand_home(cache) + "/huggingface";
  }
  BRISK_ASSIGN(const std::string home, home_folder());
  return home + "/.cache/huggingface";
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

/// Anything else could end the header that carries it.
Result<std::string> checked_token(const std::string& text, const std::string& where) {
  const std::string token = trimmed(text);
  const auto is_visible = [](char c) { return c > ' ' && c < 0x7F; };
  if (std::ranges::all_of(token, is_visible)) return token;
  return environment_error({where, "a token of letters, digits and signs", "other characters in it",
                            "copying it again from the page of your tokens"});
}

Result<std::string> read_token() {
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    if (const std::string token = variable(name); !trimmed(token).empty()) return checked_token(token, name);
  }
  std::string path = expand_home(variable("HF_TOKEN_PATH"));
  if (path.empty()) {
    BRISK_ASSIGN(path, hub_home());
    path += "/token";
  }
  const Result<std::string> text = read_file(path, kLongestToken);
  return text.ok() ? checked_token(*text, path) : std::string();
}

Result<std::string> read_endpoint() {
  std::string endpoint = variable("HF_ENDPOINT");
  if (endpoint.empty()) return std::string("https://huggingface.co");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const size_t host = endpoint.starts_with("https://")  ? 8
                      : endpoint.starts_with("http://") ? 7
                                                        : endpoint.size();
  const auto is_visible = [](char c) { return c > ' ' && c < 0x7F && c != '@' && c != '?' && c != '#'; };
  if (host < endpoint.size() && std::ranges::all_of(endpoint, is_visible)) return endpoint;
  return environment_error(
      {"HF_ENDPOINT", "an address as https://huggingface.co", "'" + endpoint + "'", "unsetting it"});
}

int64_t read_stall(int64_t fallback) {
  const std::string text = variable("HF_HUB_DOWNLOAD_TIMEOUT");
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && seconds > 0 ? std::min(seconds, kLongestStall) : fallback;
}

}  // namespace

Result<std::string> cache_of_hub() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    if (const std::string cache = variable(name); !cache.empty()) return expand_home(cache);
  }
  BRISK_ASSIGN(const std::string home, hub_home());
  return home + "/hub";
}

bool offline_of_hub() {
  return is_true(variable("HF_HUB_OFFLINE")) || is_true(variable("TRANSFORMERS_OFFLINE"));
}

Result<Settings> read_settings() {
  Settings settings;
  BRISK_ASSIGN(settings.endpoint, read_endpoint());
  BRISK_ASSIGN(settings.cache, cache_of_hub());
  BRISK_ASSIGN(settings.token, read_token());
  settings.offline = offline_of_hub();
  settings.stall_seconds = read_stall(settings.stall_seconds);
  return settings;
}

}  // namespace brisk::hub
