// Parsing of names.
#include "hub/names.hpp"

#include <algorithm>
#include <array>

#include "base/utf8.hpp"

namespace brisk::hub {
namespace {

constexpr size_t kLongestWord = 96;
constexpr size_t kLongestName = 1024;
constexpr size_t kLongestPart = 255;
constexpr std::array<std::string_view, 7> kPrefixes = {
    "hf://",           "hf:",   "https://huggingface.co/", "https://www.huggingface.co/", "https://hf.co/",
    "huggingface.co/", "hf.co/"};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Takes the text up to the first of `ends` off the front of `rest`.
std::string take_until(std::string_view& rest, std::string_view ends) {
  const size_t length = std::min(rest.find_first_of(ends), rest.size());
  const std::string taken(rest.substr(0, length));
  rest.remove_prefix(length);
  return taken;
}

bool is_revision(std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || std::string_view("._-/+").find(c) != std::string_view::npos;
  });
  return plain && text.size() <= kLongestPart && fault_of_file_name(text).empty();
}

/// The rest of a web address behind OWNER/REPO: "/tree/REVISION", "/blob/REVISION/PATH" or the like.
void read_web_path(std::string_view rest, RepoName& name) {
  rest = rest.substr(0, rest.find_first_of("?#"));
  while (rest.ends_with('/')) rest.remove_suffix(1);
  for (const std::string_view page : {"/tree/", "/blob/", "/resolve/"}) {
    if (!rest.starts_with(page)) continue;
    rest.remove_prefix(page.size());
    name.revision = take_until(rest, "/");
    break;
  }
  if (rest.starts_with('/')) name.file = rest.substr(1);
}

/// The rest behind OWNER/REPO of a typed name: "/PATH", ":QUANT", "@REVISION".
bool read_typed_rest(std::string_view rest, RepoName& name) {
  if (rest.starts_with('/')) {
    rest.remove_prefix(1);
    name.file = take_until(rest, "@");
    if (name.file.empty()) return false;
  }
  while (!rest.empty()) {
    const char kind = rest.front();
    rest.remove_prefix(1);
    std::string& part = kind == ':' ? name.quant : name.revision;
    part = take_until(rest, kind == ':' ? "@" : ":");
    if (part.empty() || (kind == ':' && !name.file.empty())) return false;
  }
  return true;
}

bool is_repo(std::string_view repo) {
  const size_t slash = repo.find('/');
  if (repo.find("--") != repo.npos || repo.find("..") != repo.npos) return false;
  const auto is_name = [](std::string_view word) {
    return is_plain_word(word) && is_letter_or_digit(word.back());
  };
  if (slash == repo.npos) return is_name(repo);
  // Some owners' names begin or end with a dash or an underscore.
  return is_plain_word(repo.substr(0, slash)) && is_plain_word(repo.substr(slash + 1));
}

Status not_a_repo(std::string_view name, std::string got) {
  return usage_error({name.empty() ? "the name of a model" : std::string(name),
                      "OWNER/REPO, OWNER/REPO:QUANT or OWNER/REPO/FILE.gguf", std::move(got),
                      "the name on the model's page, as in hf:OWNER/REPO:Q4_K_M"});
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return out;
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return out;
}

std::string RepoName::text() const {
  std::string out = "hf:" + repo;
  if (!file.empty()) out += "/" + file;
  if (!quant.empty()) out += ":" + quant;
  if (revision != "main") out += "@" + revision;
  return out;
}

bool is_commit(std::string_view revision) {
  return revision.size() == 40 && std::ranges::all_of(revision, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_plain_word(std::string_view word) {
  return !word.empty() && word.size() <= kLongestWord && word.front() != '.' && word.front() != '-' &&
         std::ranges::all_of(
             word, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

std::string fault_of_file_name(std::string_view name) {
  if (name.empty()) return "an empty name";
  if (name.size() > kLongestName) return "a name of " + std::to_string(name.size()) + " bytes";
  if (!utf8_valid(name)) return "a name that is not UTF-8";
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::ranges::any_of(name, is_control)) return "a control character in it";
  if (name.find('\\') != name.npos) return "a backslash in it";
  const size_t slash = name.rfind('/');
  if (slash != name.npos && name.find(':') < slash) return "a colon before a slash";
  for (size_t at = 0; at <= name.size();) {
    const std::string_view part = name.substr(at, std::min(name.find('/', at), name.size()) - at);
    if (part.empty() || part == "." || part == "..") return "a part '" + std::string(part) + "'";
    if (part.size() > kLongestPart) return "a part of " + std::to_string(part.size()) + " bytes";
    at += part.size() + 1;
  }
  return {};
}

bool has_hub_prefix(std::string_view name) {
  return std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

Result<RepoName> parse_repo(std::string_view text, std::string_view endpoint) {
  std::string_view rest = text;
  bool web = false;
  bool prefixed = false;
  if (!endpoint.empty() && rest.starts_with(endpoint) && rest.substr(endpoint.size()).starts_with('/')) {
    rest.remove_prefix(endpoint.size() + 1);
    web = prefixed = true;
  } else if (const auto* prefix =
                 std::ranges::find_if(kPrefixes, [&](auto p) { return rest.starts_with(p); });
             prefix != kPrefixes.end()) {
    rest.remove_prefix(prefix->size());
    prefixed = true;
    web = prefix->starts_with("https:");
  }
  RepoName name;
  name.repo = take_until(rest, "/:@?#");
  const std::string_view behind_owner = rest;
  if (rest.starts_with('/')) {
    rest.remove_prefix(1);
    name.repo += "/" + take_until(rest, "/:@?#");
  } else if (!prefixed) {
    return not_a_repo(text, "no '/'");
  }
  const bool on_page =
      rest.starts_with("/tree/") || rest.starts_with("/blob/") || rest.starts_with("/resolve/");
  if (web || on_page) {
    read_web_path(rest, name);
  } else if (!read_typed_rest(rest, name)) {
    return not_a_repo(text, "'" + std::string(behind_owner) + "'");
  }
  if (!is_repo(name.repo)) return not_a_repo(text, "the repository '" + name.repo + "'");
  if (!name.quant.empty() && !is_plain_word(name.quant))
    return not_a_repo(text, "the quant '" + name.quant + "'");
  if (!name.file.empty()) {
    if (const std::string fault = fault_of_file_name(name.file); !fault.empty())
      return not_a_repo(text, fault);
  }
  if (!is_revision(name.revision)) return not_a_repo(text, "the revision '" + name.revision + "'");
  return name;
}

}  // namespace brisk::hub
