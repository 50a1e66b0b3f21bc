// Opens a Hugging Face model folder: config.json, the weights (plain or quantised), and what their
// architecture calls them in GGUF. The tokenizer and the chat template are read by the runtime
// (runtime/text_parts.hpp).
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "models/huggingface/config.hpp"
#include "models/huggingface/mapping.hpp"
#include "models/huggingface/quantized.hpp"
#include "models/source.hpp"

namespace brisk::models {

class HuggingFaceReader {
 public:
  /// Errors: no config.json, an unknown architecture or quantisation (listing the known ones), weights that
  /// are missing, broken or of types that hold none, tensors outside the folder.
  static Result<std::shared_ptr<const ModelSource>> open(const std::string& path);

 private:
  explicit HuggingFaceReader(ModelSource& source) : source_(&source) {}

  static constexpr std::string_view kHead = "output";  // GGUF's name of the module that a model may tie

  Status run(const std::string& path);
  Status read_tensors(const HuggingFaceMapping& mapping, const QuantizedLayers* quantized);
  /// One tensor of a module that the architecture knows; of a quantised module all its tensors at once.
  Status read_tensor(const formats::SafetensorsTensor& tensor, const std::string& module,
                     const std::string& gguf, const QuantizedLayers* quantized);
  /// A tensor as it is stored; vectors are decoded to f32, as GGUF stores them.
  Result<Weight> plain(const formats::SafetensorsTensor& tensor, std::string name);
  /// A vector that the source keeps.
  Weight kept(std::string name, std::vector<float> values);

  ModelSource* source_;
  std::vector<Weight> weights_;
  std::set<std::string> modules_read_;
  bool tied_ = false;
};

}  // namespace brisk::models
