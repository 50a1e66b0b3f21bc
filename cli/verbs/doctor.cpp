// brisk doctor: what Brisk found on this machine, what it decided, and why.
#include <fstream>

#include "base/cpu.hpp"
#include "base/memory.hpp"
#include "base/paths.hpp"
#include "base/thread_pool.hpp"
#include "base/utf8.hpp"
#include "cli/kernel_table.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"
#include "cli/verb.hpp"

namespace brisk::cli {
namespace {

struct Decision {
  Isa isa;
  std::string why;
};

Result<Decision> decide_isa() {
  BRISK_ASSIGN(const Isa isa, active_isa());
  const CpuInfo& cpu = cpu_info();
  if (isa < cpu.best)
    return Decision{isa, "capped by BRISK_ISA; this CPU could do " + std::string(isa_name(cpu.best))};
  return Decision{isa, cpu.why.empty() ? "the highest level there is" : cpu.why};
}

/// "always", "madvise" or "never"; "unknown" without the kernel's file.
std::string huge_pages() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string word;
  while (file >> word) {
    if (word.size() > 2 && word.front() == '[' && word.back() == ']') return word.substr(1, word.size() - 2);
  }
  return "unknown";
}

std::string huge_pages_text(const std::string& mode) {
  if (mode == "never")
    return "never: reading weights will be slower; try 'madvise' in transparent_hugepage/enabled";
  return mode;
}

struct ModelFolder {
  std::string path;
  size_t models = 0;
  bool built_in = false;
};

Result<ModelFolder> model_folder() {
  ModelFolder folder;
  BRISK_ASSIGN(folder.path, models_folder());
  BRISK_ASSIGN(const std::vector<CachedModel> models, cached_models());
  folder.models = models.size();
  folder.built_in = find_model("built-in").ok();
  return folder;
}

Status print_report(const Decision& isa, const ModelFolder& folder) {
  const CpuInfo& cpu = cpu_info();
  const LaneChoice lanes = default_lanes();
  const MemoryOffer memory = memory_offer();
  std::string features;
  for (const CpuFeature& feature : cpu.features) {
    if (feature.present) features += (features.empty() ? "" : " ") + std::string(feature.name);
  }
  Facts facts;
  facts.add("Brisk", BRISK_VERSION);
  facts.add("CPU", escape_for_terminal(cpu.model));
  facts.add("Features", features.empty() ? "none that Brisk asks about" : features);
  facts.add("Kernels", std::string(isa_name(isa.isa)) + ": " + isa.why);
  facts.add("Threads", std::to_string(lanes.lanes) + ": " + escape_for_terminal(lanes.reason));
  facts.add("Memory", human_bytes(memory.available) + " free of " + human_bytes(memory.total));
  facts.add("Huge pages", huge_pages_text(huge_pages()));
  facts.add("Models", std::to_string(folder.models) + " in " + escape_for_terminal(folder.path));
  facts.add("Built-in model", folder.built_in ? "present" : "missing: scripts/fetch_model.sh fetches it");
  return print(facts.text() + dim("\n'brisk doctor --kernels' lists which kernel serves what.") + "\n");
}

Json report_json(const Decision& isa, const ModelFolder& folder) {
  const CpuInfo& cpu = cpu_info();
  const LaneChoice lanes = default_lanes();
  const MemoryOffer memory = memory_offer();
  Json features = Json::object();
  for (const CpuFeature& feature : cpu.features) features[std::string(feature.name)] = feature.present;
  return {{"version", BRISK_VERSION},
          {"cpu", {{"model", cpu.model}, {"features", features}}},
          {"isa", {{"active", isa_name(isa.isa)}, {"best", isa_name(cpu.best)}, {"why", isa.why}}},
          {"threads", {{"lanes", lanes.lanes}, {"why", lanes.reason}}},
          {"memory", {{"available", memory.available}, {"total", memory.total}}},
          {"huge_pages", huge_pages()},
          {"models", {{"folder", folder.path}, {"count", folder.models}, {"built_in", folder.built_in}}},
          {"kernels", kernel_table_json(isa.isa)}};
}

Status run(const Arguments& arguments) {
  BRISK_ASSIGN(const Decision isa, decide_isa());
  const bool kernels = arguments.flag("kernels");
  if (kernels && arguments.flag("json")) return print_json({{"kernels", kernel_table_json(isa.isa)}});
  if (kernels) return print(kernel_table_text(isa.isa));
  BRISK_ASSIGN(const ModelFolder folder, model_folder());
  if (arguments.flag("json")) return print_json(report_json(isa, folder));
  return print_report(isa, folder);
}

}  // namespace

Verb verb_doctor() {
  return {
      .name = "doctor",
      .group = VerbGroup::kFiles,
      .summary = "tell what Brisk found on this machine and what it decided",
      .options = {{.name = "kernels",
                   .help = "list which kernel serves which operation, and why no better one"},
                  kJsonOption},
      .examples = {"brisk doctor", "brisk doctor --kernels", "BRISK_ISA=avx2 brisk doctor --kernels"},
      .run = run,
  };
}

}  // namespace brisk::cli
