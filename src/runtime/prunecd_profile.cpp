#include "runtime/prunecd_profile.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "base/file.hpp"

namespace brisk::runtime {

namespace {

constexpr uint64_t kMostBytes = 16U << 20;
constexpr const char* kMakeAgain = "making the file again with `brisk profile layers`";

constexpr std::array<std::pair<ContrastMode, const char*>, 2> kModes = {
    {{ContrastMode::kRatio, "ratio"}, {ContrastMode::kExtrapolate, "extrapolate"}}};

constexpr std::array<std::pair<double FlatnessRow::*, const char*>, 6> kFlatnessColumns = {
    {{&FlatnessRow::entropy, "entropy"},
     {&FlatnessRow::spread, "spread"},
     {&FlatnessRow::max_minus_mean, "max_minus_mean"},
     {&FlatnessRow::top10_overlap, "top10_overlap"},
     {&FlatnessRow::spearman50, "spearman50"},
     {&FlatnessRow::jsd, "jsd"}}};

// Reads members of one JSON object, with errors that name them.
class Reader {
 public:
  Reader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  Status wrong(const std::string& key, std::string expected, std::string got) const {
    return bad_input({where_ + ", \"" + key + "\"", std::move(expected), std::move(got), kMakeAgain});
  }
  /// The member, or null.
  const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  Result<const Json*> require(const char* key, Json::value_t type, const char* expected) const {
    const Json* value = find(key);
    if (value == nullptr) return wrong(key, expected, "no such key");
    if (value->type() != type) return wrong(key, expected, describe(*value));
    return value;
  }
  Result<int64_t> integer(const std::string& key, const Json& value, int64_t most) const {
    // The parser keeps an integer without sign apart; one beyond 63 bits is out of every range here.
    const bool fits = value.is_number_integer() && value >= 0 && value <= most;
    if (!fits) return wrong(key, "an integer from 0 to " + std::to_string(most), describe(value));
    return value.get<int64_t>();
  }
  /// Leaves `out` alone when there is no such key.
  Status number(const char* key, double& out) const {
    const Json* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_number()) return wrong(key, "a number", describe(*value));
    out = value->get<double>();
    return {};
  }
  Status number(const char* key, std::optional<double>& out) const {
    if (find(key) == nullptr) return {};
    return number(key, out.emplace());
  }
  Status text(const char* key, std::string& out) const {
    const Json* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_string()) return wrong(key, "a string", describe(*value));
    out = value->get<std::string>();
    return {};
  }

 private:
  static std::string describe(const Json& value) {
    std::string text = to_json_text(value);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return text;
  }
  const Json& object_;
  std::string where_;
};

Status read_pruned(const Reader& read, PrunecdProfile& profile) {
  BRISK_ASSIGN(const Json* list, read.require("pruned", Json::value_t::array, "a list of layers"));
  for (const Json& item : *list) {
    BRISK_ASSIGN(const int64_t layer, read.integer("pruned", item, profile.layers - 1));
    if (!profile.pruned.empty() && layer <= profile.pruned.back()) {
      return read.wrong("pruned", "ascending layers, each once",
                        std::to_string(layer) + " behind " + std::to_string(profile.pruned.back()));
    }
    profile.pruned.push_back(layer);
  }
  if (static_cast<int64_t>(profile.pruned.size()) == profile.layers) {
    return read.wrong("pruned", "at least one layer that stays",
                      "all " + std::to_string(profile.layers) + " layers");
  }
  return {};
}

Status read_settings(const Reader& read, const std::string& where, PrunecdProfile& profile) {
  std::string mode = contrast_mode_name(profile.mode);
  BRISK_TRY(read.text("mode", mode));
  const auto known = find_contrast_mode(mode);
  if (!known) return read.wrong("mode", "ratio or extrapolate", "'" + mode + "'");
  profile.mode = *known;
  BRISK_TRY(read.number("alpha", profile.alpha));
  BRISK_TRY(read.number("lambda", profile.lambda));
  const Status status = check_contrast({profile.mode, profile.alpha, profile.lambda}, where);
  if (!status.ok()) return bad_input(status.parts());  // a file's content, not an option
  return {};
}

