#include "python/src/model.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <variant>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include "base/cpu.hpp"
#include "evaluate/encode.hpp"
#include "kernels/attention/attention.hpp"
#include "python/src/array.hpp"
#include "python/src/decoding.hpp"
#include "python/src/errors.hpp"
#include "python/src/generation.hpp"
#include "python/src/interrupt.hpp"
#include "python/src/tokenizer.hpp"
#include "runtime/engine.hpp"
#include "runtime/generate.hpp"
#include "runtime/model.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace brisk::python {

namespace {

using Tokens = std::vector<int32_t>;
using Prompt = std::variant<std::string, Tokens>;

/// A loaded model and its idle sessions. Shared with the threads that answer from it, so it outlives them.
class Model : public std::enable_shared_from_this<Model> {
 public:
  Model(std::shared_ptr<const runtime::Model> model, std::shared_ptr<ThreadPool> pool)
      : model_(std::move(model)), pool_(std::move(pool)) {}

  const runtime::Model& runtime() const { return *model_; }
  const std::shared_ptr<const runtime::Model>& shared_runtime() const { return model_; }
  ThreadPool& pool() const { return *pool_; }

  /// Answers with an idle session, or with a new one when all are busy.
  Result<runtime::Generation> generate(const Tokens& prompt, const runtime::GenerateOptions& options,
                                       const Stream::OnText& on_text, const std::atomic<bool>* cancel) {
    BRISK_ASSIGN(std::unique_ptr<runtime::Session> session, take_session());
    Result<runtime::Generation> result = session->generate(prompt, options, on_text, cancel);
    const std::lock_guard guard(mutex_);
    idle_.push_back(std::move(session));
    return result;
  }

  /// Answers under policies of their own, from an empty sequence.
  Result<runtime::Generation> generate_with(runtime::Policies policies, const Tokens& prompt,
                                            const runtime::GenerateOptions& options,
                                            const Stream::OnText& on_text, const std::atomic<bool>* cancel) {
    BRISK_ASSIGN(const auto session, runtime::Session::create(model_, *pool_, std::move(policies)));
    return session->generate(prompt, options, on_text, cancel);
  }

  Result<std::vector<float>> logits(const Tokens& tokens, const std::atomic<bool>* cancel) {
    BRISK_ASSIGN(std::unique_ptr<runtime::Session> session, runtime::Session::create(model_, *pool_));
    return session->logits(tokens, cancel);
  }

 private:
  Result<std::unique_ptr<runtime::Session>> take_session() {
    {
      const std::lock_guard guard(mutex_);
      if (!idle_.empty()) {
        auto session = std::move(idle_.back());
        idle_.pop_back();
        return session;
      }
    }
    return runtime::Session::create(model_, *pool_);
  }

