// From what the user typed to the file of a model: a path, the name of a model in the cache folder, or
// nothing at all for the built-in model. Also the one way in which verbs open models and files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "base/thread_pool.hpp"
#include "cli/options.hpp"
#include "formats/gguf/gguf.hpp"
#include "runtime/model.hpp"

namespace brisk::cli {

/// The file name of the model that scripts/fetch_model.sh puts into the cache folder.
inline constexpr const char* kBuiltInModel = "SmolLM2-135M-Instruct.Q4_1.gguf";

struct CachedModel {
  std::string name;  ///< as the user may type it: the file's name without .gguf
  std::string path;
  uint64_t bytes;
  int64_t modified;  ///< seconds since 1970
};
/// The models of the cache folder, by name; none when there is no such folder.
Result<std::vector<CachedModel>> cached_models();

/// The path of `model` (empty or "built-in": the built-in model). That the path leads to a readable regular
/// file is checked when it is opened.
Result<std::string> find_model(const std::string& model);

/// find_model, then the opened and checked header.
Result<std::shared_ptr<formats::GgufFile>> open_model(const std::string& model);

/// The model of a verb that takes it by --model or as the word at `place`; giving both is a usage error.
Result<std::string> model_argument(const Arguments& arguments, size_t place = 0);

}  // namespace brisk::cli
