// brisk eval: how well a model does on a task. The first kind of task is multiple choice.
#include <chrono>
#include <optional>

#include "base/file.hpp"
#include "base/paths.hpp"
#include "base/progress.hpp"
#include "base/signals.hpp"
#include "base/utf8.hpp"
#include "cli/decoding_options.hpp"
#include "cli/input.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"
#include "cli/verb.hpp"
#include "evaluate/bootstrap.hpp"
#include "evaluate/multiple_choice.hpp"

namespace brisk::cli {
namespace {

using evaluate::ChoiceFigures;
using evaluate::ChoiceReport;
using evaluate::Interval;

/// More outputs in one step than generation needs; bounds the logits' memory.
constexpr int64_t kOutputs = 256;
/// Fewer items say little.
constexpr size_t kFewItems = 20;

/// What was measured, under one way of reading the scores.
struct Summary {
  ChoiceFigures mean;
  Interval mc1, mc2;

  Summary(const ChoiceReport& report, uint64_t seed) : mean(report.mean()) {
    const evaluate::BootstrapOptions options{.seed = seed};
    mc1 = bootstrap_mean(report.values(&ChoiceFigures::mc1), options);
    mc2 = bootstrap_mean(report.values(&ChoiceFigures::mc2), options);
  }

  Json json() const {
    return {{"mc1", mean.mc1},
            {"mc1_interval", {mc1.low, mc1.high}},
            {"mc2", mean.mc2},
            {"mc2_interval", {mc2.low, mc2.high}},
            {"mc3", mean.mc3}};
  }

  std::vector<std::string> cells(std::string name) const {
    const auto percent = [](double share) { return fixed(share * 100, 1); };
    const auto range = [&](const Interval& i) { return percent(i.low) + " to " + percent(i.high); };
    return {std::move(name), percent(mean.mc1), range(mc1), percent(mean.mc2), range(mc2), percent(mean.mc3)};
  }
};

struct Outcome {
  std::string task, model, method, normalisation;
  size_t items = 0;
  int64_t answers = 0, tokens = 0;
  double seconds = 0;
  Summary summary;
  std::optional<Summary> unfiltered;  // of contrasting methods

  Json json() const {
    Json result = {{"task", task},   {"model", model},     {"decode", method}, {"mc_norm", normalisation},
                   {"items", items}, {"answers", answers}, {"tokens", tokens}};
    result.update(summary.json());
    if (unfiltered) result["unfiltered"] = unfiltered->json();
    result["seconds"] = seconds;
    return result;
  }

