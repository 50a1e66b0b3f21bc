#include "cli/chat/settings.hpp"

#include <chrono>
#include <random>

#include "base/cpu.hpp"
#include "base/progress.hpp"
#include "base/signals.hpp"
#include "cli/decoding_options.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"

namespace brisk::cli {
namespace {

using runtime::GenerateOptions;

std::string plain(double value) {
  std::string text = fixed(value, 3);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

/// A setting that is a float of the sampler.
#define BRISK_SAMPLING_NUMBER(field, option_name)                 \
  [](GenerateOptions& o, const Arguments& a) {                    \
    o.sampling.field = static_cast<float>(a.number(option_name)); \
  },                                                              \
      [](const GenerateOptions& o) { return plain(static_cast<double>(o.sampling.field)); }
/// ... or a whole number.
#define BRISK_SAMPLING_INTEGER(field, option_name)                   \
  [](GenerateOptions& o, const Arguments& a) {                       \
    o.sampling.field = static_cast<int32_t>(a.integer(option_name)); \
  },                                                                 \
      [](const GenerateOptions& o) { return std::to_string(o.sampling.field); }

const std::vector<Setting>& setting_table() {
  static const std::vector<Setting> table = {
      {{.name = "predict",
        .aliases = "-n --n-predict --max-tokens",
        .kind = Kind::kInteger,
        .placeholder = "N",
        .fallback = "-1",
        .help = "most tokens of an answer; -1: until the model ends or the context is full",
        .least = -1,
        .most = 1 << 30},
       [](GenerateOptions& o, const Arguments& a) { o.max_tokens = a.integer("predict"); },
       [](const GenerateOptions& o) { return std::to_string(o.max_tokens); }},
      {{.name = "temp",
        .aliases = "--temperature",
        .kind = Kind::kNumber,
        .placeholder = "X",
        .fallback = "0.8",
        .help = "temperature; 0 always takes the likeliest token",
        .least = 0,
        .most = 100},
       BRISK_SAMPLING_NUMBER(temperature, "temp")},
      {{.name = "top-k",
        .kind = Kind::kInteger,
        .placeholder = "N",
        .fallback = "40",
        .help = "draw among the N likeliest tokens; 0: off",
        .least = 0,
        .most = 1 << 30},
       BRISK_SAMPLING_INTEGER(top_k, "top-k")},
      {{.name = "top-p",
        .kind = Kind::kNumber,
        .placeholder = "X",
        .fallback = "0.95",
        .help = "draw among the likeliest tokens that make up X of the probability; 1: off",
        .least = 0,
        .most = 1},
       BRISK_SAMPLING_NUMBER(top_p, "top-p")},
      {{.name = "min-p",
        .kind = Kind::kNumber,
        .placeholder = "X",
        .fallback = "0.05",
        .help = "leave out tokens less likely than X times the likeliest; 0: off",
        .least = 0,
        .most = 1},
       BRISK_SAMPLING_NUMBER(min_p, "min-p")},
      {{.name = "repeat-penalty",
        .kind = Kind::kNumber,
        .placeholder = "X",
        .fallback = "1",
        .help = "make tokens that were there already less likely; 1: off",
        .least = 0,
        .most = 100},
       BRISK_SAMPLING_NUMBER(repeat_penalty, "repeat-penalty")},
      {{.name = "presence-penalty",
        .kind = Kind::kNumber,
        .placeholder = "X",
        .fallback = "0",
        .help = "taken once from tokens that were there already; 0: off",
        .least = -100,
        .most = 100},
       BRISK_SAMPLING_NUMBER(presence_penalty, "presence-penalty")},
      {{.name = "frequency-penalty",
        .kind = Kind::kNumber,
        .placeholder = "X",
        .fallback = "0",
        .help = "taken for each time a token was there; 0: off",
        .least = -100,
        .most = 100},
       BRISK_SAMPLING_NUMBER(frequency_penalty, "frequency-penalty")},
      {{.name = "repeat-last-n",
        .kind = Kind::kInteger,
        .placeholder = "N",
        .fallback = "64",
        .help = "tokens that the penalties look back; -1: all, 0: none",
        .least = -1,
        .most = 1 << 30},
       BRISK_SAMPLING_INTEGER(repeat_last_n, "repeat-last-n")},
      {{.name = "seed",
        .aliases = "-s",
        .kind = Kind::kInteger,
        .placeholder = "N",
        .fallback = "-1",
        .help = "seed of the draw: the same seed gives the same answer; -1: another one each time",
        .least = -1},
       [](GenerateOptions& o, const Arguments& a) {
         const int64_t seed = a.integer("seed");
         o.sampling.seed = seed >= 0 ? static_cast<uint64_t>(seed) : std::random_device{}();
       },
       [](const GenerateOptions& o) { return std::to_string(o.sampling.seed); }},
  };
  return table;
}

#undef BRISK_SAMPLING_NUMBER
#undef BRISK_SAMPLING_INTEGER

const char* no_variable(const char*) { return nullptr; }

double per_second(int64_t count, double ms) { return ms > 0 ? static_cast<double>(count) * 1000 / ms : 0; }

}  // namespace

std::span<const Setting> settings() { return setting_table(); }

std::vector<Option> generation_options() {
  std::vector<Option> options = {
      kModelOption,
      kHubOption,
      kOfflineOption,
      kContextOption,
      kThreadsOption,
      {.name = "system",
       .aliases = "-sys",
       .kind = Kind::kText,
       .placeholder = "TEXT",
       .help = "what the model is told before the conversation"},
      {.name = "chat-template-file",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "use this Jinja template in place of the model's"},
      {.name = "stop",
       .aliases = "-r --reverse-prompt",
       .kind = Kind::kTexts,
       .placeholder = "TEXT",
       .help = "end the answer before TEXT; may be given several times"},
      {.name = "ignore-eos", .help = "go on when the model ends"},
      kExactOption,
      {.name = "batch-size",
       .aliases = "-b -ub --ubatch-size",
       .kind = Kind::kInteger,
       .placeholder = "N",
       .fallback = "512",
       .help = "tokens of a prompt that are computed at once; changes no result",
       .least = 1,
       .most = 1 << 16},
      {.name = "gpu-layers",
       .aliases = "-ngl --n-gpu-layers",
       .kind = Kind::kInteger,
       .placeholder = "N",
       .fallback = "0",
       .help = "taken for llama.cpp's sake: everything runs on the CPU",
       .least = -1,
       .most = 1 << 16},
      {.name = "flash-attn",
       .aliases = "-fa",
       .kind = Kind::kChoice,
       .fallback = "auto",
       .help = "taken for llama.cpp's sake: attention is always computed block by block",
       .choices = "on off auto"},
      {.name = "jinja", .help = "taken for llama.cpp's sake: templates are always Jinja"},
      {.name = "verbose", .aliases = "-v", .help = "tell times and choices on standard error"},
  };
  for (const Option& option : cache_type_options()) options.push_back(option);
  for (const Setting& setting : settings()) options.push_back(setting.option);
  for (const Option& option : decoding_options()) options.push_back(option);
  return options;
}

Result<GenerateOptions> generate_options(const Arguments& arguments) {
  GenerateOptions options;
  for (const Setting& setting : settings()) setting.set(options, arguments);
  options.stop = arguments.texts("stop");
  for (const std::string& stop : options.stop) {
    if (stop.empty()) return usage_error({"--stop", "a text", "an empty one", "leaving it out"});
  }
  options.ignore_eos = arguments.flag("ignore-eos");
  BRISK_TRY(options.sampling.check());
  return options;
}

Status change_setting(const std::string& name, const std::string& value, GenerateOptions& options) {
  std::vector<Option> table;
  for (const Setting& setting : settings()) table.push_back(setting.option);
  const std::vector<std::string> line = {"--" + name + "=" + value};
  BRISK_ASSIGN(const Arguments arguments, parse_arguments("run", table, {}, line, no_variable));
  GenerateOptions changed = options;
  for (const Setting& setting : settings()) {
    if (arguments.given(setting.option.name)) setting.set(changed, arguments);
  }
  BRISK_TRY(changed.sampling.check());
  options = std::move(changed);
  return {};
}

LoadRequest load_request(const Arguments& arguments, std::string model) {
  LoadRequest request{.model = std::move(model)};
  if (arguments.given("threads")) request.threads = arguments.integer("threads");
  if (arguments.given("ctx-size")) request.context = arguments.integer("ctx-size");
  request.exact = arguments.flag("exact");
  return request;
}

std::vector<Option> cache_type_options() {
  const auto option = [](std::string_view name, std::string_view alias, std::string_view help) {
    return Option{.name = name,
                  .aliases = alias,
                  .kind = Kind::kChoice,
                  .help = help,
                  .choices = "f32 f16 bf16 q8_0 q4_0"};
  };
  return {option("cache-type-k", "-ctk", "type of stored keys (else f16; f32 with --exact)"),
          option("cache-type-v", "-ctv", "type of stored values; the same as of the keys")};
}

Result<std::optional<DType>> cache_type(const Arguments& arguments) {
  const std::string keys = arguments.text("cache-type-k"), values = arguments.text("cache-type-v");
  if (!keys.empty() && !values.empty() && keys != values) {
    return usage_error({arguments.spelled("cache-type-v"), "the type of the keys, " + keys, values,
                        "one of the two options alone"});
  }
  const std::string& name = keys.empty() ? values : keys;
  if (name.empty()) return std::optional<DType>();
  constexpr std::pair<std::string_view, DType> kTypes[] = {{"f32", DType::kF32},
                                                           {"f16", DType::kF16},
                                                           {"bf16", DType::kBF16},
                                                           {"q8_0", DType::kQ8_0},
                                                           {"q4_0", DType::kQ4_0}};
  for (const auto& [word, type] : kTypes) {
    if (word == name) return std::optional(type);
  }
  return internal_error({"cache type", "one of the choices", name});
}

Result<std::shared_ptr<const runtime::Model>> load_beside(const LoadRequest& request, ThreadPool& pool) {
  BRISK_ASSIGN(const std::string path, find_model(request.model));
  runtime::LoadOptions options;
  BRISK_ASSIGN(options.isa, active_isa());
  options.exact = request.exact;
  options.kv_type = request.kv_type;
  options.context = request.context;
  if (request.step_tokens > 0) options.step_tokens = request.step_tokens;
  if (request.step_outputs > 0) options.step_outputs = request.step_outputs;
  options.cancel = &interrupt_flag();
  ProgressBar bar("Loading");
  options.progress = [&bar](double share) { bar.update(share); };
  BRISK_ASSIGN(std::shared_ptr<const runtime::Model> model, runtime::Model::load(path, options, pool));
  return model;
}

Result<LoadedModel> load_model(const LoadRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  LoadedModel loaded;
  const int lanes = request.threads > 0 ? static_cast<int>(request.threads) : default_lanes().lanes;
  BRISK_ASSIGN(loaded.pool, ThreadPool::create(lanes));
  BRISK_ASSIGN(loaded.model, load_beside(request, *loaded.pool));
  loaded.load_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return loaded;
}

Result<LoadedModel> load_session(const Arguments& arguments, const GenerateOptions& options) {
  BRISK_ASSIGN(std::string model, model_argument(arguments));
  BRISK_TRY(check_decoding(arguments));
  LoadRequest request = load_request(arguments, std::move(model));
  request.step_tokens = arguments.integer("batch-size");
  BRISK_ASSIGN(request.kv_type, cache_type(arguments));
  if (arguments.integer("gpu-layers") > 0) {
    print_error("note: " + arguments.spelled("gpu-layers") +
                ": there is no GPU support yet; the CPU computes\n");
  }
  BRISK_ASSIGN(LoadedModel loaded, load_model(request));
  BRISK_ASSIGN(runtime::Policies policies, make_policies(arguments, loaded, request));
  if (options.sampling.temperature > 0) BRISK_TRY(refuse_greedy_only(policies, "--temp 0"));
  BRISK_ASSIGN(loaded.session, runtime::Session::create(loaded.model, *loaded.pool, std::move(policies)));
  return loaded;
}

std::string timings_text(const runtime::Generation& generation) {
  const runtime::Timings& t = generation.timings;
  std::string text = std::to_string(t.prompt_n) + " prompt tokens in " + fixed(t.prompt_ms, 0) + " ms (" +
                     fixed(per_second(t.prompt_n, t.prompt_ms), 1) + " t/s)";
  if (t.cache_n > 0) text += ", " + std::to_string(t.cache_n) + " more kept from before";
  return text + "; " + std::to_string(t.predicted_n) + " tokens in " + fixed(t.predicted_ms, 0) + " ms (" +
         fixed(per_second(t.predicted_n, t.predicted_ms), 1) + " t/s); " +
         std::string(finish_reason_name(generation.finish_reason));
}

Json timings_json(const runtime::Timings& t) {
  return {{"cache_n", t.cache_n},
          {"prompt_n", t.prompt_n},
          {"prompt_ms", t.prompt_ms},
          {"prompt_per_second", per_second(t.prompt_n, t.prompt_ms)},
          {"predicted_n", t.predicted_n},
          {"predicted_ms", t.predicted_ms},
          {"predicted_per_second", per_second(t.predicted_n, t.predicted_ms)}};
}

}  // namespace brisk::cli
