// Reading of Ollama's manifests.
#include "hub/ollama.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/paths.hpp"
#include "hub/hash.hpp"

namespace brisk::hub {
namespace {

constexpr uint64_t kMostManifestBytes = 1U << 20;
constexpr std::string_view kModelType = "application/vnd.ollama.image.model";
constexpr std::string_view kDigestPrefix = "sha256:";
constexpr int kManifestDepth = 5;  // HOST may hold a path of its own

std::string text_of(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// "ollama:NAME:TAG" of a manifest's path; empty when it lies too high.
std::string name_of(std::string path) {
  const size_t tag = path.rfind('/');
  if (tag == path.npos || path.find('/') == tag) return {};
  path[tag] = ':';
  constexpr std::string_view kHost = "registry.ollama.ai/";
  constexpr std::string_view kNamespace = "library/";
  if (path.starts_with(kHost)) {
    path.erase(0, kHost.size());
    if (path.starts_with(kNamespace)) path.erase(0, kNamespace.size());
  }
  return std::string(kOllamaPrefix) + path;
}

Result<StoredModel> read_model(const std::string& folder, const std::string& name,
                               const FoundFile& manifest) {
  BRISK_ASSIGN(const std::string text, read_file(folder + "/manifests/" + manifest.name, kMostManifestBytes));
  BRISK_ASSIGN(const std::string layer, model_layer(text, name));
  const std::string path = folder + "/blobs/" + layer;
  struct stat status;
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return environment_error({name, "the file " + path, "no such file", "'ollama pull'"});
  }
  if (!leads_beneath(path, folder)) {
    return bad_input({name, "a file below " + folder, "a link that leads out of it", "'ollama pull'"});
  }
  return StoredModel{Store::kOllama, name, path, static_cast<uint64_t>(status.st_size), manifest.modified};
}

}  // namespace

std::vector<std::string> ollama_folders() {
  std::vector<std::string> places, folders;
  if (const char* own = std::getenv("OLLAMA_MODELS"); own != nullptr && own[0] != '\0') {
    places.push_back(expand_home(own));
  }
  if (const Result<std::string> home = home_folder(); home.ok()) places.push_back(*home + "/.ollama/models");
  places.insert(places.end(), {"/usr/share/ollama/.ollama/models", "/var/lib/ollama/models"});
  for (const std::string& place : places) {
    std::error_code error;
    const bool there = std::filesystem::is_directory(place + "/manifests", error);
    if (there && std::ranges::find(folders, place) == folders.end()) folders.push_back(place);
  }
  return folders;
}

std::string with_tag(const std::string& name) {
  return name.find(':', kOllamaPrefix.size()) == name.npos ? name + ":latest" : name;
}

Result<std::string> model_layer(std::string_view manifest, const std::string& where) {
  BRISK_ASSIGN(const Json json, parse_json(manifest, where, {.depth = 16, .bytes = kMostManifestBytes}));
  const auto layers = json.is_object() ? json.find("layers") : json.end();
  if (layers == json.end() || !layers->is_array()) return bad_input({where, "a list 'layers'", "none", ""});
  std::optional<std::string> digest;
  for (const Json& layer : *layers) {
    if (text_of(layer, "mediaType") != kModelType) continue;
    if (digest) return bad_input({where, "one layer that is a model", "several", ""});
    digest = text_of(layer, "digest");
  }
  if (!digest) return bad_input({where, "a layer that is a model", "none", ""});
  const std::string_view hash =
      std::string_view(*digest).substr(std::min(digest->size(), kDigestPrefix.size()));
  constexpr size_t kSha256Digits = 64;
  if (digest->starts_with(kDigestPrefix) && hash.size() == kSha256Digits && is_hash(hash)) {
    return "sha256-" + std::string(hash);
  }
  return bad_input({where, "a digest of SHA-256", "'" + *digest + "'", ""});
}

std::vector<StoredModel> list_ollama(const std::string& folder, Warnings& warnings) {
  std::vector<StoredModel> models;
  for (const FoundFile& manifest : walk(folder + "/manifests", kManifestDepth, folder, warnings)) {
    const std::string name = name_of(manifest.name);
    // Files of the system's own (.DS_Store) are no manifests.
    if (name.empty() || manifest.name.substr(manifest.name.rfind('/') + 1).starts_with('.')) continue;
    Result<StoredModel> model = read_model(folder, name, manifest);
    if (model.ok()) {
      models.push_back(*std::move(model));
    } else {
      const ErrorParts& parts = model.status().parts();
      warnings.push_back(name + ": expected " + parts.expected + ", got " + parts.got);
    }
  }
  return models;
}

}  // namespace brisk::hub
