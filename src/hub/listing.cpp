// The hub's answers: files, commit, and refusals.
#include "hub/listing.hpp"

#include <algorithm>
#include <set>

#include "base/json.hpp"
#include "hub/hash.hpp"

namespace brisk::hub {
namespace {

constexpr uint64_t kMostReplyBytes = 8U << 20;
constexpr uint64_t kMostFileBytes = 1ULL << 44;  // so that no sum over a listing wraps
constexpr size_t kMostNames = 8;
constexpr int kApiTries = 3;

const Json* member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const Json& object, const char* key) {
  const Json* value = member(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

Result<uint64_t> size_of(const Json& object, const std::string& where) {
  const Json* value = member(object, "size");
  if (value != nullptr && value->is_number_unsigned() && value->get<uint64_t>() <= kMostFileBytes) {
    return value->get<uint64_t>();
  }
  return bad_input({where, "the size of a file", value == nullptr ? "none" : to_json_text(*value), ""});
}

Result<RemoteFile> parse_file(const Json& entry, const std::string& where) {
  RemoteFile file;
  file.name = text_of(entry, "rfilename");
  if (const std::string fault = fault_of_file_name(file.name); !fault.empty()) {
    return bad_input({where, "names that stay in their folder", "'" + file.name + "', " + fault,
                      "not using this repository"});
  }
  const std::string place = where + ", file " + file.name;
  const Json* large = member(entry, "lfs");
  const bool is_large = large != nullptr && large->is_object();
  BRISK_ASSIGN(file.size, size_of(is_large ? *large : entry, place));
  file.hash = is_large ? text_of(*large, "sha256") : text_of(entry, "blobId");
  if (!is_hash(file.hash)) {
    return bad_input({place, "its hash", file.hash.empty() ? "none" : "'" + file.hash + "'",
                      "an HF_ENDPOINT that answers as huggingface.co does"});
  }
  return file;
}

/// GETs a JSON text of the API.
Result<std::string> fetch_json(Client& client, const Settings& settings, const RepoName& name,
                               const std::string& path, const std::function<bool()>& stopped) {
  std::string text;
  const auto sink = [&](const Response&, std::span<const std::byte> piece) -> Status {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    if (text.size() <= kMostReplyBytes) return {};
    return bad_input(
        {settings.endpoint, "an answer of at most 8 MiB", "a longer one", "another HF_ENDPOINT"});
  };
  const Request request{.url = settings.endpoint + path,
                        .token = settings.token,
                        .stall_seconds = settings.stall_seconds,
                        .stopped = stopped};
  const auto attempt = [&]() -> Try {
    text.clear();
    const Outcome outcome = client.get(request, sink);
    if (!outcome.status.ok()) return {outcome.status, outcome.again};
    if (outcome.response.status < 300) return {};
    return {refused(settings, name, "", outcome.response), is_passing(outcome.response.status),
            outcome.response.retry_after_s};
  };
  BRISK_TRY(with_retries({.tries = kApiTries, .pause_ms = settings.pause_ms, .stopped = stopped}, attempt));
  return text;
}

/// The branches and tags of a repository, for a message; empty when they cannot be had.
std::vector<std::string> fetch_revisions(Client& client, const Settings& settings, const RepoName& name,
                                         const std::function<bool()>& stopped) {
  std::vector<std::string> revisions;
  const auto text = fetch_json(client, settings, name, "/api/models/" + name.repo + "/refs", stopped);
  if (!text.ok()) return revisions;
  const auto refs = parse_json(*text, settings.endpoint);
  if (!refs.ok()) return revisions;
  for (const char* kind : {"branches", "tags"}) {
    const Json* list = member(*refs, kind);
    if (list == nullptr || !list->is_array()) continue;
    for (const Json& entry : *list) revisions.push_back(text_of(entry, "name"));
  }
  return revisions;
}

std::string page_of(const Settings& settings, const RepoName& name) {
  return settings.endpoint + "/" + name.repo;
}

/// How alike two names are: pairs of neighbouring letters that both have.
size_t likeness(std::string_view a, std::string_view b) {
  const auto pairs = [](std::string_view text) {
    std::set<std::string> out;
    const std::string small = lower_case(text);
    for (size_t i = 0; i + 1 < small.size(); ++i) out.insert(small.substr(i, 2));
    return out;
  };
  const std::set<std::string> of_b = pairs(b);
  return static_cast<size_t>(
      std::ranges::count_if(pairs(a), [&](const auto& pair) { return of_b.contains(pair); }));
}

}  // namespace

bool is_passing(int64_t status) { return status == 408 || status == 429 || status >= 500; }

std::string near_names(std::string_view word, std::vector<std::string> known) {
  std::ranges::stable_sort(known, std::ranges::greater(),
                           [&](const auto& name) { return likeness(word, name); });
  std::string out;
  for (size_t i = 0; i < std::min(known.size(), kMostNames); ++i) out += (i == 0 ? "" : ", ") + known[i];
  if (known.size() > kMostNames) out += " and " + std::to_string(known.size() - kMostNames) + " more";
  return out;
}

Status refused(const Settings& settings, const RepoName& name, const std::string& what,
               const Response& response) {
  const std::string where = what.empty() ? name.text() : name.text() + ", " + what;
  const std::string code = response.first_header("x-error-code");
  const std::string status = "status " + std::to_string(response.status);
  const std::string page = page_of(settings, name);
  const std::string token =
      settings.token.empty() ? "setting HF_TOKEN" : "another HF_TOKEN (the one given was sent)";
  if (code == "GatedRepo" || response.status == 403) {
    return environment_error({where, "leave to read it", "a gated repository (" + status + ")",
                              "asking for access on " + page + ", then " + token});
  }
  if (response.status == 401) {
    return environment_error({where, "a repository that may be read",
                              "no such repository, or a private one (" + status + ")",
                              "checking the name, or " + token});
  }
  if (response.status == 404) {
    if (code == "RevisionNotFound") {
      return environment_error({where, "a revision of the repository", "no '" + name.revision + "'",
                                "the branches and tags on " + page});
    }
    if (code == "EntryNotFound" || !what.empty()) {
      return environment_error({where, "a file of the repository", "no such file", "the files on " + page});
    }
    return environment_error({where, "a repository", "none of that name", "checking it on " + page});
  }
  if (response.status == 429) {
    const bool known = response.retry_after_s > 0;
    return environment_error(
        {where, "an answer", "too many requests (" + status + ")",
         known ? "again in " + std::to_string(response.retry_after_s) + " s" : "again later"});
  }
  return environment_error({where, "an answer", status, "again later, or another HF_ENDPOINT"});
}

Result<Listing> parse_listing(std::string_view json, const std::string& where) {
  BRISK_ASSIGN(const Json reply, parse_json(json, where, {.depth = 32, .bytes = kMostReplyBytes}));
  Listing listing;
  listing.commit = text_of(reply, "sha");
  if (!is_commit(listing.commit)) {
    return bad_input({where, "the commit in 'sha'", "'" + listing.commit + "'", "another HF_ENDPOINT"});
  }
  const Json* files = member(reply, "siblings");
  if (files == nullptr || !files->is_array()) {
    return bad_input({where, "a list of files in 'siblings'", "none", "another HF_ENDPOINT"});
  }
  for (const Json& entry : *files) {
    BRISK_ASSIGN(RemoteFile file, parse_file(entry, where));
    listing.files.push_back(std::move(file));
  }
  std::ranges::sort(listing.files, {}, &RemoteFile::name);
  const auto twice = std::ranges::adjacent_find(listing.files, {}, &RemoteFile::name);
  if (twice != listing.files.end()) {
    return bad_input({where, "each file once", "'" + twice->name + "' twice", "another HF_ENDPOINT"});
  }
  return listing;
}

Result<Listing> fetch_listing(Client& client, const Settings& settings, const RepoName& name,
                              const std::function<bool()>& stopped) {
  std::string revision = escape_path(name.revision);
  for (size_t at = revision.find('/'); at != revision.npos; at = revision.find('/', at)) {
    revision.replace(at, 1, "%2F");
  }
  const std::string path = "/api/models/" + name.repo + "/revision/" + revision + "?blobs=true";
  const Result<std::string> text = fetch_json(client, settings, name, path, stopped);
  if (text.ok()) return parse_listing(*text, origin_of(settings.endpoint) + ", " + name.repo);
  ErrorParts parts = text.status().parts();
  if (parts.expected == "a revision of the repository") {
    const std::string near = near_names(name.revision, fetch_revisions(client, settings, name, stopped));
    if (!near.empty()) parts.hint = near;
    return Status(text.status().code(), parts);
  }
  return text.status();
}

}  // namespace brisk::hub
