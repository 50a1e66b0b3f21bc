// Quantised folders that are wrong or not ours: each is refused by a message that names the setting or the
// tensor, with what was expected and what is there; and which modules are read plainly.
#include <gtest/gtest.h>

#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/folder.hpp"
#include "base/json.hpp"
#include "formats/safetensors/writer.hpp"
#include "models/huggingface/quantized.hpp"
#include "quant/weight_form.hpp"

namespace brisk::models {
namespace {

using Layers = std::unique_ptr<QuantizedLayers>;

Result<Layers> from(const std::string& settings) {
  const Json config = parse_json("{\"quantization_config\": " + settings + "}", "test").value();
  return QuantizedLayers::from_config(config, "config.json");
}

// ---- Settings ----

TEST(QuantizedConfig, NoneIsAPlainFolder) {
  for (const char* text : {"{}", "{\"quantization_config\": null}", "{\"compression_config\": null}"}) {
    const auto layers = QuantizedLayers::from_config(parse_json(text, "test").value(), "config.json");
    ASSERT_TRUE(layers.ok()) << layers.status().message();
    EXPECT_EQ(*layers, nullptr);
  }
}

TEST(QuantizedConfig, SettingsThatAreNoObjectAreRefused) {
  for (const char* settings : {"\"gptq\"", "[]", "4", "true"}) {
    const Status status = from(settings).status();
    ASSERT_EQ(status.code(), StatusCode::kBadInput) << settings;
    EXPECT_EQ(status.parts().where, "config.json: quantization_config");
  }
}

struct Refusal {
  std::string settings;
  std::string where;  ///< below "config.json: quantization_config"
  std::string got;    ///< part of it
};

void expect_refusals(const std::vector<Refusal>& refusals) {
  for (const Refusal& each : refusals) {
    const Status status = from(each.settings).status();
    ASSERT_EQ(status.code(), StatusCode::kBadInput) << each.settings;
    EXPECT_EQ(status.parts().where, "config.json: quantization_config: " + each.where) << each.settings;
    EXPECT_NE(status.parts().got.find(each.got), std::string::npos) << status.message();
    EXPECT_FALSE(status.parts().expected.empty() || status.parts().hint.empty()) << status.message();
  }
}

TEST(QuantizedConfig, MethodsThatAreNotReadAreNamedWithWhatTheyAre) {
  expect_refusals({
      {R"({"quant_method": "bitsandbytes", "load_in_4bit": true})", "quant_method", "NF4"},
      {R"({"load_in_4bit": true})", "quant_method", "'bitsandbytes'"},
      {R"({"load_in_8bit": true})", "quant_method", "'bitsandbytes'"},
      {R"({"quant_method": "hqq"})", "quant_method", "half-quadratic"},
      {R"({"quant_method": "eetq"})", "quant_method", "int8"},
      {R"({"quant_method": "quanto"})", "quant_method", "optimum-quanto"},
      {R"({"quant_method": "torchao"})", "quant_method", "pickles"},
      {R"({"quant_method": "aqlm"})", "quant_method", "codebooks"},
      {R"({"quant_method": "vptq"})", "quant_method", "codebooks"},
      {R"({"quant_method": "higgs"})", "quant_method", "Hadamard"},
      {R"({"quant_method": "spqr"})", "quant_method", "outliers"},
      {R"({"quant_method": "bitnet"})", "quant_method", "ternary"},
      {R"({"quant_method": "mxfp4"})", "quant_method", "gpt-oss"},
      {R"({"quant_method": "nvfp4"})", "quant_method", "FP8 scale"},
      {R"({"quant_method": "fp_quant"})", "quant_method", "rotation"},
      {R"({"quant_method": "gguf"})", "quant_method", "GGUF blocks"},
      {R"({"quant_method": "modelopt"})", "quant_method", "NVIDIA"},
      {R"({"quant_method": "quark"})", "quant_method", "AMD"},
      {R"({"quant_method": "of tomorrow"})", "quant_method", "'of tomorrow'"},
      {R"({})", "quant_method", "none"},
      {R"({"quant_method": 4})", "quant_method", "4"},
  });
  const Status status = from(R"({"quant_method": "hqq"})").status();
  EXPECT_EQ(status.parts().expected,
            "one of gptq, awq, auto-round, fp8, mxfp8, fbgemm_fp8, compressed-tensors");
  EXPECT_NE(status.parts().hint.find("GGUF"), std::string::npos);
}

TEST(QuantizedConfig, WrongSettingsOfGptqAwqAndAutoRound) {
  expect_refusals({
      {R"({"quant_method": "gptq", "group_size": 128})", "bits", "none"},
      {R"({"quant_method": "gptq", "bits": 5, "group_size": 128})", "bits", "5"},
      {R"({"quant_method": "gptq", "bits": "4", "group_size": 128})", "bits", "'4'"},
      {R"({"quant_method": "gptq", "bits": 4.0, "group_size": 128})", "bits", "4.0"},
      {R"({"quant_method": "gptq", "bits": 4})", "group_size", "none"},
      {R"({"quant_method": "gptq", "bits": 4, "group_size": 0})", "group_size", "0"},
      {R"({"quant_method": "gptq", "bits": 4, "group_size": -2})", "group_size", "-2"},
      {R"({"quant_method": "gptq", "bits": 4, "group_size": 1e30})", "group_size", "1e+30"},
      {R"({"quant_method": "gptq", "bits": 4, "group_size": 128, "checkpoint_format": "marlin"})",
       "checkpoint_format", "'marlin'"},
      {R"({"quant_method": "gptq", "bits": 4, "group_size": 128, "is_marlin_format": true})", "format",
       "marlin"},
      {R"({"quant_method": "awq", "bits": 8, "group_size": 128})", "bits", "8"},
      {R"({"quant_method": "awq", "bits": 4})", "group_size", "none"},
      {R"({"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemv"})", "version", "'gemv'"},
      {R"({"quant_method": "awq", "bits": 4, "group_size": 128, "version": "LLM-AWQ"})", "version",
       "'llm-awq'"},
      {R"({"quant_method": "auto-round", "bits": 4, "group_size": 128, "packing_format": "mlx"})",
       "packing_format", "'mlx'"},
      {R"({"quant_method": "auto-round", "bits": 6, "group_size": 128})", "bits", "6"},
  });
}

TEST(QuantizedConfig, WrongSettingsOfFp8) {
  expect_refusals({
      {R"({"quant_method": "fp8", "weight_block_size": 128})", "weight_block_size", "128"},
      {R"({"quant_method": "fp8", "weight_block_size": [128]})", "weight_block_size", "[128]"},
      {R"({"quant_method": "fp8", "weight_block_size": [128, 0]})", "weight_block_size", "[128,0]"},
      {R"({"quant_method": "fp8", "weight_block_size": [128, -1]})", "weight_block_size", "-1"},
      {R"({"quant_method": "fp8", "weight_block_size": [128, 4611686018427387904]})", "weight_block_size",
       "4611686018427387904"},
      {R"({"quant_method": "fp8", "weight_block_size": ["a", "b"]})", "weight_block_size", "a"},
      {R"({"quant_method": "fp8", "fmt": "e5m2"})", "fmt", "'e5m2'"},
  });
}

/// compressed-tensors settings with one group of these weights.
std::string compressed(const std::string& weights, const std::string& format = "pack-quantized",
                       const std::string& more = "") {
  return R"({"quant_method": "compressed-tensors", "format": ")" + format +
         R"(", "config_groups": {"group_0": {"targets": ["Linear"], "weights": )" + weights + "}}" + more +
         "}";
}
const std::string kInt4 = R"({"num_bits": 4, "type": "int", "strategy": "group", "group_size": 16})";