  std::shared_ptr<const runtime::Model> model_;
  std::shared_ptr<ThreadPool> pool_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<runtime::Session>> idle_;
};

// Models of one thread count share a pool, as long as one of them lives. Guarded by the GIL.
std::shared_ptr<ThreadPool> shared_pool(int lanes) {
  static std::map<int, std::weak_ptr<ThreadPool>> pools;
  std::weak_ptr<ThreadPool>& known = pools[lanes];
  if (std::shared_ptr<ThreadPool> pool = known.lock()) return pool;
  std::shared_ptr<ThreadPool> pool = unwrap(ThreadPool::create(lanes));
  known = pool;
  return pool;
}

Isa chosen_isa(const std::optional<std::string>& name) {
  if (!name) return unwrap(active_isa());
  std::string known;
  for (const Isa isa : kAllIsas) {
    if (isa > cpu_info().best) break;
    if (isa_name(isa) == *name) return isa;
    known += (known.empty() ? "" : ", ") + std::string(isa_name(isa));
  }
  raise(usage_error({"load, isa", "one of " + known, *name, cpu_info().why}));
}

std::shared_ptr<Model> load(const std::string& path, std::optional<int> threads, bool exact,
                            std::optional<int64_t> context, const std::optional<std::string>& isa) {
  if (context && *context < 1) {
    raise(usage_error({"load, ctx", "a positive number of tokens", std::to_string(*context)}));
  }
  const int lanes = threads.value_or(default_lanes().lanes);
  if (lanes < 1 || lanes > kMaxLanes) {
    raise(usage_error({"load, threads", "1 to " + std::to_string(kMaxLanes), std::to_string(lanes)}));
  }
  runtime::LoadOptions options;
  options.isa = chosen_isa(isa);
  options.exact = exact;
  options.context = context.value_or(0);
  options.step_outputs = options.step_tokens;  // logits() wants every row's
  const std::shared_ptr<ThreadPool> pool = shared_pool(lanes);
  auto model = unwrap(interruptible([&](const std::atomic<bool>* cancel) {
    options.cancel = cancel;
    return runtime::Model::load(path, options, *pool);
  }));
  return std::make_shared<Model>(std::move(model), pool);
}

nb::dict info(const Model& self) {
  const runtime::ModelInfo& model = self.runtime().info();
  nb::dict dict;
  dict["name"] = model.name;
  dict["architecture"] = model.architecture;
  dict["parameters"] = model.parameters;
  dict["file_bytes"] = model.file_bytes;
  dict["bits_per_weight"] = model.bits_per_weight;
  dict["vocabulary"] = model.vocabulary;
  dict["width"] = model.width;
  dict["layers"] = model.layers;
  dict["heads"] = model.heads;
  dict["kv_heads"] = model.kv_heads;
  dict["head_dim"] = model.head_dim;
  dict["ffn"] = model.ffn;
  dict["trained_context"] = model.trained_context;
  dict["context"] = self.runtime().context();
  dict["isa"] = std::string(isa_name(self.runtime().options().isa));
  dict["exact"] = self.runtime().options().exact;
  dict["threads"] = self.pool().lanes();
  return dict;
}

// A Python value as JSON. Python's json writes it, so that whatever it takes, we take.
Json to_json(const nb::object& value, const char* where) {
  const nb::object text = nb::module_::import_("json").attr("dumps")(value);
  return unwrap(parse_json(nb::cast<std::string>(text), where));
}

std::string render_chat(const Model& self, const nb::object& messages, bool add_generation_prompt,
                        const nb::kwargs& variables) {
  return unwrap(self.runtime().render_chat(to_json(messages, "messages"), add_generation_prompt,
                                           to_json(variables, "template variables")));
}

FloatArray logits(Model& self, const Tokens& tokens) {
  std::vector<float> values =
      unwrap(interruptible([&](const std::atomic<bool>* cancel) { return self.logits(tokens, cancel); }));
  const auto vocabulary = static_cast<size_t>(self.runtime().config().vocabulary);
  return to_numpy(std::move(values), {tokens.size(), vocabulary});
}

// Feeds several sequences through shared steps, at most `chunk` rows of each per step.
class BatchFeeder {
 public:
  BatchFeeder(const Model& model, const std::vector<Tokens>& sequences, int64_t chunk)
      : model_(model), sequences_(sequences), chunk_(chunk), fed_(sequences.size(), 0) {}

  /// The logits of every row, per sequence [tokens, vocabulary].
  Result<std::vector<std::vector<float>>> run(const std::atomic<bool>* cancel) {
    BRISK_TRY(begin());
    while (true) {
      const std::vector<runtime::Row> rows = next_rows();
      if (rows.empty()) return std::move(logits_);
      BRISK_ASSIGN(const std::span<const float> step, engine_->step(rows, cancel));
      hand_out(rows, step);
    }
  }

