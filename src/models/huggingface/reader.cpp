#include "models/huggingface/reader.hpp"

#include <algorithm>

#include "models/architecture.hpp"
#include "quant/weight_form.hpp"

namespace brisk::models {

namespace {

constexpr const char* kConfig = "config.json";
constexpr uint64_t kMostConfigBytes = 16U << 20;

// Tensors that are no weights: buffers of older versions of transformers that follow from config.json, and
// scales for keys and values stored in FP8, which we store otherwise.
constexpr std::string_view kPassedOver[] = {".rotary_emb.inv_freq", ".attn.masked_bias", ".attn.bias",
                                            ".self_attn.k_scale", ".self_attn.v_scale"};

// The number that stands for '#' when `name` is `pattern` with one in its place.
std::optional<std::string_view> match_layer(std::string_view pattern, std::string_view name) {
  const size_t hash = pattern.find('#');
  const std::string_view head = pattern.substr(0, hash), tail = pattern.substr(hash + 1);
  if (name.size() <= head.size() + tail.size() || !name.starts_with(head) || !name.ends_with(tail)) {
    return std::nullopt;
  }
  const std::string_view number = name.substr(head.size(), name.size() - head.size() - tail.size());
  const bool digits = std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
  // No second spelling of a layer: "01" would be another name for "1".
  if (!digits || number.size() > 6 || (number.size() > 1 && number[0] == '0')) return std::nullopt;
  return number;
}

// GGUF's name of a module; empty when the architecture has none.
std::string gguf_module(std::span<const ModuleName> modules, std::string_view name) {
  for (const ModuleName& module : modules) {
    if (module.folder.find('#') == std::string_view::npos) {
      if (name == module.folder) return std::string(module.gguf);
      continue;
    }
    const auto number = match_layer(module.folder, name);
    if (!number) continue;
    const size_t hash = module.gguf.find('#');
    return std::string(module.gguf.substr(0, hash)) + std::string(*number) +
           std::string(module.gguf.substr(hash + 1));
  }
  return {};
}

// A folder without config.json.
Status no_config(const Folder& folder) {
  std::string hint = "the folder that holds config.json and *.safetensors, or the path of a file";
  if (const auto files = folder.files(); files.ok()) {
    const auto gguf =
        std::ranges::find_if(*files, [](const std::string& name) { return name.ends_with(".gguf"); });
    if (gguf != files->end()) hint = "the path of a file in it, such as '" + *gguf + "'";
  }
  return environment_error({folder.path(), "a Hugging Face model folder or a GGUF file",
                            "a folder without config.json", std::move(hint)});
}

// The architecture that config.json names.
Result<const Architecture*> find_class(const ConfigReader& config) {
  std::string known;
  const Json* classes = config.find("architectures");
  const std::string wanted =
      classes != nullptr && classes->is_array() && !classes->empty() && classes->front().is_string()
          ? classes->front().get<std::string>()
          : std::string();
  for (const Architecture& architecture : all_architectures()) {
    for (const std::string_view name : architecture.huggingface.classes) {
      if (wanted == name) return &architecture;
      known += (known.empty() ? "" : ", ") + std::string(name);
    }
  }
  return bad_input({config.where() + ": architectures", "one of " + known,
                    wanted.empty() ? "none" : formats::shown_name(wanted),
                    "a model of a known architecture"});
}

}  // namespace

Result<std::shared_ptr<const ModelSource>> HuggingFaceReader::open(const std::string& path) {
  std::shared_ptr<ModelSource> source(new ModelSource());
  BRISK_TRY(HuggingFaceReader(*source).run(path));
  return std::shared_ptr<const ModelSource>(std::move(source));
}

Status HuggingFaceReader::run(const std::string& path) {
  source_->origin_ = Origin::kHuggingFace;
  source_->where_ = path;
  BRISK_ASSIGN(Folder folder, Folder::open(path));
  source_->folder_ = std::make_unique<Folder>(std::move(folder));
  if (!source_->folder_->has_entry(kConfig)) return no_config(*source_->folder_);
  const std::string where = path + "/" + kConfig;
  BRISK_ASSIGN(const std::string text, source_->folder_->read(kConfig, kMostConfigBytes));
  BRISK_ASSIGN(const Json json, parse_json(text, where));
  if (!json.is_object())
    return bad_input({where, "an object", json.type_name(), "the model's own config.json"});
  const ConfigReader config(json, where);
  BRISK_ASSIGN(const Architecture* architecture, find_class(config));
  const HuggingFaceMapping& mapping = architecture->huggingface;
  BRISK_ASSIGN(const std::unique_ptr<QuantizedLayers> quantized, QuantizedLayers::from_config(json, where));
  BRISK_ASSIGN(source_->shards_, formats::SafetensorsShards::open(*source_->folder_));
  source_->file_bytes_ = source_->shards_->file_bytes();

  ModelConfig out;
  out.metadata.add("general.architecture", architecture->name);
  BRISK_TRY(mapping.read_config(config, out));
  BRISK_ASSIGN(tied_, config.flag_or("tie_word_embeddings", mapping.tied_by_default));
  BRISK_TRY(read_tensors(mapping, quantized.get()));
  for (auto& [name, values] : out.tensors) weights_.push_back(kept(name, std::move(values)));
  source_->metadata_ = std::move(out.metadata).build(where);
  return source_->set_tensors(std::move(weights_));
}

Status HuggingFaceReader::read_tensors(const HuggingFaceMapping& mapping, const QuantizedLayers* quantized) {
  bool has_head = false;
  for (const formats::SafetensorsTensor* stored : source_->shards_->tensors()) {
    const formats::SafetensorsTensor& tensor = *stored;
    const std::string_view name = tensor.name;
    if (std::ranges::any_of(kPassedOver, [&](std::string_view end) { return name.ends_with(end); })) continue;
    const size_t dot = name.rfind('.');
    const std::string module(name.substr(0, dot));
    const std::string gguf = dot == std::string_view::npos ? "" : gguf_module(mapping.modules, module);
    if (gguf.empty()) {
      // Under its own name, so that the architecture can refuse it.
      BRISK_ASSIGN(Weight weight, plain(tensor, tensor.name));
      weights_.push_back(std::move(weight));
      continue;
    }
    if (gguf == kHead) {
      has_head = true;
      if (tied_) continue;
    }
    BRISK_TRY(read_tensor(tensor, module, gguf, quantized));
  }
  if (has_head || tied_) return {};
  return bad_input({source_->where_ + ": lm_head.weight",
                    "a matrix of its own (tie_word_embeddings is false)", "no such tensor",
                    "a complete folder"});
}

Status HuggingFaceReader::read_tensor(const formats::SafetensorsTensor& tensor, const std::string& module,
                                      const std::string& gguf, const QuantizedLayers* quantized) {
  const std::string_view end = std::string_view(tensor.name).substr(module.size());
  if (quantized != nullptr) {
    const auto ends = quantized->tensor_suffixes();
    if (std::ranges::find(ends, end) != ends.end()) {
      if (modules_read_.contains(module)) return {};
      BRISK_ASSIGN(std::unique_ptr<Weight> weight, quantized->read(*source_->shards_, module));
      if (weight != nullptr) {
        modules_read_.insert(module);
        weight->name = gguf + ".weight";
        weights_.push_back(std::move(*weight));
        return {};
      }
    }
  }
  BRISK_ASSIGN(Weight weight, plain(tensor, gguf + std::string(end)));
  weights_.push_back(std::move(weight));
  return {};
}

Result<Weight> HuggingFaceReader::plain(const formats::SafetensorsTensor& tensor, std::string name) {
  const std::optional<DType> dtype = tensor.type->dtype;
  if (!dtype) {
    return bad_input({source_->shards_->file_of(tensor) + ", tensor " + formats::shown_name(tensor.name),
                      "a type that holds weights (F32, F16, BF16)", std::string(tensor.type->name),
                      "a folder of another precision"});
  }
  const quant::WeightForm* form = quant::find_form(*dtype);
  if (form == nullptr || tensor.data.empty()) {
    return Weight{std::move(name), tensor.shape, nullptr, {{"blocks", *dtype, tensor.shape, tensor.data}}};
  }
  Weight weight = quant::block_weight(std::move(name), *dtype, tensor.shape, tensor.data);
  if (tensor.shape.size() != 1) return weight;
  std::vector<float> values(static_cast<size_t>(weight.width()));
  form->decode_rows(weight, 0, 1, values.data());
  return kept(std::move(weight.name), std::move(values));
}

Weight HuggingFaceReader::kept(std::string name, std::vector<float> values) {
  const Shape shape{static_cast<int64_t>(values.size())};
  const std::vector<float>& stored = source_->converted_.emplace_back(std::move(values));
  return quant::block_weight(std::move(name), DType::kF32, shape, std::as_bytes(std::span(stored)));
}

}  // namespace brisk::models