Status read_flatness(const Reader& read, const std::string& where, PrunecdProfile& profile) {
  if (read.find("flatness") == nullptr) return {};
  BRISK_ASSIGN(const Json* list, read.require("flatness", Json::value_t::array, "a list of objects"));
  for (const Json& item : *list) {
    if (!item.is_object()) return read.wrong("flatness", "a list of objects", "something else in it");
    const Reader row(item, where + ", \"flatness\"");
    FlatnessRow& out = profile.flatness.emplace_back();
    BRISK_TRY(row.text("amateur", out.amateur));
    for (const auto& [member, key] : kFlatnessColumns) BRISK_TRY(row.number(key, out.*member));
  }
  return {};
}

}  // namespace

const char* contrast_mode_name(ContrastMode mode) {
  for (const auto& [value, name] : kModes) {
    if (value == mode) return name;
  }
  BRISK_ASSERT(false, "every mode has a name");
  return "";
}

std::optional<ContrastMode> find_contrast_mode(std::string_view name) {
  for (const auto& [value, known] : kModes) {
    if (name == known) return value;
  }
  return std::nullopt;
}

Result<PrunecdProfile> parse_prunecd_profile(std::string_view text, const std::string& where) {
  BRISK_ASSIGN(const Json json, parse_json(text, where));
  if (!json.is_object()) return bad_input({where, "a JSON object", "another value", kMakeAgain});
  const Reader read(json, where);
  PrunecdProfile profile;
  BRISK_ASSIGN(const Json* fingerprint, read.require("fingerprint", Json::value_t::string, "a string"));
  profile.fingerprint = fingerprint->get<std::string>();
  const Json* layers = read.find("layers");
  if (layers == nullptr) return read.wrong("layers", "the model's number of layers", "no such key");
  constexpr int64_t kMostLayers = 1 << 20;  // far above any model
  BRISK_ASSIGN(profile.layers, read.integer("layers", *layers, kMostLayers));
  if (profile.layers == 0) return read.wrong("layers", "at least 1", "0");
  BRISK_TRY(read_pruned(read, profile));
  BRISK_TRY(read_settings(read, where, profile));
  BRISK_TRY(read.text("calibration", profile.calibration));
  BRISK_TRY(read.number("s0", profile.s0));
  BRISK_TRY(read.number("drop", profile.drop));
  BRISK_TRY(read.number("fluency", profile.fluency));
  BRISK_TRY(read_flatness(read, where, profile));
  if (const Json* search = read.find("search")) profile.search = *search;
  return profile;
}

Result<PrunecdProfile> read_prunecd_profile(const std::string& path) {
  BRISK_ASSIGN(const std::string text, read_file(path, kMostBytes));
  return parse_prunecd_profile(text, path);
}

Status check_prunecd_model(const PrunecdProfile& profile, const std::string& where,
                           const std::string& fingerprint, int64_t layers) {
  if (profile.fingerprint != fingerprint) {
    return bad_input({where + ", \"fingerprint\"", fingerprint + ", this model's", profile.fingerprint,
                      "a profile made for this very file"});
  }
  if (profile.layers != layers) {
    return bad_input({where + ", \"layers\"", std::to_string(layers) + ", this model's",
                      std::to_string(profile.layers), kMakeAgain});
  }
  return {};
}

Json to_json(const PrunecdProfile& profile) {
  Json out = {
      {"fingerprint", profile.fingerprint},       {"layers", profile.layers}, {"pruned", profile.pruned},
      {"mode", contrast_mode_name(profile.mode)}, {"alpha", profile.alpha},   {"lambda", profile.lambda},
      {"calibration", profile.calibration}};
  if (profile.s0) out["s0"] = *profile.s0;
  if (profile.drop) out["drop"] = *profile.drop;
  if (profile.fluency) out["fluency"] = *profile.fluency;
  for (const FlatnessRow& row : profile.flatness) {
    Json item = {{"amateur", row.amateur}};
    for (const auto& [member, key] : kFlatnessColumns) item[key] = row.*member;
    out["flatness"].push_back(std::move(item));
  }
  if (!profile.search.is_null()) out["search"] = profile.search;
  return out;
}

Status write_prunecd_profile(const PrunecdProfile& profile, const std::string& path, bool overwrite) {
  BRISK_ASSIGN(AtomicFile file, AtomicFile::create(path, overwrite));
  BRISK_TRY(file.write(to_json_text(to_json(profile), 2) + "\n"));
  return file.commit();
}

}  // namespace brisk::runtime