TEST(QuantizedConfig, WrongSettingsOfCompressedTensors) {
  const std::string group = "config_groups: group_0: ";
  expect_refusals({
      {compressed(kInt4, "nvfp4-pack-quantized"), group + "format", "FP8 scale"},
      {compressed(kInt4, "mxfp4-pack-quantized"), group + "format", "power of two"},
      {compressed(kInt4, "marlin-24"), group + "format", "2:4"},
      {compressed(kInt4, "sparse-24-bitmask"), group + "format", "bit mask"},
      {compressed(kInt4, "of tomorrow"), group + "format", "'of tomorrow'"},
      {compressed(R"({"num_bits": 5, "group_size": 16})"), group + "weights: num_bits", "5"},
      {compressed(R"({"num_bits": 4, "type": "float"})"), group + "weights: num_bits", "4"},
      {compressed(R"({"num_bits": 8, "type": "float", "symmetric": false})"), group + "weights: num_bits",
       "asymmetric"},
      {compressed(R"({"num_bits": 8, "type": "complex"})"), group + "weights: type", "'complex'"},
      {compressed(R"({"strategy": "token"})"), group + "weights: strategy", "'token'"},
      {compressed(R"({"strategy": "group"})"), group + "weights: group_size", "-1"},
      {compressed(R"({"strategy": "block"})"), group + "weights: block_structure", "none"},
      {compressed(R"({"strategy": "tensor"})"), group + "weights: strategy", "one scale"},
      {compressed(R"({"type": "float", "group_size": 16})"), group + "weights: strategy", "floats"},
      {compressed("[]"), group + "weights", "a list"},
      {compressed(kInt4, "pack-quantized", R"(, "ignore": "lm_head")"), "ignore", "string"},
      {compressed(kInt4, "pack-quantized", R"(, "ignore": [1])"), "ignore", "number"},
      {compressed(kInt4, "pack-quantized", R"x(, "ignore": ["re:(?!x)"])x"), "ignore", "re:(?!x)"},
      {compressed(kInt4, "pack-quantized", R"(, "sparsity_config": {"format": "sparse-24-bitmask"})"),
       "sparsity_config: format", "bit mask"},
      {compressed(kInt4, "pack-quantized", R"(, "transform_config": {"config_groups": {"u": {}}})"),
       "transform_config", "rotations"},
      {R"({"quant_method": "compressed-tensors"})", "config_groups", "none"},
      {R"({"quant_method": "compressed-tensors", "config_groups": {"W4A16": ["Linear"]}})",
       "config_groups: W4A16", "a list"},
  });
  std::string many;
  for (int i = 0; i < 20; ++i) many += (i > 0 ? ", \"re:" : "\"re:") + std::string(1000, 'a') + "\"";
  expect_refusals({{compressed(kInt4, "pack-quantized", ", \"ignore\": [" + many + "]"), "ignore", "170"}});
}

