// GPTQ folders (AutoGPTQ, GPTQModel, optimum) and AutoRound's, which pack as GPTQ or as AWQ.
//
//     MODULE.qweight, .qzeros, .scales, maybe .g_idx    quant/gptq.cpp says how they lie
//
// Settings: bits, group_size, checkpoint_format ("gptq": zeros stored less one; "gptq_v2": as they are). Not
// read, since the tensors say it: sym, desc_act, dynamic, modules_in_block_to_quantize, lm_head.
#include <algorithm>

#include "models/huggingface/quantized_methods.hpp"

namespace brisk::models {

namespace {

constexpr const char* kBits = "2, 3, 4 or 8";

class Gptq final : public QuantizedLayers {
 public:
  Gptq(int64_t bits, int64_t group, bool zeros_less_one)
      : bits_(bits), group_(group), zeros_less_one_(zeros_less_one) {}

  Result<std::unique_ptr<Weight>> read(const formats::SafetensorsShards& shards,
                                       const std::string& module) const override {
    ModuleTensors tensors(shards, module);
    if (tensors.find(".qweight") == nullptr) {
      return tensors.plain(".qweight", {".qzeros", ".scales", ".g_idx"});
    }
    BRISK_ASSIGN(const formats::SafetensorsTensor* codes, tensors.matrix(".qweight", "a quantised module"));
    const int64_t outputs = codes->shape[1];
    const formats::SafetensorsTensor* indices = tensors.find(".g_idx");
    const bool counted = indices != nullptr && indices->shape.size() == 1 && indices->shape[0] > 0;
    const int64_t inputs = counted ? indices->shape[0] : codes->shape[0] * 32 / bits_;
    const int64_t group = group_ < 0 ? inputs : std::min(group_, inputs);
    BRISK_TRY(tensors.add("qweight", ".qweight"));
    BRISK_TRY(tensors.add("qzeros", ".qzeros"));
    BRISK_TRY(tensors.add("scales", ".scales"));
    BRISK_TRY(tensors.add_group_indices(".g_idx", inputs, group));
    return tensors.weight("gptq", {outputs, inputs},
                          {{"bits", bits_}, {"group", group}, {"zeros_less_one", zeros_less_one_ ? 1 : 0}});
  }

  std::vector<std::string_view> tensor_suffixes() const override {
    return {".qweight", ".qzeros", ".scales", ".g_idx"};
  }

 private:
  int64_t bits_;
  int64_t group_;  // -1: all inputs
  bool zeros_less_one_;
};

Result<QuantizedReader> make_gptq(const ConfigReader& settings, bool zeros_less_one) {
  BRISK_ASSIGN(const int64_t bits, settings.integer("bits"));
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
    return settings.wrong("bits", kBits, std::to_string(bits));
  }
  BRISK_ASSIGN(const int64_t group, read_group_size(settings));
  return QuantizedReader(std::make_unique<Gptq>(bits, group, zeros_less_one));
}

}  // namespace

Result<QuantizedReader> read_gptq(const ConfigReader& settings) {
  const char* key = settings.find("checkpoint_format") != nullptr ? "checkpoint_format" : "format";
  BRISK_ASSIGN(const std::string format, settings.text_or(key, "gptq"));
  BRISK_ASSIGN(const bool marlin, settings.flag_or("is_marlin_format", false));
  if (marlin || (format != "gptq" && format != "gptq_v2")) {
    return settings.wrong(key, "gptq or gptq_v2, the orders that all tools read",
                          marlin ? "marlin, the order of a GPU kernel" : "'" + format.substr(0, 80) + "'");
  }
  return make_gptq(settings, format == "gptq");
}

Result<QuantizedReader> read_auto_round(const ConfigReader& settings) {
  BRISK_ASSIGN(const std::string packing, settings.text_or("packing_format", "auto_round:auto_gptq"));
  if (packing == "auto_round:auto_awq") return read_awq(settings);
  if (packing == "auto_round:auto_gptq") return make_gptq(settings, true);
  // The bare name and GPTQModel's are GPTQ with zeros as they are.
  if (packing == "auto_round" || packing == "auto_round:gptqmodel") return make_gptq(settings, false);
  return settings.wrong("packing_format",
                        "auto_round:auto_gptq, auto_round:gptqmodel, auto_round or auto_round:auto_awq",
                        "'" + packing.substr(0, 80) + "'");
}

}  // namespace brisk::models
