// Where models lie on this machine: Brisk's own folder and the stores of other tools, whose files are used in
// place, never copied. Every model has a name that can be typed wherever a model is asked for:
//
//   NAME                       Brisk's own folder: a GGUF without its ".gguf", or a folder with safetensors
//   hf:OWNER/REPO[:QUANT]      the cache of Hugging Face's tools (hub/cache.hpp)
//   ollama:NAME:TAG            Ollama: manifests/HOST/NAMESPACE/NAME/TAG (JSON) names blobs/sha256-HEX
//   lmstudio:OWNER/REPO/FILE   LM Studio: models/OWNER/REPO/FILE.gguf
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "hub/walk.hpp"

namespace brisk::hub {

/// What begins the names of LM Studio's models.
inline constexpr std::string_view kLmStudioPrefix = "lmstudio:";

enum class Store : uint8_t { kBrisk, kHub, kOllama, kLmStudio };
/// "Brisk", "Hugging Face", "Ollama", "LM Studio".
std::string_view store_name(Store store);

struct StoredModel {
  Store store = Store::kBrisk;
  std::string name;      ///< as it may be typed
  std::string path;      ///< a GGUF (the first part) or a folder
  uint64_t bytes = 0;    ///< of all parts
  int64_t modified = 0;  ///< seconds since 1970
};

struct ModelList {
  std::vector<StoredModel> models;  ///< by store, then by name
  Warnings warnings;
};

/// The models of Brisk's own folder.
Result<std::vector<StoredModel>> own_models();
/// The models of all stores that there are.
Result<ModelList> list_models();

/// Whether `name` says by its prefix which store it means.
bool has_store_prefix(std::string_view name);
/// The path of a model named with a store's prefix.
Result<std::string> find_in_store(const std::string& name);

/// The folders of LM Studio's models that exist, and the models of one.
std::vector<std::string> lm_studio_folders();
std::vector<StoredModel> list_lm_studio(const std::string& folder, Warnings& warnings);

/// A model each of the GGUF files (parts as one) below a folder, and the folders with config.json and
/// safetensors; names are the paths in it without ".gguf".
std::vector<StoredModel> models_below(const std::string& folder, int depth, const std::string& root,
                                      Store store, Warnings& warnings);

}  // namespace brisk::hub