TEST(QuantizedConfig, SpellingsThatAreRead) {
  for (
      const std::string settings : {
          R"({"quant_method": "gptq", "bits": 4, "group_size": -1, "format": "gptq_v2"})",
          R"({"quant_method": "gptq", "bits": 3, "group_size": 64, "desc_act": true, "meta": {}})",
          R"({"quant_method": "awq", "bits": 4, "group_size": 128, "version": "GEMM"})",
          R"({"quant_method": "auto-round", "bits": 2, "group_size": 32, "packing_format": "auto_round:gptqmodel"})",
          R"({"quant_method": "auto-round", "bits": 4, "group_size": 32, "packing_format": "auto_round:auto_awq"})",
          R"({"quant_method": "fp8", "activation_scheme": "static", "ignored_layers": ["lm_head"]})",
          R"({"quant_method": "fbgemm_fp8", "activation_scale_ub": 1200.0})",
          R"({"quant_method": "mxfp8", "weight_block_size": [1, 32], "scale_fmt": "ue8m0"})",
      }) {
    EXPECT_TRUE(from(settings).ok()) << from(settings).status().message();
  }
  const std::string kv = R"(, "kv_cache_scheme": {"num_bits": 8}, "sparsity_config": {"format": "dense"})";
  EXPECT_TRUE(from(compressed(kInt4, "pack-quantized", kv)).ok());
  const Json old = parse_json("{\"compression_config\": " + compressed(kInt4) + "}", "test").value();
  EXPECT_NE(QuantizedLayers::from_config(old, "config.json").value(), nullptr);
}

