// Options of everything that generates text: model, threads, sampling. One table for `run`, `chat` and the
// chat's /set.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "base/thread_pool.hpp"
#include "cli/options.hpp"
#include "runtime/generate.hpp"

namespace brisk::cli {

/// -m --model.
inline constexpr Option kModelOption = {
    .name = "model",
    .aliases = "-m",
    .kind = Kind::kFile,
    .placeholder = "MODEL",
    .help = "a model file, a name from 'brisk list', or built-in (the default)"};
/// -t --threads.
inline constexpr Option kThreadsOption = {.name = "threads",
                                          .aliases = "-t",
                                          .kind = Kind::kInteger,
                                          .placeholder = "T",
                                          .help = "threads (else what 'brisk doctor' shows)",
                                          .least = 1,
                                          .most = kMaxLanes};
/// -c --ctx-size.
inline constexpr Option kContextOption = {
    .name = "ctx-size",
    .aliases = "-c --ctx --max-model-len",
    .kind = Kind::kInteger,
    .placeholder = "N",
    .help = "tokens that prompt and answer may have together (else the model's, at most 8192); 32k is 32768",
    .least = 1,
    .most = 1 << 30};
/// -ctk --cache-type-k and -ctv --cache-type-v: how keys and values are stored, one type for both.
std::vector<Option> cache_type_options();
inline constexpr Option kExactOption = {
    .name = "exact",
    .help = "compute with f32 activations and keys and values: slower, closest to the model"};

/// What can be changed between two answers: sampling and length.
struct Setting {
  Option option;
  void (*set)(runtime::GenerateOptions& options, const Arguments& arguments);
  std::string (*show)(const runtime::GenerateOptions& options);
};
std::span<const Setting> settings();

/// The table of `run` and `chat`: model, context, threads, template, and all settings.
std::vector<Option> generation_options();

/// Checked generation options of a call of a verb with that table. A seed of -1 becomes a random one.
Result<runtime::GenerateOptions> generate_options(const Arguments& arguments);
/// Sets one setting by name from text, checked like the option.
Status change_setting(const std::string& name, const std::string& value, runtime::GenerateOptions& options);

/// A loaded model with threads and room for one conversation.
struct LoadedModel {
  std::unique_ptr<ThreadPool> pool;
  std::shared_ptr<const runtime::Model> model;
  std::unique_ptr<runtime::Session> session;
  double load_ms = 0;
};
/// Loads by the same table, with a progress bar when it takes long. What the user should know of the decoding
/// method is told on standard error; one whose scores are no probabilities is refused unless `options` are
/// greedy.
Result<LoadedModel> load_session(const Arguments& arguments, const runtime::GenerateOptions& options);
/// What load_model() needs to know; zeros mean the defaults.
struct LoadRequest {
  std::string model;
  int64_t threads = 0, context = 0, step_tokens = 0;
  int64_t step_outputs = 0;  ///< tokens of one step whose logits are wanted
  bool exact = false;
  std::optional<DType> kv_type = {};  ///< of stored keys and values
};
/// By the options --ctx-size, --threads, --exact and, where a verb has them, --cache-type-k and -v; `model`
/// as the user typed it.
LoadRequest load_request(const Arguments& arguments, std::string model);
/// Reads cache_type_options(). Two different types are a usage error.
Result<std::optional<DType>> cache_type(const Arguments& arguments);
/// Loads a model without a session.
Result<LoadedModel> load_model(const LoadRequest& request);
/// A further model for the same threads.
Result<std::shared_ptr<const runtime::Model>> load_beside(const LoadRequest& request, ThreadPool& pool);

/// "16 prompt tokens at 120.3 t/s, 42 tokens at 55.1 t/s": of an answer, for people.
std::string timings_text(const runtime::Generation& generation);
/// llama-server's object.
Json timings_json(const runtime::Timings& timings);

}  // namespace brisk::cli
