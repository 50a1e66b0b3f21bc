// FP8 folders: transformers' fine-grained FP8 (DeepSeek's), MXFP8, FBGEMM's, and vLLM's "fp8".
//
//     MODULE.weight            F8_E4M3 [n, k]; another type: the module is stored plainly
//     MODULE.weight_scale_inv  what the values are multiplied by (in spite of its name): one number, one per
//       or .weight_scale       output, or one per block of weight_block_size = [rows, columns]
//     MODULE.input_scale, .activation_scale   for activations in FP8; ours stay floats, so they are not read
//
// Settings: weight_block_size; scale_fmt "ue8m0" (scales are powers of two, stored as bytes). Not read:
// activation_scheme, ignored_layers, modules_to_not_convert (the tensors' types say it).
#include <algorithm>
#include <optional>

#include "models/huggingface/quantized_methods.hpp"

namespace brisk::models {

namespace {

class Fp8 final : public QuantizedLayers {
 public:
  Fp8(std::optional<ScaleBlocks> blocks, bool e8m0) : blocks_(blocks), e8m0_(e8m0) {}

  Result<std::unique_ptr<Weight>> read(const formats::SafetensorsShards& shards,
                                       const std::string& module) const override {
    ModuleTensors tensors(shards, module);
    if (tensors.find(".weight") == nullptr) {
      return tensors.plain(".weight", {".weight_scale_inv", ".weight_scale"});
    }
    const formats::SafetensorsTensor* codes = tensors.find(".weight");
    if (codes->type->dtype != DType::kF8E4M3) return read_plain(tensors, *codes);
    BRISK_ASSIGN(codes, tensors.matrix(".weight", "a quantised module"));
    const bool plain_name = tensors.find(".weight_scale_inv") == nullptr;
    const std::string_view suffix = plain_name ? ".weight_scale" : ".weight_scale_inv";
    if (!plain_name && tensors.find(".weight_scale") != nullptr) {
      return tensors.wrong(".weight_scale", "no second scale beside weight_scale_inv", "a tensor");
    }
    BRISK_ASSIGN(const formats::SafetensorsTensor* scales, tensors.need(suffix, "an F8_E4M3 weight"));
    const ScaleBlocks blocks = blocks_of(codes->shape, *scales);
    BRISK_TRY(tensors.add("codes", ".weight"));
    BRISK_TRY(tensors.add_scales("scales", suffix, codes->shape, blocks));
    if (e8m0_) tensors.bytes_are_e8m0("scales");
    return tensors.weight("fp8", codes->shape,
                          {{"block_rows", blocks.rows}, {"block_columns", blocks.columns}});
  }

  std::vector<std::string_view> tensor_suffixes() const override {
    return {".weight", ".weight_scale_inv", ".weight_scale", ".input_scale", ".activation_scale"};
  }

 private:
  static Result<std::unique_ptr<Weight>> read_plain(const ModuleTensors& tensors,
                                                    const formats::SafetensorsTensor& weight) {
    for (const std::string_view scale : {".weight_scale_inv", ".weight_scale"}) {
      if (tensors.find(scale) == nullptr) continue;
      return tensors.wrong(".weight", "F8_E4M3, since it has a scale", std::string(weight.type->name));
    }
    return std::unique_ptr<Weight>();
  }

  /// One scale may stand for the whole matrix or for each output even where blocks are set.
  ScaleBlocks blocks_of(const Shape& matrix, const formats::SafetensorsTensor& scales) const {
    if (std::ranges::all_of(scales.shape, [](int64_t side) { return side == 1; })) {
      return {matrix[0], matrix[1]};
    }
    return blocks_.value_or(ScaleBlocks{1, matrix[1]});
  }

  std::optional<ScaleBlocks> blocks_;
  bool e8m0_;
};

}  // namespace

Result<QuantizedReader> read_fp8(const ConfigReader& settings) {
  std::optional<ScaleBlocks> blocks;
  if (settings.find("weight_block_size") != nullptr) {
    BRISK_ASSIGN(blocks, read_block_sizes(settings, "weight_block_size"));
  }
  BRISK_ASSIGN(const std::string numbers, settings.text_or("fmt", "e4m3"));
  if (std::string_view(numbers) != "e4m3")
    return settings.wrong("fmt", "e4m3", "'" + numbers.substr(0, 80) + "'");
  BRISK_ASSIGN(const std::string scales, settings.text_or("scale_fmt", "float"));
  return QuantizedReader(std::make_unique<Fp8>(blocks, std::string_view(scales) == "ue8m0"));
}

}  // namespace brisk::models