// ---- Tensors ----

/// The tensors of a folder; data is zero unless given.
class Tensors {
 public:
  struct Tensor {
    std::string type;
    Shape shape;
    std::vector<std::byte> data = {};
  };

  Tensors(std::initializer_list<std::pair<const std::string, Tensor>> list) : tensors_(list) {}
  Tensors(const Tensors& other) : tensors_(other.tensors_) {}
  Tensors& operator=(const Tensors&) = delete;
  ~Tensors() {
    if (!path_.empty()) std::filesystem::remove_all(path_);
  }

  Tensor& operator[](const std::string& name) { return tensors_[name]; }
  void erase(const std::string& name) { tensors_.erase(name); }

  std::shared_ptr<formats::SafetensorsShards> open() {
    path_ = std::filesystem::temp_directory_path() / "brisk_quantized_XXXXXX";
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
    std::vector<std::pair<std::string, Tensor>> sorted(tensors_.begin(), tensors_.end());
    std::ranges::stable_sort(sorted, std::greater{}, [](const auto& each) {
      return formats::find_safetensors_type(each.second.type)->bits;
    });
    std::vector<formats::SafetensorsWriter::Entry> entries;
    for (const auto& [name, tensor] : sorted) {
      entries.push_back({name, formats::find_safetensors_type(tensor.type), tensor.shape});
    }
    auto writer =
        formats::SafetensorsWriter::create(path_ + "/model.safetensors", entries, {}, false).value();
    for (size_t i = 0; i < sorted.size(); ++i) {
      std::vector<std::byte> data = sorted[i].second.data;
      data.resize(formats::safetensors_entry_bytes(entries[i]).value());
      EXPECT_TRUE(writer.write(data).ok());
    }
    EXPECT_TRUE(writer.commit().ok());
    return formats::SafetensorsShards::open(Folder::open(path_).value()).value();
  }

  Result<std::unique_ptr<Weight>> read(const std::string& settings) {
    shards_ = open();
    return from(settings).value()->read(*shards_, "m");
  }

 private:
  std::map<std::string, Tensor> tensors_;
  std::string path_;
  std::shared_ptr<formats::SafetensorsShards> shards_;
};

template <typename T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

const std::string kGptq = R"({"quant_method": "gptq", "bits": 4, "group_size": 16})";
const std::string kAwq = R"({"quant_method": "awq", "bits": 4, "group_size": 16})";
const std::string kFp8 = R"({"quant_method": "fp8", "weight_block_size": [16, 16]})";
const std::string kInt8 = compressed(
    R"({"num_bits": 8, "type": "int", "strategy": "channel", "symmetric": false})", "int-quantized");
const std::string kPacked = compressed(
    R"({"num_bits": 4, "type": "int", "strategy": "group", "group_size": 16, "symmetric": false})");

std::vector<int32_t> order_of(int64_t inputs, int64_t group) {
  std::vector<int32_t> order;
  for (int64_t i = 0; i < inputs; ++i) order.push_back(static_cast<int32_t>(i / group));
  return order;
}

/// A sound module "m" [32, 64] for each of the settings above.
Tensors sound(const std::string& settings) {
  if (settings == kGptq) {
    return {{"m.qweight", {"I32", {8, 32}}},
            {"m.qzeros", {"I32", {4, 4}}},
            {"m.scales", {"F16", {4, 32}}},
            {"m.g_idx", {"I32", {64}, bytes_of(order_of(64, 16))}}};
  }
  if (settings == kAwq) {
    return {{"m.qweight", {"I32", {64, 4}}}, {"m.qzeros", {"I32", {4, 4}}}, {"m.scales", {"F16", {4, 32}}}};
  }
  if (settings == kFp8) {
    return {{"m.weight", {"F8_E4M3", {32, 64}}}, {"m.weight_scale_inv", {"F32", {2, 4}}}};
  }
  if (settings == kInt8) {
    return {{"m.weight", {"I8", {32, 64}}},
            {"m.weight_scale", {"BF16", {32, 1}}},
            {"m.weight_zero_point", {"I8", {32, 1}}}};
  }
  return {{"m.weight_packed", {"I32", {32, 8}}},
          {"m.weight_scale", {"F32", {32, 4}}},
          {"m.weight_zero_point", {"I32", {4, 4}}},
          {"m.weight_shape", {"I64", {2}, bytes_of(std::vector<int64_t>{32, 64})}}};
}

