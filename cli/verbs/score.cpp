// brisk score: log-probabilities that a model gives to texts, one JSON line per item.
#include <algorithm>
#include <optional>

#include "base/file.hpp"
#include "base/paths.hpp"
#include "base/progress.hpp"
#include "base/signals.hpp"
#include "cli/decoding_options.hpp"
#include "cli/input.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"
#include "cli/verb.hpp"
#include "evaluate/encode.hpp"

namespace brisk::cli {
namespace {

/// Tokens of the items that are scored together: results appear after so many.
constexpr size_t kTokensAtOnce = 4096;
/// More outputs in one step than generation needs; bounds the logits' memory.
constexpr int64_t kOutputs = 256;

Json item_json(size_t index, const runtime::ScoreItem& item, const std::vector<runtime::ScoredText>& scores) {
  Json continuations = Json::array();
  for (size_t c = 0; c < scores.size(); ++c) {
    Json one = {
        {"tokens", item.continuations[c]}, {"logprobs", scores[c].logprobs}, {"sum", scores[c].sum()}};
    if (!scores[c].unfiltered.empty()) {
      one["unfiltered"] = scores[c].unfiltered;
      one["unfiltered_sum"] = scores[c].unfiltered_sum();
    }
    continuations.push_back(std::move(one));
  }
  return {{"index", index}, {"continuations", std::move(continuations)}};
}

size_t token_count(const runtime::ScoreItem& item) {
  size_t tokens = item.prompt.size();
  for (const auto& continuation : item.continuations) tokens += continuation.size();
  return tokens;
}

/// How many items from the front are scored together.
size_t chunk_size(std::span<const runtime::ScoreItem> items) {
  size_t count = 0, tokens = 0;
  while (count < items.size() && (count == 0 || tokens < kTokensAtOnce))
    tokens += token_count(items[count++]);
  return count;
}

Result<std::vector<runtime::ScoreItem>> encode_all(const runtime::Model& model,
                                                   const std::vector<evaluate::ContinuationItem>& items,
                                                   const std::string& where) {
  std::vector<runtime::ScoreItem> encoded;
  for (const evaluate::ContinuationItem& item : items) {
    BRISK_ASSIGN(runtime::ScoreItem one, evaluate::encode(model, item, evaluate::place_of(where, item.line)));
    encoded.push_back(std::move(one));
  }
  return encoded;
}

Status score_all(runtime::Scorer& scorer, std::span<const runtime::ScoreItem> items,
                 std::optional<AtomicFile>& file) {
  ProgressBar bar("Scoring");
  const auto all = static_cast<double>(items.size());
  for (size_t done = 0; done < items.size();) {
    const auto chunk = items.subspan(done, chunk_size(items.subspan(done)));
    const auto progress = [&](double share) {
      bar.update((static_cast<double>(done) + share * static_cast<double>(chunk.size())) / all);
    };
    BRISK_ASSIGN(const auto scores, scorer.score(chunk, progress, &interrupt_flag()));
    std::string lines;
    for (size_t i = 0; i < chunk.size(); ++i) {
      lines += to_json_text(item_json(done + i, chunk[i], scores[i])) + "\n";
    }
    if (!file && output_is_terminal()) bar.finish();
    BRISK_TRY(file ? file->write(lines) : print(lines));
    done += chunk.size();
  }
  return {};
}

Status run(const Arguments& arguments) {
  BRISK_ASSIGN(std::string model, model_argument(arguments));
  BRISK_TRY(check_decoding(arguments));
  const std::string path = arguments.text("file");
  if (path.empty()) {
    return usage_error(
        {"brisk score", "items by -f FILE (- is standard input)", "nothing", "-f items.jsonl"});
  }
  BRISK_ASSIGN(const std::string content, read_text(path));
  const std::string where = path == "-" ? "standard input" : std::string(base_name(path));
  BRISK_ASSIGN(const auto items, evaluate::read_continuation_items(content, where));
  std::optional<AtomicFile> file;
  if (arguments.given("output")) {
    BRISK_ASSIGN(file, AtomicFile::create(arguments.text("output"), arguments.flag("force")));
  }
  LoadRequest request = load_request(arguments, std::move(model));
  request.step_outputs = kOutputs;
  BRISK_ASSIGN(const LoadedModel loaded, load_model(request));
  BRISK_ASSIGN(const std::vector<runtime::ScoreItem> encoded, encode_all(*loaded.model, items, where));
  BRISK_ASSIGN(runtime::Policies policies, make_policies(arguments, loaded, request));
  BRISK_TRY(refuse_greedy_only(policies, ""));
  BRISK_ASSIGN(const auto scorer, runtime::Scorer::create(loaded.model, *loaded.pool, std::move(policies)));
  BRISK_TRY(score_all(*scorer, encoded, file));
  return file ? file->commit() : Status();
}

std::vector<Option> score_options() {
  std::vector<Option> options = {
      kModelOption,
      kHubOption,
      kOfflineOption,
      {.name = "file",
       .aliases = "-f",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "items, one JSON object per line; - is standard input"},
      {.name = "output",
       .aliases = "-o",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "write the lines to FILE (else to standard output)"},
      {.name = "force", .help = "replace FILE when it exists"},
      kContextOption,
      kThreadsOption,
      kExactOption,
  };
  for (const Option& option : decoding_options()) options.push_back(option);
  options.push_back({.name = "json", .help = "errors as JSON too"});
  return options;
}

}  // namespace

Verb verb_score() {
  return {
      .name = "score",
      .group = VerbGroup::kJudge,
      .summary = "log-probabilities that a model gives to texts",
      .details =
          "Items are {\"prompt\": TEXT, \"continuations\": [TEXT, ...]} or {\"text\": TEXT}; TEXT is a "
          "string "
          "or a list of token ids. Each gives one line: index, and tokens, logprobs and sum of each "
          "continuation.",
      .positionals = {{.name = "MODEL",
                       .help = "a model file, a name from 'brisk list', or built-in (the default)"}},
      .options = score_options(),
      .examples = {"brisk score -f items.jsonl", "brisk score model.gguf -f items.jsonl -o scores.jsonl",
                   "echo '{\"text\": \"The sky is blue.\"}' | brisk score -f -"},
      .run = run,
  };
}

}  // namespace brisk::cli