 private:
  Status begin() {
    int64_t capacity = 0;
    for (const Tokens& tokens : sequences_) {
      const auto count = static_cast<int64_t>(tokens.size());
      capacity += (count + kernels::kPageTokens - 1) / kernels::kPageTokens * kernels::kPageTokens;
      logits_.emplace_back();
      logits_.back().reserve(tokens.size() * vocabulary());
    }
    BRISK_ASSIGN(engine_, runtime::Engine::create(model_.shared_runtime(), model_.pool(), capacity));
    for (size_t i = 0; i < sequences_.size(); ++i) {
      BRISK_ASSIGN(const runtime::SequenceId id, engine_->kv().create_sequence());
      ids_.push_back(id);
    }
    return {};
  }

  size_t vocabulary() const { return static_cast<size_t>(model_.runtime().config().vocabulary); }

  std::vector<runtime::Row> next_rows() {
    const auto budget = static_cast<size_t>(model_.runtime().plan().most_outputs());
    std::vector<runtime::Row> rows;
    for (size_t i = 0; i < sequences_.size(); ++i) {
      const Tokens& tokens = sequences_[i];
      const size_t count =
          std::min({static_cast<size_t>(chunk_), tokens.size() - fed_[i], budget - rows.size()});
      for (size_t n = 0; n < count; ++n) rows.push_back({tokens[fed_[i] + n], ids_[i], true});
      fed_[i] += count;
    }
    return rows;
  }

  void hand_out(const std::vector<runtime::Row>& rows, std::span<const float> step) {
    for (size_t r = 0; r < rows.size(); ++r) {
      const auto i =
          static_cast<size_t>(std::find(ids_.begin(), ids_.end(), rows[r].sequence) - ids_.begin());
      const std::span<const float> row = step.subspan(r * vocabulary(), vocabulary());
      logits_[i].insert(logits_[i].end(), row.begin(), row.end());
    }
  }