TEST(QuantizedTensors, SoundModulesAreRead) {
  const std::vector<std::pair<std::string, std::string>> forms = {
      {kGptq, "gptq"}, {kAwq, "awq"}, {kFp8, "fp8"}, {kInt8, "int8"}, {kPacked, "packed_int"}};
  for (const auto& [settings, form] : forms) {
    Tensors tensors = sound(settings);
    const auto weight = tensors.read(settings);
    ASSERT_TRUE(weight.ok()) << weight.status().message();
    EXPECT_EQ((*weight)->form->name, form);
    EXPECT_EQ((*weight)->shape, (Shape{32, 64}));
    EXPECT_EQ((*weight)->find("g_idx"), nullptr) << "the order i / group says nothing";
  }
}

TEST(QuantizedTensors, EachFaultNamesItsTensor) {
  struct Fault {
    std::string settings, tensor;
    std::function<void(Tensors&)> plant;
  };
  const auto put = [](std::string name, std::string type, Shape shape) {
    return [=](Tensors& t) { t[name] = {type, shape}; };
  };
  const auto drop = [](std::string name) { return [=](Tensors& t) { t.erase(name); }; };
  const auto order = [](std::vector<int32_t> groups) {
    return [=](Tensors& t) { t["m.g_idx"].data = bytes_of(groups); };
  };
  std::vector<int32_t> beyond = order_of(64, 16), negative = beyond;
  beyond[63] = 4;
  negative[0] = -1;
  const auto packed_shape = [](int64_t n, int64_t k) {
    return [=](Tensors& t) { t["m.weight_shape"].data = bytes_of(std::vector<int64_t>{n, k}); };
  };
  const std::vector<Fault> faults = {
      {kGptq, "qweight", drop("m.qweight")},
      {kGptq, "qweight", put("m.qweight", "I32", {7, 32})},
      {kGptq, "qweight", put("m.qweight", "U8", {8, 32})},
      {kGptq, "qweight", put("m.qweight", "I32", {8, 32, 1})},
      {kGptq, "qweight", put("m.qweight", "I32", {0, 32})},
      {kGptq, "qzeros", drop("m.qzeros")},
      {kGptq, "qzeros", put("m.qzeros", "I32", {4, 3})},
      {kGptq, "qzeros", put("m.qzeros", "I64", {4, 4})},
      {kGptq, "qzeros", put("m.qzeros", "F4", {4, 4})},
      {kGptq, "scales", drop("m.scales")},
      {kGptq, "scales", put("m.scales", "F16", {2, 32})},  // groups of 32
      {kGptq, "scales", put("m.scales", "F64", {4, 32})},
      {kGptq, "scales", put("m.scales", "F8_E4M3FNUZ", {4, 32})},
      {kGptq, "g_idx", put("m.g_idx", "I64", {64})},
      {kGptq, "g_idx", put("m.g_idx", "I32", {1, 64})},
      {kGptq, "g_idx", order(beyond)},
      {kGptq, "g_idx", order(negative)},
      {kAwq, "qweight", drop("m.qweight")},
      {kAwq, "qzeros", drop("m.qzeros")},
      {kAwq, "qzeros", put("m.qzeros", "I32", {8, 4})},
      {kAwq, "scales", put("m.scales", "F16", {4, 31})},
      {kAwq, "scales", put("m.scales", "I16", {4, 32})},
      {kFp8, "weight", drop("m.weight")},
      {kFp8, "weight", put("m.weight", "BF16", {32, 64})},
      {kFp8, "weight", put("m.weight", "F8_E5M2", {32, 64})},
      {kFp8, "weight", put("m.weight", "F8_E4M3", {2048})},
      {kFp8, "weight", put("m.weight", "F8_E4M3", {0, 64})},
      {kFp8, "weight_scale", drop("m.weight_scale_inv")},
      {kFp8, "weight_scale_inv", put("m.weight_scale_inv", "F32", {4, 2})},
      {kFp8, "weight_scale_inv", put("m.weight_scale_inv", "U8", {2, 4})},
      {kFp8, "weight_scale", put("m.weight_scale", "F32", {2, 4})},  // beside weight_scale_inv
      {kInt8, "weight", drop("m.weight")},
      {kInt8, "weight", put("m.weight", "F16", {32, 64})},
      {kInt8, "weight", put("m.weight", "F8_E4M3", {32, 64})},
      {kInt8, "weight_scale", drop("m.weight_scale")},
      {kInt8, "weight_scale", put("m.weight_scale", "BF16", {1, 32})},
      {kInt8, "weight_scale", put("m.weight_scale", "I32", {32, 1})},
      {kInt8, "weight_zero_point", drop("m.weight_zero_point")},
      {kInt8, "weight_zero_point", put("m.weight_zero_point", "I8", {31})},
      {kInt8, "weight_zero_point", put("m.weight_zero_point", "I32", {32, 1})},
      {kPacked, "weight_scale", drop("m.weight_packed")},
      {kPacked, "weight_packed", put("m.weight_packed", "I32", {256})},
      {kPacked, "weight_packed", put("m.weight_packed", "I16", {32, 8})},
      {kPacked, "weight_shape", drop("m.weight_shape")},
      {kPacked, "weight_shape", put("m.weight_shape", "F32", {2})},
      {kPacked, "weight_shape", put("m.weight_shape", "I64", {3})},
      {kPacked, "weight_shape", packed_shape(32, 65)},
      {kPacked, "weight_shape", packed_shape(32, 56)},
      {kPacked, "weight_shape", packed_shape(31, 64)},
      {kPacked, "weight_shape", packed_shape(32, -64)},
      {kPacked, "weight_shape", packed_shape(32, int64_t{1} << 62)},
      {kPacked, "weight_scale", put("m.weight_scale", "F32", {32, 2})},
      {kPacked, "weight_zero_point", drop("m.weight_zero_point")},
      {kPacked, "weight_zero_point", put("m.weight_zero_point", "I32", {32, 4})},
      {kPacked, "weight_g_idx", put("m.weight_g_idx", "I32", {63})},
      {kPacked, "weight_g_idx", [&](Tensors& t) { t["m.weight_g_idx"] = {"I32", {64}, bytes_of(negative)}; }},
  };
  for (size_t i = 0; i < faults.size(); ++i) {
    Tensors tensors = sound(faults[i].settings);
    faults[i].plant(tensors);
    const Status status = tensors.read(faults[i].settings).status();
    ASSERT_EQ(status.code(), StatusCode::kBadInput) << "fault " << i << " of " << faults[i].tensor;
    EXPECT_TRUE(status.parts().where.ends_with(", tensor m." + faults[i].tensor))
        << "fault " << i << ": " << status.message();
    EXPECT_FALSE(status.parts().expected.empty() || status.parts().got.empty() || status.parts().hint.empty())
        << status.message();
  }
}

