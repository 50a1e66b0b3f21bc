// compressed-tensors folders (llm-compressor, vLLM).
//
//     pack-quantized    MODULE.weight_packed, .weight_scale, .weight_shape, maybe .weight_zero_point,
//                       .weight_g_idx      2-, 4- or 8-bit integers: quant/packed_int.cpp
//     int-quantized     MODULE.weight I8, .weight_scale, maybe .weight_zero_point        quant/int8.cpp
//     float-quantized   MODULE.weight F8_E4M3, .weight_scale                             quant/fp8.cpp
//     mxfp8-quantized   the same with scales that are powers of two, stored as bytes
//     naive-quantized   either of int-quantized and float-quantized
//
// config_groups says how each group of modules ("targets": names, "re:" patterns, the class "Linear") is
// stored; modules in "ignore" are not. A module without a scale is plain whatever the groups say; one with a
// scale must have its group. Scales and zeros of activations and of the KV cache are not read: ours stay
// floats.
#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "models/huggingface/name_pattern.hpp"
#include "models/huggingface/quantized_methods.hpp"

namespace brisk::models {

namespace {

constexpr std::string_view kFormats[] = {"int-quantized", "float-quantized", "naive-quantized",
                                         "pack-quantized", "mxfp8-quantized"};

struct UnreadFormat {
  std::string_view name;
  std::string_view what;
};
constexpr UnreadFormat kUnread[] = {
    {"nvfp4-pack-quantized", "4-bit floats with an FP8 scale for every 16 and one for the tensor"},
    {"mxfp4-pack-quantized", "4-bit floats with a power of two for every 32"},
    {"mxfp6-pack-quantized", "6-bit floats with a power of two for every 32"},
    {"marlin-24", "2:4 sparse codes in the order of a GPU kernel"},
    {"sparse-24-bitmask", "2:4 sparse values with a bit mask"},
    {"sparse-bitmask", "sparse values with a bit mask"},
};

// Patterns cost time with each module: what all of a file may hold together.
constexpr size_t kMostPatternBytes = 16384;

constexpr const char* kOtherScheme = "quantising again with llm-compressor's W4A16, W8A8 or FP8 scheme";

Status unread_format(const ConfigReader& settings, const std::string& format) {
  std::string known;
  for (const std::string_view each : kFormats) known += (known.empty() ? "" : ", ") + std::string(each);
  std::string got = "'" + format.substr(0, 80) + "'";
  for (const UnreadFormat& each : kUnread) {
    if (each.name == format) got += " (" + std::string(each.what) + ")";
  }
  return bad_input({settings.where() + ": format", "one of " + known, std::move(got), kOtherScheme});
}

/// Names, patterns and classes of modules.
class ModuleNames {
 public:
  /// Of a list of texts; none when it is absent. `pattern_bytes` counts what the patterns of a file take.
  static Result<ModuleNames> read(const ConfigReader& settings, std::string_view key, size_t& pattern_bytes) {
    ModuleNames out;
    const Json* list = settings.find(key);
    if (list == nullptr) return out;
    if (!list->is_array()) return settings.wrong(key, "a list of names", list->type_name());
    for (const Json& each : *list) {
      if (!each.is_string()) return settings.wrong(key, "a list of names", each.type_name());
      const auto& text = each.get_ref<const std::string&>();
      if (!text.starts_with("re:")) {
        out.names_.insert(text);
        continue;
      }
      pattern_bytes += text.size();
      if (pattern_bytes > kMostPatternBytes) {
        return settings.wrong(key, "patterns of at most 16384 bytes together", std::to_string(pattern_bytes));
      }
      BRISK_ASSIGN(NamePattern pattern,
                   NamePattern::compile(text.substr(3), settings.where() + ": " + std::string(key)));
      out.patterns_.push_back(std::move(pattern));
    }
    return out;
  }

  bool has_name(std::string_view module) const { return names_.contains(module); }
  bool has_pattern(std::string_view module) const {
    return std::ranges::any_of(patterns_, [&](const NamePattern& each) { return each.matches(module); });
  }
  /// All modules that hold scales are matrices that multiply.
  bool has_class() const { return has_name("Linear"); }

