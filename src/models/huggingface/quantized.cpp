#include "models/huggingface/quantized.hpp"

#include <algorithm>

#include "base/checked.hpp"
#include "models/huggingface/quantized_methods.hpp"
#include "quant/weight_form.hpp"

namespace brisk::models {

namespace {

struct Method {
  std::string_view name;  ///< quant_method
  Result<QuantizedReader> (*read)(const ConfigReader& settings);
};

constexpr Method kMethods[] = {
    {"gptq", read_gptq},
    {"awq", read_awq},
    {"auto-round", read_auto_round},
    {"fp8", read_fp8},
    {"mxfp8", read_fp8},
    {"fbgemm_fp8", read_fp8},
    {"compressed-tensors", read_compressed_tensors},
};

struct UnreadMethod {
  std::string_view name;
  std::string_view what;
};

constexpr UnreadMethod kUnread[] = {
    {"bitsandbytes", "NF4 and FP4 codes by a table, or int8 with outliers apart"},
    {"hqq", "half-quadratic quantisation, codes with scales and zeros of their own packing"},
    {"eetq", "int8 per channel in the order of a GPU kernel"},
    {"quanto", "optimum-quanto's int8, int4, int2 or float8 tensors"},
    {"torchao", "tensor subclasses of torchao, most often kept in pickles"},
    {"aqlm", "sums of learned codebooks"},
    {"vptq", "vector codebooks"},
    {"higgs", "Hadamard-rotated codebooks"},
    {"spqr", "codes with scales in two levels and sparse outliers"},
    {"bitnet", "ternary weights with quantised activations"},
    {"mxfp4", "4-bit floats with a power of two for every 32 (gpt-oss)"},
    {"nvfp4", "4-bit floats with an FP8 scale for every 16"},
    {"fp_quant", "MXFP4 or NVFP4 after a Hadamard rotation"},
    {"fouroversix", "4-bit floats with scales to 4 or 6"},
    {"gguf", "GGUF blocks inside a folder"},
    {"modelopt", "NVIDIA Model Optimizer's FP8 or NVFP4"},
    {"modelopt_fp4", "NVIDIA Model Optimizer's NVFP4"},
    {"quark", "AMD Quark"},
    {"metal", "affine groups in the order of Metal kernels"},
    {"sinq", "codes with scales of rows and columns"},
    {"gemma", "Gemma's own quantised tensors"},
};

constexpr const char* kWayOut =
    "dequantising it with transformers (model.dequantize(), then save_pretrained), quantising the original "
    "with "
    "llm-compressor, or a GGUF of the same model";

Status unread(const ConfigReader& settings, const std::string& method) {
  std::string known;
  for (const Method& each : kMethods) known += (known.empty() ? "" : ", ") + std::string(each.name);
  std::string got = "'" + method.substr(0, 80) + "'";
  for (const UnreadMethod& each : kUnread) {
    if (each.name == method) got += " (" + std::string(each.what) + ")";
  }
  return bad_input({settings.where() + ": quant_method", "one of " + known, std::move(got), kWayOut});
}

// What quant_method says, or what older files said otherwise.
Result<std::string> method_of(const ConfigReader& settings, std::string_view key) {
  BRISK_ASSIGN(const bool four, settings.flag_or("load_in_4bit", false));
  BRISK_ASSIGN(const bool eight, settings.flag_or("load_in_8bit", false));
  std::string otherwise = four || eight ? "bitsandbytes" : "";
  if (otherwise.empty() && key == "compression_config") otherwise = "compressed-tensors";
  return settings.text_or("quant_method", otherwise);
}

bool scales_fit(const Shape& got, int64_t rows, int64_t columns) {
  if (got == Shape{rows, columns}) return true;
  if (columns == 1 && got == Shape{rows}) return true;
  return rows == 1 && columns == 1 && got.empty();
}

}  // namespace

Result<std::unique_ptr<QuantizedLayers>> QuantizedLayers::from_config(const Json& config,
                                                                      const std::string& where) {
  const ConfigReader reader(config, where);
  const std::string_view key =
      reader.find("quantization_config") == nullptr ? "compression_config" : "quantization_config";
  if (reader.find(key) == nullptr) return QuantizedReader();
  BRISK_ASSIGN(const ConfigReader settings, reader.object(key));
  BRISK_ASSIGN(const std::string method, method_of(settings, key));
  if (method.empty()) return settings.wrong("quant_method", "the name of a method", "none");
  for (const Method& each : kMethods) {
    if (each.name == method) return each.read(settings);
  }
  return unread(settings, method);
}

Result<int64_t> read_group_size(const ConfigReader& settings) {
  const Json* value = settings.find("group_size");
  if (value != nullptr && value->is_number_integer() && *value == -1) return -1;
  BRISK_ASSIGN(const int64_t size, settings.integer("group_size"));
  if (size == 0) return settings.wrong("group_size", "-1 or at least 1", "0");
  return size;
}

Result<ScaleBlocks> read_block_sizes(const ConfigReader& settings, std::string_view key) {
  const Json* value = settings.find(key);
  const auto good = [](const Json& side) {
    return side.is_number_unsigned() && side.get<uint64_t>() >= 1 && side.get<uint64_t>() <= (1U << 30);
  };
  if (value == nullptr || !value->is_array() || value->size() != 2 || !std::ranges::all_of(*value, good)) {
    return settings.wrong(key, "two positive integers",
                          value == nullptr ? "none" : to_json_text(*value).substr(0, 80));
  }
  return ScaleBlocks{(*value)[0].get<int64_t>(), (*value)[1].get<int64_t>()};
}

const formats::SafetensorsTensor* ModuleTensors::find(std::string_view suffix) const {
  return shards_->find(name(suffix));
}

Status ModuleTensors::wrong(std::string_view suffix, std::string expected, std::string got) const {
  return bad_input({shards_->where() + ", tensor " + name(suffix), std::move(expected), std::move(got),
                    "a complete folder, with the config.json that belongs to these weights"});
}

Result<const formats::SafetensorsTensor*> ModuleTensors::need(std::string_view suffix,
                                                              std::string_view why) const {
  if (const formats::SafetensorsTensor* tensor = find(suffix)) return tensor;
  return wrong(suffix, "a tensor, since there is " + std::string(why), "none");
}

Result<const formats::SafetensorsTensor*> ModuleTensors::matrix(std::string_view suffix,
                                                                std::string_view why) const {
  BRISK_ASSIGN(const formats::SafetensorsTensor* tensor, need(suffix, why));
  constexpr int64_t kMostSide = int64_t{1} << 30;
  const auto good = [](int64_t side) { return side >= 1 && side <= kMostSide; };
  if (tensor->shape.size() == 2 && std::ranges::all_of(tensor->shape, good)) return tensor;
  return wrong(suffix, "a matrix with sides from 1 to " + std::to_string(kMostSide),
               to_string(tensor->shape));
}

Result<std::unique_ptr<Weight>> ModuleTensors::plain(std::string_view suffix,
                                                     std::initializer_list<std::string_view> others) const {
  for (const std::string_view other : others) {
    if (find(other) != nullptr) return need(suffix, name(other)).status();
  }
  return std::unique_ptr<Weight>();
}

Status ModuleTensors::add(std::string component, std::string_view suffix) {
  BRISK_ASSIGN(const formats::SafetensorsTensor* tensor, need(suffix, "a quantised module"));
  if (!tensor->type->dtype) {
    return wrong(suffix, "a type that is known", std::string(tensor->type->name));
  }
  components_.push_back({std::move(component), *tensor->type->dtype, tensor->shape, tensor->data});
  suffixes_.push_back(suffix);
  return {};
}

Status ModuleTensors::add_scales(std::string component, std::string_view suffix, const Shape& matrix,
                                 ScaleBlocks blocks) {
  const int64_t rows = div_up(matrix[0], blocks.rows), columns = div_up(matrix[1], blocks.columns);
  BRISK_TRY(add(std::move(component), suffix));
  Shape& shape = components_.back().shape;
  if (!scales_fit(shape, rows, columns)) {
    return wrong(suffix, to_string({rows, columns}) + " for a matrix " + to_string(matrix), to_string(shape));
  }
  shape = {rows, columns};
  return {};
}

Status ModuleTensors::add_group_indices(std::string_view suffix, int64_t inputs, int64_t group) {
  const formats::SafetensorsTensor* tensor = find(suffix);
  if (tensor == nullptr || tensor->data.empty()) return {};
  BRISK_TRY(add("g_idx", suffix));
  const WeightComponent& indices = components_.back();
  if (indices.dtype != DType::kI32 || indices.shape != Shape{inputs}) {
    return wrong(suffix, "I32 " + to_string({inputs}),
                 std::string(tensor->type->name) + " " + to_string(indices.shape));
  }
  for (int64_t i = 0; i < inputs; ++i) {
    if (indices.at<int32_t>(i) != i / group) return {};
  }
  components_.pop_back();
  suffixes_.pop_back();
  return {};
}

void ModuleTensors::bytes_are_e8m0(std::string_view component) {
  for (WeightComponent& part : components_) {
    if (part.name == component && part.dtype == DType::kU8) part.dtype = DType::kF8E8M0;
  }
}

Result<std::unique_ptr<Weight>> ModuleTensors::weight(const char* form, Shape shape,
                                                      std::vector<std::pair<std::string, int64_t>> settings) {
  auto made = std::make_unique<Weight>();
  made->name = *module_;
  made->shape = std::move(shape);
  made->form = quant::find_form(form);
  made->components = std::move(components_);
  made->settings = std::move(settings);
  BRISK_ASSERT(made->form != nullptr, "the form is one of src/quant");
  const Status status = made->form->check(*made);
  if (status.ok()) return made;
  // The form knows components; whoever reads the message knows tensors.
  for (size_t i = 0; i < suffixes_.size(); ++i) {
    if (status.parts().where.ends_with(", component " + made->components[i].name)) {
      return wrong(suffixes_[i], status.parts().expected, status.parts().got);
    }
  }
  return bad_input({shards_->where() + ", " + status.parts().where, status.parts().expected,
                    status.parts().got, status.parts().hint});
}

}  // namespace brisk::models
