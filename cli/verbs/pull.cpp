// brisk pull: fetches a model of the Hugging Face hub into its cache.
#include <chrono>

#include "base/utf8.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"
#include "cli/pulling.hpp"
#include "cli/verb.hpp"
#include "hub/settings.hpp"

namespace brisk::cli {
namespace {

constexpr double kMostJobs = 16;

uint64_t total_bytes(const hub::PullReport& report) {
  uint64_t bytes = 0;
  for (const hub::PulledFile& entry : report.files) bytes += entry.file.size;
  return bytes;
}

Json report_json(const hub::RepoName& name, const hub::PullReport& report, double seconds) {
  Json files = Json::array();
  for (const hub::PulledFile& entry : report.files) {
    files.push_back({{"name", entry.file.name},
                     {"bytes", entry.file.size},
                     {"hash", entry.file.hash},
                     {"fetched", entry.fetched}});
  }
  return {{"name", name.text()},       {"repo", name.repo},   {"revision", name.revision},
          {"commit", report.commit},   {"path", report.path}, {"bytes", total_bytes(report)},
          {"fetched", report.fetched}, {"seconds", seconds},  {"files", std::move(files)}};
}

std::string report_text(const hub::RepoName& name, const hub::PullReport& report, double seconds) {
  Facts facts;
  facts.add("Model", escape_for_terminal(name.text()));
  facts.add("Path", escape_for_terminal(report.path));
  if (!report.files.empty()) {
    const std::string fetched = report.fetched == 0
                                    ? "all of it was here"
                                    : human_bytes(report.fetched) + " fetched in " + fixed(seconds, 1) + " s";
    facts.add("Size", human_bytes(total_bytes(report)) + " (" + fetched + ")");
  }
  facts.add("Commit", report.commit);
  return facts.text();
}

Result<hub::RepoName> name_argument(const Arguments& arguments, const hub::Settings& settings) {
  BRISK_ASSIGN(hub::RepoName name, hub::parse_repo(arguments.positional(0), settings.endpoint));
  const std::string& revision = arguments.text("revision");
  if (revision.empty() || revision == name.revision) return name;
  if (name.revision != "main") {
    return usage_error({arguments.spelled("revision"), "the revision once",
                        "'" + name.revision + "' and '" + revision + "'", "one of them"});
  }
  return hub::parse_repo(name.text() + "@" + revision);
}

Status run(const Arguments& arguments) {
  BRISK_ASSIGN(hub::Settings settings, hub::read_settings());
  settings.offline = settings.offline || arguments.flag("offline");
  BRISK_ASSIGN(const hub::RepoName name, name_argument(arguments, settings));
  const auto start = std::chrono::steady_clock::now();
  const PullShow show{.jobs = static_cast<int>(arguments.integer("jobs")), .quiet = arguments.flag("json")};
  BRISK_ASSIGN(const hub::PullReport report, pull_showing(settings, name, show));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return arguments.flag("json") ? print_json(report_json(name, report, seconds))
                                : print(report_text(name, report, seconds));
}

}  // namespace

Verb verb_pull() {
  return {
      .name = "pull",
      .aliases = "download",
      .group = VerbGroup::kFiles,
      .summary = "fetch a model of the Hugging Face hub",
      .details =
          "Without a quant: Q4_K_M, else Q4_0, Q8_0 or the only GGUF; without any GGUF, the safetensors "
          "folder. "
          "Files go to the Hugging Face cache (HF_HUB_CACHE, HF_HOME), where other tools find them, too. A "
          "private or gated model needs HF_TOKEN. What was interrupted goes on where it stopped.",
      .positionals = {{.name = "MODEL",
                       .help = "OWNER/REPO[:QUANT][@REVISION], OWNER/REPO/FILE.gguf or a link to its page",
                       .required = true,
                       .file = false}},
      .options = {{.name = "revision",
                   .kind = Kind::kText,
                   .placeholder = "REV",
                   .help = "a branch, tag or commit (else main)"},
                  {.name = "jobs",
                   .aliases = "-j",
                   .kind = Kind::kInteger,
                   .placeholder = "N",
                   .fallback = "4",
                   .help = "files at a time",
                   .least = 1,
                   .most = kMostJobs},
                  kOfflineOption,
                  kJsonOption},
      .examples = {"brisk pull hf:OWNER/REPO:Q4_K_M", "brisk pull https://huggingface.co/OWNER/REPO",
                   "brisk pull OWNER/REPO/model-q8_0.gguf --json"},
      .run = run,
  };
}

}  // namespace brisk::cli