 private:
  std::set<std::string, std::less<>> names_;
  std::vector<NamePattern> patterns_;
};

enum class Strategy : uint8_t { kTensor, kChannel, kGroup, kBlock };

/// How the modules of one group are stored.
struct Scheme {
  ModuleNames targets;
  std::string format;
  bool floats = false;  // FP8
  bool symmetric = true;
  int64_t bits = 8;
  Strategy strategy = Strategy::kTensor;
  ScaleBlocks blocks = {1, 1};  // columns of a group; rows and columns of a block

  /// Rows and columns of a matrix that share a scale.
  ScaleBlocks scale_blocks(const Shape& matrix) const {
    switch (strategy) {
      case Strategy::kTensor: return {matrix[0], matrix[1]};
      case Strategy::kChannel: return {1, matrix[1]};
      case Strategy::kGroup: return {1, blocks.columns};
      case Strategy::kBlock: break;
    }
    return blocks;
  }
};

Status read_strategy(const ConfigReader& weights, Scheme& scheme) {
  const bool sized = weights.find("group_size") != nullptr;
  int64_t size = -1;
  if (sized) {
    BRISK_ASSIGN(size, read_group_size(weights));
  }
  const char* otherwise = !sized ? "tensor" : size > 0 ? "group" : "channel";
  BRISK_ASSIGN(const std::string name, weights.text_or("strategy", otherwise));
  if (name == "tensor") {
    scheme.strategy = Strategy::kTensor;
  } else if (name == "channel") {
    scheme.strategy = Strategy::kChannel;
  } else if (name == "group") {
    scheme.strategy = Strategy::kGroup;
    scheme.blocks.columns = size;
    if (size < 1)
      return weights.wrong("group_size", "at least 1 with the strategy group", std::to_string(size));
  } else if (name == "block") {
    scheme.strategy = Strategy::kBlock;
    BRISK_ASSIGN(scheme.blocks, read_block_sizes(weights, "block_structure"));
  } else {
    return weights.wrong("strategy", "tensor, channel, group or block", "'" + name.substr(0, 80) + "'");
  }
  return {};
}

Status read_numbers(const ConfigReader& weights, Scheme& scheme) {
  BRISK_ASSIGN(const std::string type, weights.text_or("type", "int"));
  if (type != "int" && type != "float") {
    return weights.wrong("type", "int or float", "'" + type.substr(0, 80) + "'");
  }
  scheme.floats = type == "float";
  BRISK_ASSIGN(scheme.bits, weights.integer_or("num_bits", 8));
  BRISK_ASSIGN(scheme.symmetric, weights.flag_or("symmetric", true));
  const int64_t bits = scheme.bits;
  if (scheme.floats && (bits != 8 || !scheme.symmetric)) {
    return weights.wrong("num_bits", "8 for floats, symmetric",
                         std::to_string(bits) + (scheme.symmetric ? "" : ", asymmetric"));
  }
  if (!scheme.floats && bits != 8 && bits != 4 && bits != 2) {
    return weights.wrong("num_bits", "2, 4 or 8", std::to_string(bits));
  }
  return {};
}

/// A group of config_groups; nothing where its weights are stored plainly.
Result<std::optional<Scheme>> read_scheme(const ConfigReader& group, const std::string& format,
                                          size_t& pattern_bytes) {
  if (group.find("weights") == nullptr) return std::optional<Scheme>();
  Scheme scheme;
  BRISK_ASSIGN(scheme.targets, ModuleNames::read(group, "targets", pattern_bytes));
  BRISK_ASSIGN(scheme.format, group.text_or("format", format));
  if (scheme.format == "dense") return std::optional<Scheme>();
  if (std::ranges::find(kFormats, scheme.format) == std::end(kFormats)) {
    return unread_format(group, scheme.format);
  }
  BRISK_ASSIGN(const ConfigReader weights, group.object("weights"));
  BRISK_TRY(read_numbers(weights, scheme));
  BRISK_TRY(read_strategy(weights, scheme));
  const bool packed = scheme.format == "pack-quantized";
  if (packed &&
      (scheme.floats || scheme.strategy == Strategy::kTensor || scheme.strategy == Strategy::kBlock)) {
    return weights.wrong("strategy", "integers by group or channel for pack-quantized",
                         scheme.floats ? "floats" : "one scale for a tensor or a block");
  }
  return std::optional<Scheme>(std::move(scheme));
}

class CompressedTensors final : public QuantizedLayers {
 public:
  CompressedTensors(std::vector<Scheme> schemes, ModuleNames ignored)
      : schemes_(std::move(schemes)), ignored_(std::move(ignored)) {}

