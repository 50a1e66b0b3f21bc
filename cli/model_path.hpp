// From what the user typed to a model on the disk: a path, the name of a model in one of the stores, or
// nothing at all for the built-in model. Also the one way in which verbs open models and files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "base/thread_pool.hpp"
#include "cli/options.hpp"
#include "hub/stores.hpp"
#include "models/source.hpp"
#include "runtime/model.hpp"

namespace brisk::cli {

/// The file name of the model that scripts/fetch_model.sh puts into the cache folder.
inline constexpr const char* kBuiltInModel = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// A model of the cache folder; its name is the file's without .gguf.
using CachedModel = hub::StoredModel;
/// The models of the cache folder, by name; none when there is no such folder.
Result<std::vector<CachedModel>> cached_models();

/// The path of `model`: of a file or a folder of the disk, of a name of 'brisk list' in any store, of
/// OWNER/REPO[:QUANT] in the Hugging Face cache; empty or "built-in" is the built-in model. Nothing is
/// fetched. What lies there is checked when it is opened.
Result<std::string> find_model(const std::string& model);

/// find_model, then the opened and checked headers.
Result<std::shared_ptr<const models::ModelSource>> open_model(const std::string& model);
/// find_model, then its tokenizer and chat template: no weights are opened.
Result<runtime::TextParts> open_text(const std::string& model);

/// -hf --hf-repo.
inline constexpr Option kHubOption = {
    .name = "hf-repo",
    .aliases = "-hf -hfr",
    .kind = Kind::kText,
    .placeholder = "OWNER/REPO[:QUANT]",
    .help = "a model of the Hugging Face hub, pulled when it is not on this machine yet"};
inline constexpr Option kOfflineOption = {
    .name = "offline",
    .help = "make no request: -hf finds only what is on this machine (also HF_HUB_OFFLINE=1)"};

/// The model of a verb that takes it by --model, by -hf (which pulls it when it is missing) or as the word at
/// `place`; giving two of them is a usage error.
Result<std::string> model_argument(const Arguments& arguments, size_t place = 0);

/// -m --model of a verb that has no default model.
inline constexpr Option kRequiredModelOption = {.name = "model",
                                                .aliases = "-m",
                                                .kind = Kind::kFile,
                                                .placeholder = "MODEL",
                                                .help = "the same as the word MODEL"};
/// model_argument() of such a verb: no model at all is a usage error.
Result<std::string> required_model(const Arguments& arguments, const std::string& verb);

}  // namespace brisk::cli