  const Model& model_;
  const std::vector<Tokens>& sequences_;
  int64_t chunk_;
  std::vector<size_t> fed_;  // tokens of each sequence that were computed
  std::unique_ptr<runtime::Engine> engine_;
  std::vector<runtime::SequenceId> ids_;
  std::vector<std::vector<float>> logits_;
};

std::vector<FloatArray> logits_batch(const Model& self, const std::vector<Tokens>& sequences, int64_t chunk) {
  if (chunk < 1) raise(usage_error({"logits_batch, chunk", "at least 1", std::to_string(chunk)}));
  BatchFeeder feeder(self, sequences, chunk);
  auto logits = unwrap(interruptible([&](const std::atomic<bool>* cancel) { return feeder.run(cancel); }));
  const auto vocabulary = static_cast<size_t>(self.runtime().config().vocabulary);
  std::vector<FloatArray> arrays;
  for (size_t i = 0; i < sequences.size(); ++i) {
    arrays.push_back(to_numpy(std::move(logits[i]), {sequences[i].size(), vocabulary}));
  }
  return arrays;
}

Tokens prompt_tokens(const Model& self, const Prompt& prompt) {
  if (const auto* tokens = std::get_if<Tokens>(&prompt)) return *tokens;
  return encode(self.runtime().tokenizer(), std::get<std::string>(prompt), true, true);
}

runtime::Policies decoding_policies(const Model& self, const nb::object& decode, bool greedy) {
  runtime::Policies policies;
  if (decode.is_none()) return policies;
  const nb::dict given = nb::isinstance<nb::str>(decode) ? nb::dict() : nb::cast<nb::dict>(decode);
  runtime::DecodingOptions options = read_decoding(given, [](const nb::handle& amateur) {
    return nb::cast<std::shared_ptr<Model>>(amateur)->shared_runtime();
  });
  if (nb::isinstance<nb::str>(decode)) options.method = nb::cast<std::string>(decode);
  policies.decoding = unwrap(runtime::create_decoding(self.runtime(), options));
  if (policies.decoding != nullptr && policies.decoding->greedy_only() && !greedy) {
    raise(usage_error({"decode, approximate_head", "greedy decoding: its scores are no probabilities",
                       "another use", "temperature=0"}));
  }
  return policies;
}

using ScoreRequest = std::pair<Prompt, std::vector<Prompt>>;
using Logprobs = std::vector<std::vector<float>>;  // [continuations][tokens]

std::vector<runtime::ScoreItem> encode_items(const Model& self, const std::vector<ScoreRequest>& requests) {
  std::vector<runtime::ScoreItem> items;
  for (size_t i = 0; i < requests.size(); ++i) {
    const evaluate::ContinuationItem item{
        .line = 0, .prompt = requests[i].first, .continuations = requests[i].second};
    items.push_back(unwrap(evaluate::encode(self.runtime(), item, "items[" + std::to_string(i) + "]")));
  }
  return items;
}

std::vector<Logprobs> score_batch(Model& self, const std::vector<ScoreRequest>& requests,
                                  const nb::object& decode) {
  runtime::Policies policies = decoding_policies(self, decode, false);
  const std::vector<runtime::ScoreItem> items = encode_items(self, requests);
  const auto scores = unwrap(interruptible(
      [&](const std::atomic<bool>* cancel) -> Result<std::vector<std::vector<runtime::ScoredText>>> {
        BRISK_ASSIGN(const auto scorer,
                     runtime::Scorer::create(self.shared_runtime(), self.pool(), std::move(policies)));
        return scorer->score(items, {}, cancel);
      }));
  std::vector<Logprobs> all;
  for (const auto& item : scores) {
    Logprobs& logprobs = all.emplace_back();
    for (const runtime::ScoredText& text : item) logprobs.push_back(text.logprobs);
  }
  return all;
}

Logprobs score(Model& self, const Prompt& prompt, const std::vector<Prompt>& continuations,
               const nb::object& decode) {
  return score_batch(self, {{prompt, continuations}}, decode).front();
}

constexpr const char* kScoreDoc =
    "Log-probabilities of each token of each continuation of a prompt; text or token ids. A continuation is "
    "cut\n"
    "off behind the prompt's tokens where the border is one of tokens, else encoded alone.";

nb::object generate(const std::shared_ptr<Model>& self, const Prompt& prompt,
                    std::optional<int64_t> max_tokens, float temperature, int32_t top_k, float top_p,
                    float min_p, float repeat_penalty, float presence_penalty, float frequency_penalty,
                    int32_t repeat_last_n, std::optional<uint64_t> seed, const std::vector<std::string>& stop,
                    bool ignore_eos, bool stream, const nb::object& decode) {
  runtime::GenerateOptions options;
  options.max_tokens = max_tokens.value_or(-1);
  options.sampling = {temperature,
                      top_k,
                      top_p,
                      min_p,
                      repeat_penalty,
                      presence_penalty,
                      frequency_penalty,
                      repeat_last_n,
                      seed.value_or(std::random_device{}())};
  options.stop = stop;
  options.ignore_eos = ignore_eos;
  check(options.sampling.check());
  const runtime::Policies policies = decoding_policies(*self, decode, options.sampling.temperature == 0);
  auto answer = std::make_unique<Stream>([self, options, policies, tokens = prompt_tokens(*self, prompt)](
                                             const Stream::OnText& on_text, const std::atomic<bool>* cancel) {
    if (policies.decoding == nullptr) return self->generate(tokens, options, on_text, cancel);
    return self->generate_with(policies, tokens, options, on_text, cancel);
  });
  return stream ? nb::cast(std::move(answer)) : nb::cast(answer->result());
}

constexpr const char* kGenerateDoc =
    "Continues a prompt (text, in which special tokens are recognised, or token ids) and returns a "
    "Generation,\n"
    "or with stream=True a Stream of text pieces. temperature=0 is greedy; without a seed, a random one.\n"
    "decode: a decoding method, 'dola' or {'method': 'prunecd', 'profile': 'prunecd.json', 'alpha': 0.1}; "
    "keys:\n"
    "method, profile, mode, alpha, lambda, approximate_head, shared_prompt, layers, amateur (a Model).";

// Written out because the function returns any object: a Generation, or with stream=True a Stream.
constexpr const char* kGenerateSignature =
    "def generate(self, prompt: str | list[int], max_tokens: int | None = None, *, temperature: float = 0.8, "
    "top_k: int = 40, top_p: float = 0.95, min_p: float = 0.05, repeat_penalty: float = 1.0, "
    "presence_penalty: float = 0.0, frequency_penalty: float = 0.0, repeat_last_n: int = 64, "
    "seed: int | None = None, stop: list[str] = [], ignore_eos: bool = False, "
    "stream: bool = False, decode: str | dict | None = None) -> Generation | Stream";

constexpr const char* kLoadDoc =
    "Loads a model file. threads: lanes to compute on (default: what this process may use); exact: "
    "reference\n"
    "arithmetic in f32; ctx: tokens a sequence may hold; isa: highest instruction-set level, e.g. 'ref', "
    "'avx2'.";

}  // namespace