  Result<std::unique_ptr<Weight>> read(const formats::SafetensorsShards& shards,
                                       const std::string& module) const override {
    ModuleTensors tensors(shards, module);
    const bool packed = tensors.find(".weight_packed") != nullptr;
    if (!packed && tensors.find(".weight_scale") == nullptr) return read_plain(tensors);
    const std::string_view suffix = packed ? ".weight_packed" : ".weight";
    const Scheme* scheme = scheme_of(module);
    if (scheme == nullptr) {
      return tensors.wrong(packed ? suffix : ".weight_scale",
                           "a plain module, which no group of config.json targets or which it ignores",
                           "a quantised one");
    }
    if (packed != (scheme->format == "pack-quantized")) {
      return tensors.wrong(packed ? suffix : ".weight_scale", "the tensors of " + scheme->format,
                           packed ? "packed integers" : "no weight_packed");
    }
    return packed ? read_packed(tensors, *scheme) : read_bytes(tensors, *scheme);
  }

  std::vector<std::string_view> tensor_suffixes() const override {
    return {".weight",       ".weight_packed",    ".weight_scale", ".weight_zero_point",
            ".weight_shape", ".weight_g_idx",     ".input_scale",  ".input_zero_point",
            ".output_scale", ".output_zero_point"};
  }

 private:
  static Result<std::unique_ptr<Weight>> read_plain(const ModuleTensors& tensors) {
    const formats::SafetensorsTensor* weight = tensors.find(".weight");
    if (weight == nullptr || weight->type->dtype == DType::kI8 || weight->type->dtype == DType::kF8E4M3) {
      return tensors.plain(".weight_scale",
                           {".weight", ".weight_shape", ".weight_zero_point", ".weight_g_idx"});
    }
    return std::unique_ptr<Weight>();
  }

  /// A name goes before a pattern, and both before a class, as compressed-tensors chooses.
  const Scheme* scheme_of(std::string_view module) const {
    if (ignored_.has_name(module) || ignored_.has_pattern(module)) return nullptr;
    const auto first = [&](auto matches) -> const Scheme* {
      const auto found = std::ranges::find_if(schemes_, matches);
      return found == schemes_.end() ? nullptr : &*found;
    };
    if (const Scheme* named = first([&](const Scheme& each) { return each.targets.has_name(module); })) {
      return named;
    }
    if (const Scheme* like = first([&](const Scheme& each) { return each.targets.has_pattern(module); })) {
      return like;
    }
    return first([](const Scheme& each) { return each.targets.has_class(); });
  }

  /// The matrix's shape out of weight_shape, held against the packed codes.
  static Result<Shape> read_shape(const ModuleTensors& tensors, const formats::SafetensorsTensor& packed,
                                  int64_t bits) {
    BRISK_ASSIGN(const formats::SafetensorsTensor* stored, tensors.need(".weight_shape", "weight_packed"));
    const std::optional<DType> dtype = stored->type->dtype;
    if (stored->shape != Shape{2} || (dtype != DType::kI64 && dtype != DType::kI32)) {
      return tensors.wrong(".weight_shape", "I64 [2]",
                           std::string(stored->type->name) + " " + to_string(stored->shape));
    }
    const WeightComponent numbers{"", *dtype, {2}, stored->data};
    Shape shape(2);
    for (int64_t i = 0; i < 2; ++i) {
      const int64_t side = dtype == DType::kI64 ? numbers.at<int64_t>(i) : numbers.at<int32_t>(i);
      shape[static_cast<size_t>(i)] = side;
    }
    // A row's last word may be partly used.
    const int64_t most = packed.shape[1] * (32 / bits);
    if (shape[0] != packed.shape[0] || shape[1] > most || shape[1] <= most - 32 / bits) {
      return tensors.wrong(".weight_shape",
                           "the shape of weight_packed " + to_string(packed.shape) + " of " +
                               std::to_string(bits) + "-bit codes",
                           to_string(shape));
    }
    return shape;
  }

