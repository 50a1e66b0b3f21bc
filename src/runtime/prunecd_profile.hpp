// prunecd.json: which layers of one model PruneCD passes by, and how they were found. One JSON object:
//
//   fingerprint  string   of the model the file was made for (runtime/fingerprint.hpp)
//   layers       integer  layers of that model
//   pruned       [integer] layers that the amateur passes by, ascending, each once; may be empty
//   mode         "ratio" or "extrapolate"                                   default "ratio"
//   alpha        number   (0, 1]: the plausibility set                      default 0.1
//   lambda       number   weight of the contrast under "extrapolate"        default 0.5
//   calibration  string   hash of the items that the search used            default ""
//   s0           number   truthfulness of the whole model on them           default absent
//   drop         number   how much of it is lost without these layers       default absent
//   fluency      number   perplexity without these layers / with them       default absent
//   flatness     [object] rows of the flatness table                        default absent
//   search       object   how the search went, for people                   default absent
//
// The first three must be there. Other keys are left alone, so that later versions may add some.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"
#include "runtime/contrast.hpp"

namespace brisk::runtime {

/// One amateur's row of the flatness table; means over positions.
struct FlatnessRow {
  std::string amateur;        ///< "exit 3", "pruned"
  double entropy = 0;         ///< nats
  double spread = 0;          ///< standard deviation of the logits
  double max_minus_mean = 0;  ///< of the logits
  double top10_overlap = 0;   ///< share of the expert's ten best among the amateur's ten
  double spearman50 = 0;      ///< rank correlation on the expert's fifty best
  double jsd = 0;             ///< to the expert, nats
};

struct PrunecdProfile {
  std::string fingerprint;
  int64_t layers = 0;
  std::vector<int64_t> pruned;
  ContrastMode mode = ContrastMode::kRatio;
  double alpha = 0.1;
  double lambda = 0.5;
  std::string calibration = {};
  std::optional<double> s0 = {}, drop = {}, fluency = {};
  std::vector<FlatnessRow> flatness = {};
  Json search = Json();  ///< null: absent
};

/// Reads a file's text; `where` names it in errors. Checks everything that needs no model: types, ranges,
/// that the pruned layers are ascending, exist, and leave at least one.
Result<PrunecdProfile> parse_prunecd_profile(std::string_view text, const std::string& where);
/// The same from a file of at most 16 MiB.
Result<PrunecdProfile> read_prunecd_profile(const std::string& path);
/// Bad input unless the file was made for a model of this fingerprint and number of layers.
Status check_prunecd_model(const PrunecdProfile& profile, const std::string& where,
                           const std::string& fingerprint, int64_t layers);

Json to_json(const PrunecdProfile& profile);
/// Writes beside `path` and renames; an existing file is refused unless `overwrite`.
Status write_prunecd_profile(const PrunecdProfile& profile, const std::string& path, bool overwrite);

/// "ratio", "extrapolate"
const char* contrast_mode_name(ContrastMode mode);
/// Nothing for other names.
std::optional<ContrastMode> find_contrast_mode(std::string_view name);

}  // namespace brisk::runtime
