// AWQ folders (AutoAWQ, version "gemm").
//
//     MODULE.qweight, .qzeros, .scales    quant/awq.cpp says how they lie
//
// Settings: bits (4), group_size, version. Not read, since the tensors say it: zero_point (AutoAWQ always
// stores zeros), modules_to_not_convert.
#include <algorithm>
#include <cctype>

#include "models/huggingface/quantized_methods.hpp"

namespace brisk::models {

namespace {

class Awq final : public QuantizedLayers {
 public:
  explicit Awq(int64_t group) : group_(group) {}

  Result<std::unique_ptr<Weight>> read(const formats::SafetensorsShards& shards,
                                       const std::string& module) const override {
    ModuleTensors tensors(shards, module);
    if (tensors.find(".qweight") == nullptr) return tensors.plain(".qweight", {".qzeros", ".scales"});
    BRISK_ASSIGN(const formats::SafetensorsTensor* codes, tensors.matrix(".qweight", "a quantised module"));
    const int64_t inputs = codes->shape[0], outputs = codes->shape[1] * 8;
    BRISK_TRY(tensors.add("qweight", ".qweight"));
    BRISK_TRY(tensors.add("qzeros", ".qzeros"));
    BRISK_TRY(tensors.add("scales", ".scales"));
    return tensors.weight("awq", {outputs, inputs}, {{"group", group_ < 0 ? inputs : group_}});
  }

  std::vector<std::string_view> tensor_suffixes() const override {
    return {".qweight", ".qzeros", ".scales"};
  }

 private:
  int64_t group_;  // -1: all inputs
};

}  // namespace

Result<QuantizedReader> read_awq(const ConfigReader& settings) {
  BRISK_ASSIGN(const int64_t bits, settings.integer_or("bits", 4));
  if (bits != 4) return settings.wrong("bits", "4, the only width of AWQ", std::to_string(bits));
  const char* key = settings.find("version") != nullptr ? "version" : "format";
  BRISK_ASSIGN(std::string version, settings.text_or(key, "gemm"));
  std::ranges::transform(version, version.begin(), [](unsigned char c) { return std::tolower(c); });
  // AutoRound writes the order of "gemm" and says nothing of versions.
  if (version != "gemm") {
    return settings.wrong(
        key, "gemm; gemv, gemv_fast and llm-awq store the same codes in the orders of GPU kernels",
        "'" + version.substr(0, 80) + "'");
  }
  BRISK_ASSIGN(const int64_t group, read_group_size(settings));
  return QuantizedReader(std::make_unique<Awq>(group));
}

}  // namespace brisk::models