TEST(QuantizedTensors, SettingsThatContradictTheTensorsNameBoth) {
  Tensors tensors = sound(kGptq);
  const Status bits = tensors.read(R"({"quant_method": "gptq", "bits": 8, "group_size": 16})").status();
  ASSERT_FALSE(bits.ok());
  EXPECT_TRUE(bits.parts().where.ends_with("tensor m.qweight")) << bits.message();
  EXPECT_EQ(bits.parts().expected, "I32 [16, 32]");
  EXPECT_EQ(bits.parts().got, "I32 [8, 32]");

  Tensors unordered = sound(kGptq);
  unordered.erase("m.g_idx");
  const Status again = unordered.read(R"({"quant_method": "gptq", "bits": 2, "group_size": 16})").status();
  ASSERT_FALSE(again.ok());
  EXPECT_TRUE(again.parts().where.ends_with("tensor m.qzeros")) << again.message();

  Tensors awq = sound(kAwq);
  const Status group = awq.read(R"({"quant_method": "awq", "bits": 4, "group_size": 24})").status();
  ASSERT_FALSE(group.ok());
  EXPECT_TRUE(group.parts().where.ends_with("weight m")) << group.message();
  EXPECT_EQ(group.parts().got, "[32, 64]");

  Tensors packed = sound(kPacked);
  const Status format = packed.read(kInt8).status();
  ASSERT_FALSE(format.ok());
  EXPECT_TRUE(format.parts().where.ends_with("tensor m.weight_packed")) << format.message();
}