  std::string text() const {
    Facts facts;
    facts.add("task", escape_for_terminal(task) + ": " + grouped(items) + " items, " +
                          grouped(static_cast<uint64_t>(answers)) + " answers, " +
                          grouped(static_cast<uint64_t>(tokens)) + " tokens");
    facts.add("model", escape_for_terminal(model));
    facts.add("decode", method + ", --mc-norm " + normalisation + ", " + fixed(seconds, 1) + " s");
    Table table(
        {{"SCORES"}, {"MC1 %", true}, {"95 %", true}, {"MC2 %", true}, {"95 %", true}, {"MC3 %", true}});
    table.add(summary.cells(unfiltered ? "filtered" : "all"));
    if (unfiltered) table.add(unfiltered->cells("unfiltered"));
    return facts.text() + "\n" + table.text();
  }
};

Json per_item_json(size_t index, const evaluate::ChoiceTask& task, const ChoiceFigures& figures,
                   const std::vector<runtime::ScoredText>& scores) {
  Json answers = Json::array();
  for (size_t a = 0; a < scores.size(); ++a) {
    Json answer = {{"correct", a < task.correct[index]},
                   {"tokens", scores[a].logprobs.size()},
                   {"logprob", scores[a].sum()}};
    if (!scores[a].unfiltered.empty()) answer["unfiltered"] = scores[a].unfiltered_sum();
    answers.push_back(std::move(answer));
  }
  return {{"index", index},
          {"mc1", figures.mc1},
          {"mc2", figures.mc2},
          {"mc3", figures.mc3},
          {"answers", std::move(answers)}};
}

Status write_items(AtomicFile& file, const evaluate::ChoiceTask& task, const ChoiceReport& report,
                   const std::vector<std::vector<runtime::ScoredText>>& scores) {
  for (size_t i = 0; i < task.size(); ++i) {
    BRISK_TRY(file.write(to_json_text(per_item_json(i, task, report.items[i], scores[i])) + "\n"));
  }
  return file.commit();
}

Result<evaluate::ChoiceTask> read_task(const runtime::Model& model, const std::string& content,
                                       const std::string& name) {
  BRISK_ASSIGN(evaluate::ChoiceTask task, evaluate::read_choice_task(model, content, name));
  if (task.size() < kFewItems) {
    print_error("warning: " + escape_for_terminal(name) + " has only " + std::to_string(task.size()) +
                " items: the figures say little\n");
  }
  return task;
}

int64_t answer_count(const evaluate::ChoiceTask& task) {
  int64_t answers = 0;
  for (const runtime::ScoreItem& item : task.items) answers += std::ssize(item.continuations);
  return answers;
}

Status run(const Arguments& arguments) {
  BRISK_ASSIGN(std::string word, model_argument(arguments));
  BRISK_TRY(check_decoding(arguments));
  const std::string path = arguments.text("task");
  if (path.empty()) return usage_error({"brisk eval", "a task", "none", "--task items.jsonl"});
  BRISK_ASSIGN(const std::string content, read_text(path));
  std::optional<AtomicFile> file;
  if (arguments.given("output")) {
    BRISK_ASSIGN(file, AtomicFile::create(arguments.text("output"), arguments.flag("force")));
  }
  LoadRequest request = load_request(arguments, std::move(word));
  request.step_outputs = kOutputs;
  BRISK_ASSIGN(const LoadedModel loaded, load_model(request));
  const std::string name = path == "-" ? "standard input" : std::string(base_name(path));
  BRISK_ASSIGN(const evaluate::ChoiceTask task, read_task(*loaded.model, content, name));
  BRISK_ASSIGN(runtime::Policies policies, make_policies(arguments, loaded, request));
  BRISK_TRY(refuse_greedy_only(policies, ""));
  const bool contrasts = policies.decoding != nullptr;
  BRISK_ASSIGN(const auto scorer, runtime::Scorer::create(loaded.model, *loaded.pool, std::move(policies)));

  const auto start = std::chrono::steady_clock::now();
  ProgressBar bar("Scoring");
  BRISK_ASSIGN(const auto scores,
               scorer->score(task.items, [&bar](double share) { bar.update(share); }, &interrupt_flag()));
  bar.finish();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const auto normalisation =
      arguments.text("mc-norm") == "token" ? evaluate::Normalisation::kToken : evaluate::Normalisation::kNone;
  const auto seed = static_cast<uint64_t>(arguments.integer("seed"));
  const ChoiceReport report = judge_all(task, scores, normalisation);
  Outcome outcome{.task = name,
                  .model = loaded.model->info().name,
                  .method = arguments.text("decode"),
                  .normalisation = arguments.text("mc-norm"),
                  .items = task.size(),
                  .answers = answer_count(task),
                  .tokens = task.tokens(),
                  .seconds = seconds,
                  .summary = Summary(report, seed),
                  .unfiltered = {}};
  if (contrasts) outcome.unfiltered.emplace(judge_all(task, scores, normalisation, true), seed);
  if (file) BRISK_TRY(write_items(*file, task, report, scores));
  return arguments.flag("json") ? print_json(outcome.json()) : print(outcome.text());
}

std::vector<Option> eval_options() {
  std::vector<Option> options = {
      kModelOption,
      kHubOption,
      kOfflineOption,
      {.name = "task",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "questions, one JSON object per line; - is standard input"},
      {.name = "mc-norm",
       .kind = Kind::kChoice,
       .fallback = "none",
       .help = "an answer's log-probability: none sums over its tokens, token takes their mean",
       .choices = "none token"},
      {.name = "output",
       .aliases = "-o",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "also write one JSON line per item to FILE"},
      {.name = "force", .help = "replace FILE when it exists"},
      {.name = "seed",
       .kind = Kind::kInteger,
       .placeholder = "N",
       .fallback = "0",
       .help = "seed of the bootstrap intervals",
       .least = 0},
      kContextOption,
      kThreadsOption,
      kExactOption,
  };
  for (const Option& option : decoding_options()) options.push_back(option);
  options.push_back(kJsonOption);
  return options;
}

}  // namespace

Verb verb_eval() {
  return {
      .name = "eval",
      .group = VerbGroup::kJudge,
      .summary = "how well a model answers multiple-choice questions",
      .details =
          "Questions are {\"prompt\": TEXT, \"correct\": [TEXT, ...], \"incorrect\": [TEXT, ...]}; TEXT is a "
          "string or a list of token ids. MC1: the likeliest answer is a correct one. MC2: the correct "
          "answers' share of the probability of all. MC3: the share of correct answers above every incorrect "
          "one. Intervals: bootstrap over items.",
      .positionals = {{.name = "MODEL",
                       .help = "a model file, a name from 'brisk list', or built-in (the default)"}},
      .options = eval_options(),
      .examples = {"brisk eval --task items.jsonl",
                   "brisk eval model.gguf --task items.jsonl --decode prunecd --prunecd prunecd.json --json"},
      .run = run,
  };
}

}  // namespace brisk::cli
