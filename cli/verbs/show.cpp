// brisk show: what is in a model file, and the graph and the plan that Brisk makes of it.
#include <algorithm>
#include <cstring>
#include <map>

#include "base/paths.hpp"
#include "base/utf8.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"
#include "cli/plan_report.hpp"
#include "cli/verb.hpp"
#include "graph/text.hpp"
#include "models/architecture.hpp"
#include "quant/weight_form.hpp"
#include "runtime/fingerprint.hpp"

namespace brisk::cli {
namespace {

using formats::GgufArray;
using formats::GgufType;
using formats::GgufValue;
using models::ModelSource;

/// Elements of an array and letters of a string that are shown without --all.
constexpr size_t kShownElements = 8;
constexpr size_t kShownLetters = 60;

struct Total {
  int64_t tensors = 0;
  uint64_t values = 0, bytes = 0;
};

struct Totals {
  Total all;
  std::map<std::string_view, Total> by_type;
  double bits_per_weight() const {
    return all.values == 0 ? 0 : static_cast<double>(all.bytes) * 8 / static_cast<double>(all.values);
  }
};

Totals totals_of(const ModelSource& source) {
  Totals totals;
  for (const Weight& tensor : source.tensors()) {
    for (Total* total : {&totals.all, &totals.by_type[quant::type_name(tensor)]}) {
      ++total->tensors;
      total->values += static_cast<uint64_t>(element_count(tensor.shape).value_or(0));
      total->bytes += static_cast<uint64_t>(tensor.bytes());
    }
  }
  return totals;
}

template <typename T>
T element_at(const GgufArray& array, uint64_t index) {
  T value;
  std::memcpy(&value, array.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

Json array_element(const GgufArray& array, uint64_t index) {
  switch (array.element) {
    case GgufType::kU8: return element_at<uint8_t>(array, index);
    case GgufType::kI8: return element_at<int8_t>(array, index);
    case GgufType::kU16: return element_at<uint16_t>(array, index);
    case GgufType::kI16: return element_at<int16_t>(array, index);
    case GgufType::kU32: return element_at<uint32_t>(array, index);
    case GgufType::kI32: return element_at<int32_t>(array, index);
    case GgufType::kF32: return element_at<float>(array, index);
    case GgufType::kBool: return element_at<uint8_t>(array, index) != 0;
    case GgufType::kString: return array.strings[index];
    case GgufType::kU64: return element_at<uint64_t>(array, index);
    case GgufType::kI64: return element_at<int64_t>(array, index);
    case GgufType::kF64: return element_at<double>(array, index);
    case GgufType::kArray: break;
  }
  return nullptr;
}

/// At most `most` elements.
Json array_json(const GgufArray& array, uint64_t most) {
  Json list = Json::array();
  for (uint64_t i = 0; i < std::min(array.count, most); ++i) list.push_back(array_element(array, i));
  return list;
}

Json scalar_json(const GgufValue& value) {
  return std::visit(
      [](const auto& v) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, GgufArray>) {
          return nullptr;
        } else {
          return v;
        }
      },
      value.value);
}

std::string shortened(const std::string& text, size_t letters, bool all) {
  const std::string safe = escape_for_terminal(text);
  if (all || safe.size() <= letters) return safe;
  return safe.substr(0, utf8_floor(safe, letters)) + "... (" + grouped(text.size()) + " bytes)";
}

std::string array_text(const GgufArray& array, bool all) {
  std::string out = "[";
  const uint64_t shown = all ? array.count : std::min<uint64_t>(array.count, kShownElements);
  for (uint64_t i = 0; i < shown; ++i) {
    if (i > 0) out += ", ";
    out += shortened(to_json_text(array_element(array, i)), kShownLetters, all);
  }
  if (shown < array.count) out += ", ... " + grouped(array.count) + " in all";
  return out + "]";
}

std::string value_text(const GgufValue& value, bool all) {
  if (const auto* array = std::get_if<GgufArray>(&value.value)) return array_text(*array, all);
  if (const auto* text = std::get_if<std::string_view>(&value.value)) {
    return shortened(std::string(*text), kShownLetters, all);
  }
  return to_json_text(scalar_json(value));
}

std::string type_text(const GgufValue& value) {
  if (const auto* array = std::get_if<GgufArray>(&value.value)) {
    return std::string(formats::gguf_type_name(array->element)) + "[]";
  }
  return std::string(formats::gguf_type_name(value.type));
}

/// The configuration, when Brisk knows the architecture; else why not.
Result<models::LlmConfig> config_of(const ModelSource& source) {
  BRISK_ASSIGN(const models::Architecture* architecture, models::find_architecture(source));
  return architecture->read_config(source);
}

std::string string_or(const ModelSource& source, std::string_view key, std::string otherwise) {
  const Result<std::string_view> found = source.metadata().get_string(key);
  return found.ok() ? std::string(*found) : otherwise;
}

/// "GGUF version 3", with the number of parts when there are several.
std::string format_text(const ModelSource& source) {
  if (source.gguf_files().empty()) return "Hugging Face folder";
  const size_t parts = source.gguf_files().size();
  return "GGUF version " + std::to_string(source.gguf_files().front()->version()) +
         (parts > 1 ? " in " + std::to_string(parts) + " parts" : "");
}

/// What only GGUF files have.
void add_gguf_facts(const ModelSource& source, Json& out) {
  if (source.gguf_files().empty()) return;
  const formats::GgufFile& file = *source.gguf_files().front();
  out["version"] = file.version();
  out["alignment"] = file.alignment();
  out["parts"] = source.gguf_files().size();
}

std::string summary_text(const ModelSource& source, const Totals& totals) {
  Facts facts;
  facts.add("File", escape_for_terminal(source.where()));
  facts.add("Format", format_text(source) + ", " + human_bytes(source.file_bytes()));
  facts.add("Name", escape_for_terminal(source.name()));
  facts.add("Parameters", human_count(totals.all.values) + " (" + grouped(totals.all.values) + ")");
  facts.add("Bits/weight", fixed(totals.bits_per_weight(), 2));
  const Result<models::LlmConfig> config = config_of(source);
  if (!config.ok()) {
    facts.add("Architecture", escape_for_terminal(string_or(source, "general.architecture", "(none)")) +
                                  ", not one that Brisk runs: " + config.status().message());
    return facts.text();
  }
  facts.add("Architecture", escape_for_terminal(config->architecture) + ": " +
                                std::to_string(config->layers) + " layers, width " +
                                std::to_string(config->width) + ", feed-forward " +
                                std::to_string(config->ffn));
  facts.add("Attention", std::to_string(config->heads) + " heads of " + std::to_string(config->head_dim) +
                             ", " + std::to_string(config->kv_heads) + " for keys and values");
  facts.add("Context", grouped(static_cast<uint64_t>(config->trained_context)) + " tokens");
  facts.add("Vocabulary", grouped(static_cast<uint64_t>(config->vocabulary)) + " tokens");
  return facts.text();
}

std::string metadata_text(const ModelSource& source, bool all) {
  Table table({{"KEY"}, {"TYPE"}, {"VALUE"}});
  for (const auto& [key, value] : source.metadata().entries()) {
    table.add({escape_for_terminal(key), type_text(value), value_text(value, all)});
  }
  return table.text();
}

std::string tensors_text(const ModelSource& source) {
  Table table({{"TENSOR"}, {"TYPE"}, {"SHAPE"}, {"SIZE", true}});
  for (const Weight& tensor : source.tensors()) {
    table.add({escape_for_terminal(tensor.name), std::string(quant::type_name(tensor)),
               to_string(tensor.shape), human_bytes(static_cast<uint64_t>(tensor.bytes()))});
  }
  return table.text();
}

std::string totals_text(const Totals& totals) {
  Table table({{"TYPE"}, {"TENSORS", true}, {"VALUES", true}, {"SIZE", true}, {"BITS/WEIGHT", true}});
  const auto add = [&table](std::string_view name, const Total& total) {
    const double bits =
        total.values == 0 ? 0 : static_cast<double>(total.bytes) * 8 / static_cast<double>(total.values);
    table.add({std::string(name), std::to_string(total.tensors), grouped(total.values),
               human_bytes(total.bytes), fixed(bits, 2)});
  };
  for (const auto& [name, total] : totals.by_type) add(name, total);
  add("all", totals.all);
  return table.text();
}

Json metadata_json(const ModelSource& source, bool all) {
  Json out = Json::object();
  for (const auto& [key, value] : source.metadata().entries()) {
    const auto* array = std::get_if<GgufArray>(&value.value);
    if (array == nullptr) {
      out[std::string(key)] = scalar_json(value);
    } else if (all || array->count <= kShownElements) {
      out[std::string(key)] = array_json(*array, array->count);
    } else {
      out[std::string(key)] = {{"count", array->count},
                               {"type", formats::gguf_type_name(array->element)},
                               {"first", array_json(*array, kShownElements)}};
    }
  }
  return out;
}

Json tensors_json(const ModelSource& source) {
  Json list = Json::array();
  for (const Weight& tensor : source.tensors()) {
    list.push_back({{"name", tensor.name},
                    {"type", quant::type_name(tensor)},
                    {"shape", tensor.shape},
                    {"bytes", tensor.bytes()}});
  }
  return list;
}

Json totals_json(const Totals& totals) {
  Json types = Json::object();
  for (const auto& [name, total] : totals.by_type) {
    types[std::string(name)] = {{"tensors", total.tensors}, {"values", total.values}, {"bytes", total.bytes}};
  }
  return types;
}

Json architecture_json(const ModelSource& source) {
  const Result<models::LlmConfig> config = config_of(source);
  if (!config.ok()) {
    return {{"name", string_or(source, "general.architecture", "")},
            {"supported", false},
            {"why", config.status().message()}};
  }
  return {{"name", config->architecture},
          {"supported", true},
          {"layers", config->layers},
          {"width", config->width},
          {"ffn", config->ffn},
          {"heads", config->heads},
          {"kv_heads", config->kv_heads},
          {"head_dim", config->head_dim},
          {"context", config->trained_context},
          {"vocabulary", config->vocabulary}};
}

/// The names of lists that are separated by commas, each of which may be given several times.
std::vector<std::string> listed(const std::vector<std::string>& lists) {
  std::vector<std::string> names;
  for (const std::string& list : lists) {
    for (size_t begin = 0; begin <= list.size();) {
      const size_t end = std::min(list.find(',', begin), list.size());
      if (end > begin) names.push_back(list.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return names;
}

/// Options of the plan mean nothing without --graph or --plan.
Status refuse_plan_options(const Arguments& arguments) {
  for (const std::string_view name : {"passes-off", "exact", "batch-size"}) {
    if (!arguments.given(name) || !arguments.spelled(name).starts_with("-")) continue;
    return usage_error({"brisk show", arguments.spelled(name) + " beside --graph or --plan",
                        "neither of them", "brisk show MODEL --plan " + arguments.spelled(name)});
  }
  return {};
}

Status show_plan(const ModelSource& source, const Arguments& arguments) {
  graph::PlanOptions options;
  BRISK_ASSIGN(options.isa, active_isa());
  options.exact = arguments.flag("exact");
  options.kv_type = options.exact ? DType::kF32 : DType::kF16;
  options.most_tokens = arguments.integer("batch-size");
  options.most_outputs = std::min(options.most_outputs, options.most_tokens);
  options.passes_off = listed(arguments.texts("passes-off"));
  BRISK_ASSIGN(const auto plan, plan_of(source, std::move(options)));
  if (arguments.flag("json")) {
    Json out = {{"file", source.where()}};
    if (arguments.flag("graph")) out["graph"] = graph_json(plan->graph());
    if (arguments.flag("plan")) out["plan"] = plan_json(*plan);
    return print_json(out);
  }
  if (arguments.flag("graph")) BRISK_TRY(print(graph::dump(plan->graph())));
  if (!arguments.flag("plan")) return {};
  return print((arguments.flag("graph") ? "\n" : "") + plan_text(*plan));
}

Status show_json(const ModelSource& source, const Totals& totals, bool all) {
  BRISK_ASSIGN(const std::string fingerprint, runtime::fingerprint(source));
  Json out = {{"file", source.where()},
              {"fingerprint", fingerprint},
              {"format", source.gguf_files().empty() ? "huggingface" : "gguf"}};
  add_gguf_facts(source, out);
  out["bytes"] = source.file_bytes();
  out["parameters"] = totals.all.values;
  out["bits_per_weight"] = totals.bits_per_weight();
  out["architecture"] = architecture_json(source);
  out["types"] = totals_json(totals);
  out["metadata"] = metadata_json(source, all);
  out["tensors"] = tensors_json(source);
  return print_json(out);
}

Status run(const Arguments& arguments) {
  const bool plan = arguments.flag("graph") || arguments.flag("plan");
  if (!plan) BRISK_TRY(refuse_plan_options(arguments));
  BRISK_ASSIGN(const auto source, open_model(arguments.positional(0)));
  if (plan) return show_plan(*source, arguments);
  const Totals totals = totals_of(*source);
  const bool all = arguments.flag("all");
  if (arguments.flag("json")) return show_json(*source, totals, all);
  BRISK_TRY(print(summary_text(*source, totals)));
  BRISK_TRY(print("\n" + metadata_text(*source, all)));
  if (arguments.flag("tensors") || all) BRISK_TRY(print("\n" + tensors_text(*source)));
  BRISK_TRY(print("\n" + totals_text(totals)));
  if (!arguments.flag("tensors") && !all) {
    return print(dim("\n--tensors lists the tensors; --all shows everything in full.") + "\n");
  }
  return {};
}

}  // namespace

Verb verb_show() {
  return {
      .name = "show",
      .aliases = "info",
      .group = VerbGroup::kFiles,
      .summary = "show what is in a model file or folder",
      .details =
          "--graph prints the graph that Brisk runs, one line per op: %3 is a value, @name a weight. "
          "--plan lists the calls of a step: kernel, output, its place and largest size in the arena, and "
          "the bytes of repacked weight; then what each graph pass did, and the regions of the graph.",
      .positionals = {{.name = "FILE", .help = "a model file, folder or name from 'brisk list' [built-in]"}},
      .options = {{.name = "tensors", .help = "list the tensors"},
                  {.name = "all", .aliases = "-a", .help = "everything, long values and arrays in full"},
                  {.name = "graph", .help = "print the graph that runs, as text, instead"},
                  {.name = "plan", .help = "list the calls of a step, the passes and the regions instead"},
                  {.name = "passes-off",
                   .kind = Kind::kTexts,
                   .placeholder = "NAMES",
                   .help =
                       "leave these graph passes out (separated by commas; all: the graph as it was built)"},
                  {.name = "exact", .help = "plan with f32 activations and keys and values"},
                  {.name = "batch-size",
                   .aliases = "-b",
                   .kind = Kind::kInteger,
                   .placeholder = "N",
                   .fallback = "512",
                   .help = "plan for steps of up to N tokens",
                   .least = 1,
                   .most = 65536},
                  kJsonOption},
      .examples = {"brisk show model.gguf", "brisk show built-in --tensors",
                   "brisk show model.gguf --json | jq .types", "brisk show built-in --graph --passes-off all",
                   "brisk show built-in --plan"},
      .run = run,
  };
}

}  // namespace brisk::cli