TEST(QuantizedTensors, AutoRoundsPackings) {
  const auto read = [](const std::string& packing, Tensors tensors) {
    return tensors.read(R"({"quant_method": "auto-round", "bits": 4, "group_size": 16, "packing_format": ")" +
                        packing + "\"}");
  };
  EXPECT_EQ(read("auto_round:auto_gptq", sound(kGptq)).value()->setting("zeros_less_one"), 1);
  EXPECT_EQ(read("auto_round:gptqmodel", sound(kGptq)).value()->setting("zeros_less_one"), 0);
  EXPECT_EQ(read("auto_round", sound(kGptq)).value()->setting("zeros_less_one"), 0);
  EXPECT_EQ(read("auto_round:auto_awq", sound(kAwq)).value()->form->name, std::string("awq"));
}

TEST(QuantizedTensors, PlainModulesAreLeftToTheCaller) {
  for (const std::string& settings : {kGptq, kAwq, kFp8, kInt8, kPacked}) {
    Tensors plain{{"m.weight", {"BF16", {32, 64}}}, {"m.bias", {"BF16", {32}}}};
    const auto weight = plain.read(settings);
    ASSERT_TRUE(weight.ok()) << weight.status().message();
    EXPECT_EQ(*weight, nullptr);
  }
}

TEST(QuantizedTensors, TargetsAndIgnoredModules) {
  const auto settings = [](const std::string& targets, const std::string& ignore) {
    return R"({"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"a": {"targets": )" +
           targets + R"(, "weights": )" + kInt4 + R"(}}, "ignore": )" + ignore + "}";
  };
  const auto ok = [&](const std::string& targets, const std::string& ignore) {
    Tensors tensors = sound(kPacked);
    const auto weight = tensors.read(settings(targets, ignore));
    if (!weight.ok()) {
      EXPECT_TRUE(weight.status().parts().where.ends_with("m.weight_packed"));
    }
    return weight.ok();
  };
  EXPECT_TRUE(ok(R"(["Linear"])", "[]"));
  EXPECT_TRUE(ok(R"(["m"])", "null"));
  EXPECT_TRUE(ok(R"(["re:.*m$"])", R"(["lm_head", "re:.*head"])"));
  EXPECT_FALSE(ok(R"(["Linear"])", R"(["m"])"));
  EXPECT_FALSE(ok(R"(["Linear"])", R"(["re:m"])"));
  EXPECT_FALSE(ok(R"(["Embedding", "re:x", "other"])", "[]"));
}