  static Result<std::unique_ptr<Weight>> read_packed(ModuleTensors& tensors, const Scheme& scheme) {
    BRISK_ASSIGN(const formats::SafetensorsTensor* packed,
                 tensors.matrix(".weight_packed", "a quantised module"));
    BRISK_ASSIGN(const Shape shape, read_shape(tensors, *packed, scheme.bits));
    const ScaleBlocks blocks = scheme.scale_blocks(shape);
    BRISK_TRY(tensors.add("codes", ".weight_packed"));
    BRISK_TRY(tensors.add_scales("scales", ".weight_scale", shape, blocks));
    if (!scheme.symmetric) BRISK_TRY(tensors.add("zeros", ".weight_zero_point"));
    if (!order_unset(tensors.find(".weight_g_idx"))) {
      BRISK_TRY(tensors.add_group_indices(".weight_g_idx", shape[1], blocks.columns));
    }
    return tensors.weight("packed_int", shape, {{"bits", scheme.bits}, {"group", blocks.columns}});
  }

  /// Whether the order of inputs is all -1, which older writers stored for "as they come".
  static bool order_unset(const formats::SafetensorsTensor* order) {
    return order != nullptr && order->type->dtype == DType::kI32 &&
           std::ranges::all_of(order->data, [](std::byte byte) { return byte == std::byte{0xFF}; });
  }

  static Result<std::unique_ptr<Weight>> read_bytes(ModuleTensors& tensors, const Scheme& scheme) {
    BRISK_ASSIGN(const formats::SafetensorsTensor* codes, tensors.matrix(".weight", "a scale"));
    const ScaleBlocks blocks = scheme.scale_blocks(codes->shape);
    BRISK_TRY(tensors.add("codes", ".weight"));
    BRISK_TRY(tensors.add_scales("scales", ".weight_scale", codes->shape, blocks));
    if (!scheme.symmetric) {
      BRISK_TRY(tensors.add_scales("zeros", ".weight_zero_point", codes->shape, blocks));
    }
    if (scheme.format == "mxfp8-quantized") tensors.bytes_are_e8m0("scales");
    return tensors.weight(scheme.floats ? "fp8" : "int8", codes->shape,
                          {{"block_rows", blocks.rows}, {"block_columns", blocks.columns}});
  }

  std::vector<Scheme> schemes_;
  ModuleNames ignored_;
};

/// Parts of the settings that would change the numbers and are not read.
Status refuse_unread(const ConfigReader& settings) {
  if (settings.find("sparsity_config") != nullptr) {
    BRISK_ASSIGN(const ConfigReader sparsity, settings.object("sparsity_config"));
    BRISK_ASSIGN(const std::string format, sparsity.text_or("format", "dense"));
    if (format != "dense") return unread_format(sparsity, format);
  }
  const Json* transforms = settings.find("transform_config");
  if (transforms == nullptr || transforms->empty()) return {};
  return settings.wrong("transform_config", "none", "rotations of activations, which are not read");
}

}  // namespace

Result<QuantizedReader> read_compressed_tensors(const ConfigReader& settings) {
  BRISK_TRY(refuse_unread(settings));
  BRISK_ASSIGN(const std::string format, settings.text_or("format", "int-quantized"));
  BRISK_ASSIGN(const ConfigReader groups, settings.object("config_groups"));
  size_t pattern_bytes = 0;
  BRISK_ASSIGN(ModuleNames ignored, ModuleNames::read(settings, "ignore", pattern_bytes));
  std::vector<Scheme> schemes;
  for (const auto& [name, unused] : settings.find("config_groups")->items()) {
    BRISK_ASSIGN(const ConfigReader group, groups.object(name));
    BRISK_ASSIGN(std::optional<Scheme> scheme, read_scheme(group, format, pattern_bytes));
    if (scheme) schemes.push_back(std::move(*scheme));
  }
  return QuantizedReader(std::make_unique<CompressedTensors>(std::move(schemes), std::move(ignored)));
}

}  // namespace brisk::models
