#include "runtime/model.hpp"

#include <algorithm>
#include <limits>

#include "base/checked.hpp"
#include "base/memory.hpp"
#include "runtime/fingerprint.hpp"
#include "runtime/kv_store.hpp"

namespace brisk::runtime {

namespace {

constexpr int64_t kDefaultContext = 8192;

std::string mebibytes(uint64_t bytes) { return std::to_string((bytes + (1U << 20) - 1) >> 20) + " MiB"; }

ModelInfo describe(const models::ModelSource& source, const models::LlmConfig& config) {
  ModelInfo info;
  info.name = source.name();
  info.architecture = config.architecture;
  uint64_t bytes = 0;
  for (const Weight& tensor : source.tensors()) {
    info.parameters += element_count(tensor.shape).value_or(0);
    bytes += static_cast<uint64_t>(tensor.bytes());
  }
  info.file_bytes = source.file_bytes();
  info.bits_per_weight =
      info.parameters > 0 ? 8.0 * static_cast<double>(bytes) / static_cast<double>(info.parameters) : 0;
  info.vocabulary = config.vocabulary;
  info.width = config.width;
  info.layers = config.layers;
  info.heads = config.heads;
  info.kv_heads = config.kv_heads;
  info.head_dim = config.head_dim;
  info.ffn = config.ffn;
  info.trained_context = config.trained_context;
  return info;
}

}  // namespace

Result<std::shared_ptr<Model>> Model::load(const std::string& path, const LoadOptions& options,
                                           ThreadPool& pool) {
  std::shared_ptr<Model> model;
  BRISK_TRY(catch_out_of_memory("model", [&]() -> Status {
    BRISK_ASSIGN(std::shared_ptr<const models::ModelSource> source, models::ModelSource::open(path));
    BRISK_ASSIGN(model, load(std::move(source), options, pool));
    return {};
  }));
  return model;
}

Result<std::shared_ptr<Model>> Model::load(std::shared_ptr<formats::GgufFile> file,
                                           const LoadOptions& options, ThreadPool& pool) {
  BRISK_ASSIGN(std::shared_ptr<const models::ModelSource> source,
               models::ModelSource::from_gguf(std::move(file)));
  return load(std::move(source), options, pool);
}

Result<std::shared_ptr<Model>> Model::load(std::shared_ptr<const models::ModelSource> opened,
                                           const LoadOptions& options, ThreadPool& pool) {
  std::shared_ptr<Model> model(new Model());
  model->source_ = std::move(opened);
  model->options_ = options;
  const models::ModelSource& source = *model->source_;
  BRISK_ASSIGN(const models::Architecture* architecture, models::find_architecture(source));
  BRISK_ASSIGN(model->config_, architecture->read_config(source));
  model->info_ = describe(source, model->config_);
  BRISK_TRY(model->read_text_parts());

  const int64_t trained = model->config_.trained_context;
  model->context_ = options.context > 0 ? options.context : std::min(trained, kDefaultContext);
  if (model->context_ > trained) {
    return usage_error({"context",
                        "at most the " + std::to_string(trained) + " tokens that the model was made for",
                        std::to_string(model->context_), "a smaller -c"});
  }
  BRISK_ASSIGN(graph::Graph graph, architecture->build(model->config_, source));
  for (const auto& rewrite : options.rewrites) {
    BRISK_TRY(rewrite(graph));
    BRISK_TRY(graph::verify(graph));
  }
  const int64_t step_tokens = std::min(options.step_tokens, model->context_);
  const graph::PlanOptions plan_options{options.isa,
                                        options.exact,
                                        model->kv_type(),
                                        step_tokens,
                                        std::min(options.step_outputs, step_tokens),
                                        options.passes_off};
  BRISK_ASSIGN(model->plan_, graph::Plan::create(std::move(graph), plan_options));
  model->find_stateful_layers();
  BRISK_TRY(model->check_memory(pool));
  BRISK_TRY(model->plan_->pack_weights(pool, options.progress, options.cancel));
  BRISK_TRY(model->check_file());
  return model;
}

Status Model::read_text_parts() {
  BRISK_ASSIGN(tokenizer_, load_tokenizer(*source_));
  if (tokenizer_->size() > config_.vocabulary) {
    return bad_input({source_->where() + ", tokenizer",
                      "at most " + std::to_string(config_.vocabulary) + " tokens, the rows of the embedding",
                      std::to_string(tokenizer_->size()), "the tokenizer that belongs to these weights"});
  }
  BRISK_ASSIGN(template_source_, runtime::chat_template_source(*source_));
  if (template_source_.empty()) return {};
  // A template that cannot be read spoils chatting, not completing: the error waits for render_chat().
  auto parsed = text::ChatTemplate::parse(template_source_, source_->where() + ", chat template");
  if (parsed.ok()) {
    template_ = std::make_unique<text::ChatTemplate>(std::move(parsed).value());
  } else {
    template_status_ = parsed.status();
  }
  return {};
}

Status Model::check_memory(const ThreadPool& pool) const {
  const uint64_t weights = static_cast<uint64_t>(plan_->packed_bytes());
  const uint64_t kv = KvStore::bytes_needed(kv_groups(), context_);
  const uint64_t work = static_cast<uint64_t>(plan_->arena_bytes() + plan_->scratch_bytes() * pool.lanes());
  const uint64_t needed = checked_add(weights + work, kv).value_or(std::numeric_limits<uint64_t>::max());
  const MemoryOffer offer = memory_offer();
  if (offer.available == 0 || needed <= offer.available) return {};
  return environment_error(
      {info_.name,
       mebibytes(needed) + " of memory (weights " + mebibytes(weights) + ", keys and values " +
           mebibytes(kv) + ", work space " + mebibytes(work) + ")",
       mebibytes(offer.available) + " available", "a smaller context (-c) or a smaller model"});
}

DType Model::kv_type() const { return options_.kv_type.value_or(options_.exact ? DType::kF32 : DType::kF16); }

std::vector<KvGroup> Model::kv_groups() const {
  KvGroup full;
  full.name = "full";
  for (int64_t layer = 0; layer < config_.layers; ++layer) full.layers.push_back(static_cast<int32_t>(layer));
  full.geometry = {config_.kv_heads, config_.head_dim, config_.head_dim, kv_type()};
  return {std::move(full)};
}

void Model::find_stateful_layers() {
  for (const graph::Node& node : plan_->graph().nodes()) {
    if (std::string_view(node.op->name) != "kv_store") continue;
    stateful_layers_.push_back({static_cast<int32_t>(node.attributes.integer("layer")), node.segment});
  }
  const graph::Graph& graph = plan_->graph();
  const std::vector<Dim>& positions = graph.value(graph.find_input("positions")).type.shape;
  if (positions.size() > 1) position_components_ = positions[1].constant();
}

Result<std::string> Model::render_chat(const Json& messages, bool add_generation_prompt,
                                       const Json& variables) const {
  BRISK_TRY(template_status_);
  if (template_ == nullptr) {
    return bad_input(
        {info_.name, "a chat template", "none in the file", "--no-chat, or --chat-template-file"});
  }
  Json all = variables.is_object() ? variables : Json::object();
  all["messages"] = messages;
  all["add_generation_prompt"] = add_generation_prompt;
  auto name_token = [&](const char* name, int32_t id) {
    if (!all.contains(name) && id >= 0) all[name] = std::string(tokenizer_->token_text(id));
  };
  name_token("bos_token", tokenizer_->bos());
  name_token("eos_token", tokenizer_->eos());
  return template_->render(all);
}

const std::string& Model::fingerprint() const {
  // Not at load: its samples lie all over the file, and touching their pages takes 20 ms (2026-11).
  std::call_once(fingerprint_once_, [this] {
    if (auto digits = runtime::fingerprint(*source_); digits.ok()) fingerprint_ = std::move(digits).value();
  });
  return fingerprint_;
}

bool Model::file_damaged() const { return source_->damaged(); }

Status Model::check_file() const { return source_->check_unchanged(); }

}  // namespace brisk::runtime
