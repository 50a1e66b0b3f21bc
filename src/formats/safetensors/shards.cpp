// Finds a folder's weights, opens them, and holds what the index says against what the files hold.
#include "formats/safetensors/shards.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/memory.hpp"
#include "formats/safetensors/header.hpp"
#include "formats/safetensors/index.hpp"

namespace brisk::formats {

namespace {

constexpr uint64_t kIndexBytes = 100'000'000;

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_pickle(std::string_view name) {
  constexpr std::array<std::string_view, 5> kSuffixes = {".bin", ".pt", ".pth", ".ckpt", ".pkl"};
  return std::ranges::any_of(kSuffixes, [&](std::string_view suffix) { return name.ends_with(suffix); });
}

// Why a folder without a file to open has none.
Status refuse_files(const Folder& folder, const std::vector<std::string>& names) {
  std::vector<std::string> weights;
  std::ranges::copy_if(names, std::back_inserter(weights),
                       [](const std::string& name) { return name.ends_with(kSafetensorsSuffix); });
  if (weights.size() > 1) {
    return bad_input(
        {folder.path(), "model.safetensors, or " + std::string(kSafetensorsIndex) + " with its files",
         std::to_string(weights.size()) + " files such as '" + weights.front() + "' and no index",
         "downloading the index too"});
  }
  if (const auto pickle = std::ranges::find_if(names, is_pickle); pickle != names.end()) {
    return bad_input({folder.path(), "weights as .safetensors files",
                      "'" + *pickle + "', a pickle, which can run programs and is never opened",
                      "converting it: in Python, transformers' from_pretrained(FOLDER) and then "
                      "save_pretrained(OTHER), or "
                      "torch.load(FILE, weights_only=True) and safetensors.torch.save_file()"});
  }
  // A link that leads outside is in no list of files.
  for (const std::string_view name : {kSafetensorsSingle, kSafetensorsIndex}) {
    const auto file = folder.map(name);
    if (!file.ok() && file.status().code() == StatusCode::kBadInput) return file.status();
  }
  return bad_input({folder.path(), "weights as .safetensors files", "none", "downloading the model again"});
}

}  // namespace

Result<std::shared_ptr<SafetensorsShards>> SafetensorsShards::open(const Folder& folder) {
  std::shared_ptr<SafetensorsShards> shards;
  BRISK_TRY(catch_out_of_memory(folder.path().c_str(), [&]() -> Status {
    shards.reset(new SafetensorsShards());
    const Status status = shards->open_files(folder);
    return status.ok() ? shards->list_tensors() : status;
  }));
  return shards;
}

Status SafetensorsShards::open_files(const Folder& folder) {
  BRISK_ASSIGN(const std::vector<std::string> names, folder.files());
  std::optional<std::string_view> single;
  if (contains(names, kSafetensorsSingle)) {
    single = kSafetensorsSingle;
  } else if (contains(names, kSafetensorsIndex)) {
    return open_index(folder);
  } else {
    const auto is_weights = [](const std::string& name) { return name.ends_with(kSafetensorsSuffix); };
    if (std::ranges::count_if(names, is_weights) == 1) single = *std::ranges::find_if(names, is_weights);
  }
  if (!single) return refuse_files(folder, names);
  BRISK_TRY(open_file(folder, *single));
  where_ = files_.front()->where();
  return {};
}

Status SafetensorsShards::open_file(const Folder& folder, std::string_view name) {
  BRISK_ASSIGN(const auto mapping, folder.map(name));
  BRISK_ASSIGN(auto file, SafetensorsFile::open(mapping));
  files_.push_back(std::move(file));
  return {};
}

Status SafetensorsShards::open_index(const Folder& folder) {
  where_ = folder.path();
  const std::string where = folder.path() + "/" + std::string(kSafetensorsIndex);
  SafetensorsIndex index;
  {
    BRISK_ASSIGN(const std::string text, folder.read(kSafetensorsIndex, kIndexBytes));
    BRISK_ASSIGN(index, read_safetensors_index(text, where));
  }
  for (const std::string& file : index.files) BRISK_TRY(open_file(folder, file));
  for (const SafetensorsIndex::Place& place : index.places) {
    if (files_[place.file]->find(place.tensor) != nullptr) continue;
    return bad_input({where, "tensor " + shown_tensor_name(place.tensor) + " in " + index.files[place.file],
                      "a file without it", "downloading the model again"});
  }
  return {};
}

Status SafetensorsShards::list_tensors() {
  for (const auto& file : files_) {
    for (const SafetensorsTensor& tensor : file->tensors()) tensors_.push_back(&tensor);
  }
  std::ranges::sort(tensors_, {}, &SafetensorsTensor::name);
  const auto twice = std::ranges::adjacent_find(tensors_, {}, &SafetensorsTensor::name);
  if (twice == tensors_.end()) return {};
  return bad_input({where_, "tensor " + shown_tensor_name((*twice)->name) + " in one file",
                    "it in " + file_of(**twice) + " and " + file_of(**(twice + 1)),
                    "downloading the model again"});
}

const SafetensorsTensor* SafetensorsShards::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      tensors_, name, {}, [](const SafetensorsTensor* tensor) -> std::string_view { return tensor->name; });
  return found != tensors_.end() && (*found)->name == name ? *found : nullptr;
}

const std::string& SafetensorsShards::file_of(const SafetensorsTensor& tensor) const {
  const auto holds = [&](const auto& file) { return file->find(tensor.name) == &tensor; };
  const auto found = std::ranges::find_if(files_, holds);
  return found != files_.end() ? (*found)->where() : where_;
}

uint64_t SafetensorsShards::file_bytes() const {
  uint64_t bytes = 0;
  for (const auto& file : files_) bytes += file->mapping()->bytes().size();
  return bytes;
}

bool SafetensorsShards::damaged() const {
  return std::ranges::any_of(files_, [](const auto& file) { return file->mapping()->damaged(); });
}

Status SafetensorsShards::check_unchanged() const {
  for (const auto& file : files_) BRISK_TRY(file->mapping()->check_unchanged());
  return {};
}

}  // namespace brisk::formats
