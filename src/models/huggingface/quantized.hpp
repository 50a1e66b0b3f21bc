// How a Hugging Face folder stores quantised matrices, as its config.json says under quantization_config (or
// compression_config): GPTQ, AWQ, FP8 by blocks, channels or tensors, compressed-tensors int8 and int4. Each
// becomes a Weight whose form (quant/*.hpp) reads the file's bytes where they lie.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"
#include "formats/safetensors/shards.hpp"
#include "tensor/weight.hpp"

namespace brisk::models {

/// One way of storing; made once per folder.
class QuantizedLayers {
 public:
  virtual ~QuantizedLayers() = default;

  /// From the whole config.json; null when the folder is not quantised. A method or a setting that is not
  /// known is a bad-input error that names it, what is known of it, and the methods that work.
  static Result<std::unique_ptr<QuantizedLayers>> from_config(const Json& config, const std::string& where);

  /// The matrix [outputs, inputs] of the module ("model.layers.0.self_attn.q_proj") from its tensors
  /// (qweight, scales, ...; weight, weight_scale, ...), or null when the module is stored plainly
  /// ("modules_to_not_convert", "ignore"): then the caller reads MODULE.weight itself. Contradictions between
  /// tensors and settings are bad-input errors naming the tensor. The result's name is the module's.
  virtual Result<std::unique_ptr<Weight>> read(const formats::SafetensorsShards& shards,
                                               const std::string& module) const = 0;
  /// The ends of the names of tensors that read() takes for one module: ".qweight", ".scales", ...
  virtual std::vector<std::string_view> tensor_suffixes() const = 0;
};

}  // namespace brisk::models
