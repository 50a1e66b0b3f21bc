// Ollama's store, read in place:
//
//   manifests/HOST/NAMESPACE/NAME/TAG   JSON: {"layers": [{"mediaType", "digest": "sha256:HEX", "size"}]}
//   blobs/sha256-HEX                    the layers; that of type application/vnd.ollama.image.model is a GGUF
//
// HOST and NAMESPACE are left out of a name when they are registry.ollama.ai and library, as Ollama does it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "hub/stores.hpp"

namespace brisk::hub {

inline constexpr std::string_view kOllamaPrefix = "ollama:";

/// The folders of its models that exist: $OLLAMA_MODELS, those of the user and of the service.
std::vector<std::string> ollama_folders();
/// The models of one such folder; manifests that are wrong are left out with a warning.
std::vector<StoredModel> list_ollama(const std::string& folder, Warnings& warnings);
/// The name of the layer that is the GGUF ("sha256-HEX"), of a manifest's text.
Result<std::string> model_layer(std::string_view manifest, const std::string& where);
/// "ollama:NAME:latest" of "ollama:NAME".
std::string with_tag(const std::string& name);

}  // namespace brisk::hub
