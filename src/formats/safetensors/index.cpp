// Reads the index as a stream (some name hundreds of thousands of tensors), and writes it.
//
// Layout:
//     {"metadata": {"total_size": bytes, ...},          passed over
//      "weight_map": {tensor: file, ...}}
#include "formats/safetensors/index.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "base/json_events.hpp"
#include "formats/safetensors/header.hpp"

namespace brisk::formats {

namespace {

constexpr JsonLimits kLimits = {64, 100'000'000};
constexpr const char* kHint = "downloading the index again";

class IndexReader : public JsonEvents {
 public:
  Status key(std::string& name) override {
    if (depth_ == 1) {
      in_map_ = name == "weight_map";
      if (in_map_ && std::exchange(map_seen_, true)) return refuse("weight_map once", "it twice");
    }
    if (in_map_ && depth_ == 2) tensor_ = std::move(name);
    return {};
  }

  Status string(std::string& value) override {
    if (!in_map_ || depth_ != 2) return other("text");
    const auto file = static_cast<uint32_t>(index.files.size());
    const auto [found, added] = numbers_.try_emplace(value, file);
    if (added) index.files.push_back(value);
    index.places.push_back({std::move(tensor_), found->second});
    return {};
  }

  Status scalar(Json value) override { return other(value.type_name()); }

  Status open(bool object) override {
    const bool expected = object && (depth_ == 0 || (in_map_ && depth_ == 1));
    if (!expected) BRISK_TRY(other(object ? "an object" : "a list"));
    ++depth_;
    return {};
  }

  Status close() override {
    --depth_;
    if (depth_ == 0 && !map_seen_) return refuse("a weight_map", "none");
    return {};
  }

  SafetensorsIndex index;

 private:
  // A value that is no part of the map: passed over where none of the map's could stand.
  Status other(const std::string& got) const {
    if (depth_ == 0) return refuse("an object", got);
    if (!in_map_) return {};
    return depth_ == 1 ? refuse("weight_map as an object", got)
                       : refuse("the name of a file for tensor " + shown_tensor_name(tensor_), got);
  }

  static Status refuse(std::string expected, std::string got) {
    return bad_input({"index", std::move(expected), std::move(got), kHint});
  }

  int depth_ = 0;
  bool in_map_ = false;
  bool map_seen_ = false;
  std::string tensor_;
  std::map<std::string, uint32_t> numbers_;
};

}  // namespace

Result<SafetensorsIndex> read_safetensors_index(std::string_view text, const std::string& where) {
  IndexReader reader;
  const Status status = read_json_events(text, where, kLimits, reader);
  if (!status.ok()) {
    ErrorParts parts = status.parts();
    parts.hint = kHint;
    return bad_input(std::move(parts));
  }
  SafetensorsIndex& index = reader.index;
  std::ranges::sort(index.places, {}, &SafetensorsIndex::Place::tensor);
  const auto twice = std::ranges::adjacent_find(index.places, {}, &SafetensorsIndex::Place::tensor);
  if (twice != index.places.end()) {
    return bad_input({where, "each tensor once", shown_tensor_name(twice->tensor) + " twice", kHint});
  }
  for (const std::string& file : index.files) {
    if (file.ends_with(kSafetensorsSuffix)) continue;
    return bad_input({where, "names of .safetensors files", shown_tensor_name(file), kHint});
  }
  if (index.files.empty()) return bad_input({where, "a weight_map that names files", "an empty one", kHint});
  return std::move(index);
}

std::string safetensors_index_text(const SafetensorsIndex& index, uint64_t total_bytes) {
  std::vector<SafetensorsIndex::Place> places = index.places;
  std::ranges::sort(places, {}, &SafetensorsIndex::Place::tensor);
  std::string text = "{\n  \"metadata\": {\n    \"total_size\": " + std::to_string(total_bytes) +
                     "\n  },\n  \"weight_map\": {";
  const char* before = "\n    ";
  for (const SafetensorsIndex::Place& place : places) {
    text += before + to_json_text(place.tensor) + ": " + to_json_text(index.files[place.file]);
    before = ",\n    ";
  }
  return text + "\n  }\n}\n";
}

}  // namespace brisk::formats
