// brisk profile: what a technique needs to know of a model, saved to a file. The first kind is `layers`:
// which layers PruneCD passes by.
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
#include "evaluate/flatness.hpp"
#include "evaluate/layer_search.hpp"
#include "evaluate/layer_sets.hpp"
#include "evaluate/text.hpp"
#include "runtime/prunecd_profile.hpp"

namespace brisk::cli {
namespace {

using evaluate::LayerSearchOptions;
using evaluate::LayerSearchResult;
using evaluate::MeasuredSet;
using evaluate::SearchKind;
using evaluate::SearchObjective;
using evaluate::SetFigures;

/// More outputs in one step than generation needs: every stream of a token has its own.
constexpr int64_t kOutputs = 256;
/// Fewer items make a search that mostly finds noise.
constexpr size_t kFewItems = 20;

SearchKind search_kind(const std::string& name) {
  if (name == "topk") return SearchKind::kTopK;
  if (name == "window") return SearchKind::kWindow;
  return name == "exhaustive" ? SearchKind::kExhaustive : SearchKind::kGreedy;
}

LayerSearchOptions search_options(const Arguments& arguments) {
  LayerSearchOptions options;
  options.search = search_kind(arguments.text("search"));
  options.objective =
      arguments.text("objective") == "contrast" ? SearchObjective::kContrast : SearchObjective::kDrop;
  if (arguments.given("kmax")) options.kmax = arguments.integer("kmax");
  options.candidates = arguments.integer("candidates");
  options.tau = arguments.number("tau");
  options.tau_all = arguments.number("tau-all");
  options.min_gain = arguments.number("min-gain");
  return options;
}

Json set_json(const MeasuredSet& set, double full) {
  return {{"layers", set.layers},
          {"truth", set.figures.truth},
          {"drop", full - set.figures.truth},
          {"mc1", set.figures.mc1},
          {"contrast", set.figures.contrast},
          {"contrast_mc1", set.figures.contrast_mc1},
          {"fluency", set.figures.fluency}};
}

/// How the search went, for people and scripts.
Json search_json(const Arguments& arguments, const SetFigures& full, const LayerSearchResult& result) {
  Json singles = Json::array(), tried = Json::array();
  for (const MeasuredSet& set : result.singles) singles.push_back(set_json(set, full.truth));
  for (const MeasuredSet& set : result.tried) tried.push_back(set_json(set, full.truth));
  return {{"search", arguments.text("search")},
          {"objective", arguments.text("objective")},
          {"mc_norm", arguments.text("mc-norm")},
          {"tau", arguments.number("tau")},
          {"tau_all", arguments.number("tau-all")},
          {"min_gain", arguments.number("min-gain")},
          {"mc1", full.mc1},
          {"best", set_json(result.best, full.truth)},
          {"singles", std::move(singles)},
          {"tried", std::move(tried)}};
}

std::string set_name(const evaluate::LayerSet& layers) {
  std::string name;
  for (const int64_t layer : layers) name += (name.empty() ? "" : ", ") + std::to_string(layer);
  return name.empty() ? "none" : name;
}

std::string sets_text(const SetFigures& full, const LayerSearchResult& result) {
  Table table({{"WITHOUT"}, {"TRUTH %", true}, {"DROP", true}, {"CONTRAST %", true}, {"FLUENCY", true}});
  const auto add = [&](const MeasuredSet& set) {
    table.add({set_name(set.layers), fixed(set.figures.truth * 100, 2),
               fixed((full.truth - set.figures.truth) * 100, 2), fixed(set.figures.contrast * 100, 2),
               fixed(set.figures.fluency, 3)});
  };
  add({{}, full});
  for (const MeasuredSet& set : result.singles) add(set);
  for (const MeasuredSet& set : result.tried) add(set);
  return table.text();
}

std::string flatness_text(const std::vector<runtime::FlatnessRow>& rows) {
  Table table({{"AMATEUR"},
               {"ENTROPY", true},
               {"SPREAD", true},
               {"MAX - MEAN", true},
               {"TOP 10", true},
               {"SPEARMAN 50", true},
               {"JSD", true}});
  for (const runtime::FlatnessRow& row : rows) {
    table.add({row.amateur, fixed(row.entropy, 3), fixed(row.spread, 3), fixed(row.max_minus_mean, 3),
               fixed(row.top10_overlap, 3), fixed(row.spearman50, 3), fixed(row.jsd, 4)});
  }
  return table.text();
}

/// What the search reads.
struct Calibration {
  evaluate::ChoiceTask task;
  std::vector<runtime::ScoreItem> text;
};

/// The contents of --calibrate and --text, read before the model is loaded.
struct Contents {
  std::string items, text;
};

Result<Contents> read_contents(const Arguments& arguments) {
  if (arguments.text("calibrate").empty()) {
    return usage_error({"brisk profile layers", "questions to calibrate on", "none",
                        "--calibrate items.jsonl (as 'brisk eval --task' takes them)"});
  }
  Contents contents;
  BRISK_ASSIGN(contents.items, read_text(arguments.text("calibrate")));
  contents.text = evaluate::neutral_text();
  if (arguments.given("text")) {
    BRISK_ASSIGN(contents.text, read_utf8(arguments.text("text")));
  }
  return contents;
}

Result<Calibration> encode_calibration(const Arguments& arguments, const runtime::Model& model,
                                       const Contents& contents) {
  Calibration calibration;
  const std::string name(base_name(arguments.text("calibrate")));
  BRISK_ASSIGN(calibration.task, evaluate::read_choice_task(model, contents.items, name));
  if (calibration.task.size() < kFewItems) {
    print_error("warning: " + escape_for_terminal(name) + " has only " +
                std::to_string(calibration.task.size()) + " items; at least " + std::to_string(kFewItems) +
                ", better 100 to 200, make the search find more than noise\n");
  }
  const std::string text_name =
      arguments.given("text") ? std::string(base_name(arguments.text("text"))) : "neutral text";
  BRISK_ASSIGN(calibration.text, evaluate::read_text_task(model, contents.text, text_name));
  return calibration;
}

/// The profile, with all that was found out on the way.
struct Found {
  runtime::PrunecdProfile profile;
  SetFigures full;
  LayerSearchResult result;
};

Result<Found> search(const Arguments& arguments, const LoadedModel& loaded, const Calibration& calibration,
                     const runtime::ContrastSettings& contrast) {
  evaluate::SetMeterOptions options;
  options.normalisation =
      arguments.text("mc-norm") == "none" ? evaluate::Normalisation::kNone : evaluate::Normalisation::kToken;
  options.contrast = contrast;
  evaluate::SetMeter meter(loaded.model, *loaded.pool, calibration.task, calibration.text, options);
  ProgressBar bar("Searching");
  const evaluate::MeasureSets measure = [&](std::span<const evaluate::LayerSet> sets,
                                            std::string_view stage) {
    const auto progress = [&](double share) { bar.update(share, std::string(stage)); };
    return meter.measure(sets, progress, &interrupt_flag());
  };
  Found found;
  BRISK_ASSIGN(found.full, meter.measure_full(&interrupt_flag()));
  const int64_t layers = loaded.model->config().layers;
  BRISK_ASSIGN(found.result, search_layers(layers, found.full, search_options(arguments), measure));
  found.profile = {.fingerprint = loaded.model->fingerprint(),
                   .layers = layers,
                   .pruned = found.result.best.layers,
                   .mode = contrast.mode,
                   .alpha = contrast.alpha,
                   .lambda = contrast.lambda,
                   .calibration = calibration.task.hash,
                   .s0 = found.full.truth,
                   .drop = found.full.truth - found.result.best.figures.truth,
                   .fluency = found.result.best.figures.fluency,
                   .search = search_json(arguments, found.full, found.result)};
  return found;
}

Status add_flatness(const LoadedModel& loaded, const Calibration& calibration,
                    runtime::PrunecdProfile& profile) {
  ProgressBar bar("Comparing");
  const auto progress = [&bar](double share) { bar.update(share); };
  BRISK_ASSIGN(profile.flatness, evaluate::flatness_table(loaded.model, *loaded.pool, calibration.task,
                                                          profile.pruned, progress, &interrupt_flag()));
  return {};
}

Status tell(const Arguments& arguments, const Found& found) {
  if (found.profile.pruned.empty()) {
    print_error(
        "warning: no layer qualifies: all cost too little truth or too much fluency. The profile is empty, "
        "and "
        "--decode prunecd with it is plain decoding. --tau, --min-gain or other questions may help\n");
  }
  if (arguments.flag("json")) return print_json(to_json(found.profile));
  std::string text = sets_text(found.full, found.result);
  if (!found.profile.flatness.empty()) text += "\n" + flatness_text(found.profile.flatness);
  return print(text + "\npruned layers: " + set_name(found.profile.pruned) + "\n");
}

Status check_kind(const Arguments& arguments) {
  const std::string kind = arguments.positional(0);
  if (kind == "layers") return {};
  return usage_error({"brisk profile", "what to profile: layers", "'" + kind + "'",
                      "brisk profile layers MODEL --method prunecd"});
}

Status run(const Arguments& arguments) {
  BRISK_TRY(check_kind(arguments));
  BRISK_ASSIGN(std::string word, model_argument(arguments, 1));
  BRISK_ASSIGN(const runtime::ContrastSettings contrast, contrast_settings(arguments));
  const std::string path = arguments.text("output");
  if (path.empty())
    return usage_error({"brisk profile", "a file for the profile", "none", "-o prunecd.json"});
  BRISK_ASSIGN(const Contents contents, read_contents(arguments));
  // Made first: whether the file may be written should not come out after the search.
  BRISK_ASSIGN(AtomicFile file, AtomicFile::create(path, arguments.flag("force")));
  LoadRequest request = load_request(arguments, std::move(word));
  request.step_outputs = kOutputs;
  BRISK_ASSIGN(const LoadedModel loaded, load_model(request));
  BRISK_ASSIGN(const Calibration calibration, encode_calibration(arguments, *loaded.model, contents));
  BRISK_ASSIGN(Found found, search(arguments, loaded, calibration, contrast));
  if (arguments.flag("report")) BRISK_TRY(add_flatness(loaded, calibration, found.profile));
  BRISK_TRY(file.write(to_json_text(to_json(found.profile), 2) + "\n"));
  BRISK_TRY(file.commit());
  return tell(arguments, found);
}

std::vector<Option> profile_options() {
  std::vector<Option> options = {
      kModelOption,
      kHubOption,
      kOfflineOption,
      {.name = "method",
       .kind = Kind::kChoice,
       .fallback = "prunecd",
       .help = "technique that the profile is for",
       .choices = "prunecd"},
      {.name = "calibrate",
       .aliases = "--calib",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "questions with answers, as 'brisk eval --task' takes them; 100 to 200 are enough"},
      {.name = "text",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "text that shows fluency: plain, or lines {\"text\": TEXT} (else a short one of our own)"},
      {.name = "output",
       .aliases = "-o",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "the profile is written here"},
      {.name = "force", .help = "replace FILE when it exists"},
      {.name = "search",
       .kind = Kind::kChoice,
       .fallback = "greedy",
       .help =
           "greedy grows a set; topk takes the best single layers; window tries neighbours; exhaustive all "
           "sets of one or two",
       .choices = "greedy topk window exhaustive"},
      {.name = "objective",
       .kind = Kind::kChoice,
       .fallback = "drop",
       .help = "look for the greatest loss of truth, or for the greatest gain by contrast",
       .choices = "drop contrast"},
      {.name = "kmax",
       .kind = Kind::kInteger,
       .placeholder = "K",
       .help = "layers of the set at most (else an eighth of the model's, at least 2)",
       .least = 1,
       .most = 1 << 16},
      {.name = "candidates",
       .kind = Kind::kInteger,
       .placeholder = "M",
       .fallback = "8",
       .help = "single layers that growth chooses from",
       .least = 1,
       .most = 1 << 16},
      {.name = "tau",
       .kind = Kind::kNumber,
       .placeholder = "T",
       .fallback = "1.3",
       .help = "greatest perplexity ratio without one layer",
       .least = 0,
       .most = 1e6},
      {.name = "tau-all",
       .kind = Kind::kNumber,
       .placeholder = "T",
       .fallback = "2",
       .help = "greatest perplexity ratio without the set",
       .least = 0,
       .most = 1e6},
      {.name = "min-gain",
       .kind = Kind::kNumber,
       .placeholder = "P",
       .fallback = "0.2",
       .help = "points of truth that one more layer must bring",
       .least = 0,
       .most = 100},
      {.name = "mc-norm",
       .kind = Kind::kChoice,
       .fallback = "token",
       .help = "an answer's log-probability: none sums over its tokens, token takes their mean",
       .choices = "none token"},
      {.name = "report", .help = "also compare early exits and the pruned model (flatness table)"},
      kContextOption,
      kThreadsOption,
      kExactOption,
  };
  for (const Option& option : contrast_options()) options.push_back(option);
  options.push_back(kJsonOption);
  return options;
}

}  // namespace

Verb verb_profile() {
  return {
      .name = "profile",
      .group = VerbGroup::kJudge,
      .summary = "find out what a technique needs to know of a model",
      .details =
          "layers: searches the layers without which the model is least truthful and still fluent, for "
          "--decode prunecd. The settings --cd-* are stored in the profile as its defaults.",
      .positionals = {{.name = "WHAT", .help = "layers", .required = true, .file = false},
                      {.name = "MODEL",
                       .help = "a model file, a name from 'brisk list', or built-in (the default)"}},
      .options = profile_options(),
      .examples =
          {"brisk profile layers --calibrate items.jsonl -o prunecd.json",
           "brisk profile layers model.gguf --method prunecd --calibrate items.jsonl --report -o p.json"},
      .run = run,
  };
}

}  // namespace brisk::cli