// Of several groups, a name goes before a pattern and a pattern before a class, in whatever order they stand.
TEST(QuantizedTensors, TheMostParticularGroupIsChosen) {
  const auto group = [](const std::string& target, int bits) {
    return R"({"targets": [")" + target + R"("], "weights": {"num_bits": )" + std::to_string(bits) +
           R"(, "strategy": "group", "group_size": 16}})";
  };
  const auto settings = [&](const std::string& a, const std::string& b, const std::string& c) {
    return R"({"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"a": )" +
           a + ", \"b\": " + b + ", \"c\": " + c + "}}";
  };
  std::vector<std::string> groups = {group("Linear", 8), group("re:.*", 8), group("m", 4)};
  std::ranges::sort(groups);
  do {
    Tensors tensors = sound(kPacked);
    const auto weight = tensors.read(settings(groups[0], groups[1], groups[2]));
    ASSERT_TRUE(weight.ok()) << weight.status().message();
    EXPECT_EQ((*weight)->setting("bits"), 4);
  } while (std::ranges::next_permutation(groups).found);
  Tensors tensors = sound(kPacked);
  const auto weight = tensors.read(settings(group("Linear", 8), group("re:m", 4), group("other", 8)));
  ASSERT_TRUE(weight.ok()) << weight.status().message();
  EXPECT_EQ((*weight)->setting("bits"), 4);
}

TEST(QuantizedTensors, OneScaleMayStandForAllOrForEachOutput) {
  const std::string settings = R"({"quant_method": "fp8", "activation_scheme": "static"})";
  for (const auto& [shape, rows] : {std::pair<Shape, int64_t>{{}, 32}, {{1}, 32}, {{32}, 1}, {{32, 1}, 1}}) {
    Tensors tensors{{"m.weight", {"F8_E4M3", {32, 64}}},
                    {"m.weight_scale", {"F32", shape}},
                    {"m.input_scale", {"F32", {}}}};
    const auto weight = tensors.read(settings);
    ASSERT_TRUE(weight.ok()) << weight.status().message();
    EXPECT_EQ((*weight)->setting("block_rows"), rows) << to_string(shape);
    EXPECT_EQ((*weight)->setting("block_columns"), 64);
  }
  Tensors bytes{{"m.weight", {"F8_E4M3", {32, 64}}},
                {"m.weight_scale_inv", {"U8", {32, 2}, std::vector<std::byte>(64, std::byte{128})}}};
  const auto weight =
      bytes.read(R"({"quant_method": "mxfp8", "weight_block_size": [1, 32], "scale_fmt": "ue8m0"})");
  ASSERT_TRUE(weight.ok()) << weight.status().message();
  EXPECT_EQ((*weight)->component("scales").dtype, DType::kF8E8M0);
}

TEST(QuantizedTensors, OrdersOfInputsThatAreAbsentEmptyOrUnset) {
  Tensors none = sound(kGptq), empty = sound(kGptq), unset = sound(kPacked), real = sound(kGptq);
  none.erase("m.g_idx");
  empty["m.g_idx"] = {"I32", {0}};
  unset["m.weight_g_idx"] = {"I32", {64}, std::vector<std::byte>(256, std::byte{0xFF})};
  std::vector<int32_t> reversed = order_of(64, 16);
  std::ranges::reverse(reversed);
  real["m.g_idx"].data = bytes_of(reversed);
  EXPECT_EQ(none.read(kGptq).value()->find("g_idx"), nullptr);
  EXPECT_EQ(empty.read(kGptq).value()->find("g_idx"), nullptr);
  EXPECT_EQ(unset.read(kPacked).value()->find("g_idx"), nullptr);
  EXPECT_NE(real.read(kGptq).value()->find("g_idx"), nullptr);
}

TEST(QuantizedTensors, ScalesThatAreNoNumbersLoad) {
  Tensors tensors = sound(kFp8);
  tensors["m.weight"].data = std::vector<std::byte>(32 * 64, std::byte{0x38});
  tensors["m.weight_scale_inv"].data = bytes_of(std::vector<float>(8, std::nanf("")));
  const auto weight = tensors.read(kFp8);
  ASSERT_TRUE(weight.ok()) << weight.status().message();
  float row[64];
  (*weight)->form->decode_rows(**weight, 5, 1, row);
  EXPECT_TRUE(std::isnan(row[0]));
}

}  // namespace
}  // namespace brisk::models
