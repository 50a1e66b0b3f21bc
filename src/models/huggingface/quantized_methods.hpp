// What the readers of quantised folders share: one function per method, and the tensors of one module with
// errors that name them. A reader believes the tensors where they speak for themselves (a module without
// quantised tensors is plain, whatever the lists in config.json say) and holds them against the settings.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/huggingface/config.hpp"
#include "models/huggingface/quantized.hpp"

namespace brisk::models {

using QuantizedReader = std::unique_ptr<QuantizedLayers>;

/// `settings` is quantization_config; it need not outlive the call.
Result<QuantizedReader> read_gptq(const ConfigReader& settings);
Result<QuantizedReader> read_awq(const ConfigReader& settings);
/// FP8 as transformers ("fp8", "mxfp8", "fbgemm_fp8") and vLLM ("fp8") write it.
Result<QuantizedReader> read_fp8(const ConfigReader& settings);
Result<QuantizedReader> read_compressed_tensors(const ConfigReader& settings);
/// AutoRound packs as GPTQ or as AWQ.
Result<QuantizedReader> read_auto_round(const ConfigReader& settings);

/// The size of groups of inputs; -1 for one group of all inputs.
Result<int64_t> read_group_size(const ConfigReader& settings);

/// Rows and columns that share a scale.
struct ScaleBlocks {
  int64_t rows;
  int64_t columns;
};
/// A pair of positive integers, such as weight_block_size.
Result<ScaleBlocks> read_block_sizes(const ConfigReader& settings, std::string_view key);

/// The tensors of one module, by the ends of their names (".qweight").
class ModuleTensors {
 public:
  ModuleTensors(const formats::SafetensorsShards& shards, const std::string& module)
      : shards_(&shards), module_(&module) {}

  const formats::SafetensorsTensor* find(std::string_view suffix) const;
  /// As find(), but the tensor must be there: `why` says what asks for it.
  Result<const formats::SafetensorsTensor*> need(std::string_view suffix, std::string_view why) const;
  /// A matrix whose sides are at least 1 and can be computed with.
  Result<const formats::SafetensorsTensor*> matrix(std::string_view suffix, std::string_view why) const;
  /// Null, for a module that is stored plainly: `suffix` is not there, and neither may `others` be.
  Result<std::unique_ptr<Weight>> plain(std::string_view suffix,
                                        std::initializer_list<std::string_view> others) const;

  /// The tensor of this suffix, which is there, as the component `name` of the weight to be.
  Status add(std::string name, std::string_view suffix);
  /// The same for scales, or zeros like them, of a matrix [outputs, inputs]: a shape [ceil(outputs /
  /// blocks.rows), ceil(inputs / blocks.columns)], of which sides of 1 may be left out.
  Status add_scales(std::string name, std::string_view suffix, const Shape& matrix, ScaleBlocks blocks);
  /// The group of each input as the component g_idx, unless it says no more than i / group, or is empty.
  Status add_group_indices(std::string_view suffix, int64_t inputs, int64_t group);
  /// Bytes that hold E8M0 numbers, which safetensors files could not name at first, become such.
  void bytes_are_e8m0(std::string_view name);

  /// The weight of the components, once its form accepts them.
  Result<std::unique_ptr<Weight>> weight(const char* form, Shape shape,
                                         std::vector<std::pair<std::string, int64_t>> settings);

  Status wrong(std::string_view suffix, std::string expected, std::string got) const;

 private:
  std::string name(std::string_view suffix) const { return *module_ + std::string(suffix); }

  const formats::SafetensorsShards* shards_;
  const std::string* module_;
  std::vector<WeightComponent> components_;
  std::vector<std::string_view> suffixes_;  // of the components
};

}  // namespace brisk::models