void bind_model(nb::module_& module) {
  nb::class_<Model>(module, "Model", "A loaded language model. Any number of threads may use it.")
      .def_prop_ro("info", &info, "What the model is and how it was loaded.")
      .def(
          "tokenize",
          [](const Model& self, std::string_view text, bool add_special, bool parse_special) {
            return encode(self.runtime().tokenizer(), text, add_special, parse_special);
          },
          "text"_a, "add_special"_a = true, "parse_special"_a = true,
          "Token ids of a text. `parse_special`: recognise special tokens written in it (not for text of "
          "users).")
      .def(
          "detokenize",
          [](const Model& self, const Tokens& ids, bool special) {
            return decode(self.runtime().tokenizer(), ids, special);
          },
          "ids"_a, "special"_a = true, "The text of token ids; ill-formed parts become U+FFFD.")
      .def("render_chat", &render_chat, "messages"_a, "add_generation_prompt"_a = true, "variables"_a,
           "The prompt that the model's chat template makes of messages ({'role': ..., 'content': ...}).")
      .def("logits", &logits, "tokens"_a,
           "Logits after each token of one sequence: float32 [tokens, vocabulary].")
      .def("logits_batch", &logits_batch, "sequences"_a, "chunk"_a = 128,
           "Logits of several sequences computed together, `chunk` tokens of each at a time.")
      .def("generate", &generate, "prompt"_a, "max_tokens"_a = nb::none(), nb::kw_only(),
           "temperature"_a = 0.8F, "top_k"_a = 40, "top_p"_a = 0.95F, "min_p"_a = 0.05F,
           "repeat_penalty"_a = 1.0F, "presence_penalty"_a = 0.0F, "frequency_penalty"_a = 0.0F,
           "repeat_last_n"_a = 64, "seed"_a = nb::none(), "stop"_a = std::vector<std::string>{},
           "ignore_eos"_a = false, "stream"_a = false, "decode"_a = nb::none(), kGenerateDoc,
           nb::sig(kGenerateSignature))
      .def("score", &score, "prompt"_a, "continuations"_a, nb::kw_only(), "decode"_a = nb::none(), kScoreDoc,
           nb::sig("def score(self, prompt: str | list[int], continuations: list[str | list[int]], *, "
                   "decode: str | dict | None = None) -> list[list[float]]"))
      .def("score_batch", &score_batch, "items"_a, nb::kw_only(), "decode"_a = nb::none(),
           "score() of several (prompt, continuations), computed together.",
           nb::sig("def score_batch(self, items: list[tuple[str | list[int], list[str | list[int]]]], *, "
                   "decode: str | dict | None = None) -> list[list[list[float]]]"));

  module.def("load", &load, "path"_a, "threads"_a = nb::none(), "exact"_a = false, "ctx"_a = nb::none(),
             "isa"_a = nb::none(), kLoadDoc);
}

}  // namespace brisk::python
