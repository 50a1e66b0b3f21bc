#include "models/source.hpp"

#include <sys/stat.h>

#include "base/memory.hpp"
#include "base/paths.hpp"
#include "formats/gguf/split.hpp"
#include "models/huggingface/reader.hpp"
#include "quant/weight_form.hpp"

namespace brisk::models {

namespace {

bool is_folder(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// A file of a folder, given in place of the folder.
Status hint_at_folder(const std::string& path, const Status& status) {
  const bool of_folder = path.ends_with(".safetensors") || base_name(path) == "config.json" ||
                         path.ends_with(".safetensors.index.json");
  if (!of_folder || status.code() != StatusCode::kBadInput) return status;
  ErrorParts parts = status.parts();
  parts.hint = "the folder that holds it: a Hugging Face model is opened by its folder";
  return bad_input(std::move(parts));
}

// "OWNER/REPO" of ".../models--OWNER--REPO/snapshots/REVISION"; empty for other paths.
std::string repo_of(std::string_view path) {
  constexpr std::string_view kPrefix = "models--", kSnapshots = "snapshots", kBetween = "--";
  const auto take_last = [&path] {
    const std::string_view last = base_name(path);
    path.remove_suffix(last.size() + (last.size() < path.size() ? 1 : 0));
    return last;
  };
  take_last();
  if (take_last() != kSnapshots) return {};
  const std::string_view folder = take_last();
  if (!folder.starts_with(kPrefix)) return {};
  std::string repo(folder.substr(kPrefix.size()));
  const size_t between = repo.find(kBetween);
  return between == std::string::npos ? repo : repo.replace(between, kBetween.size(), "/");
}

Weight weight_of(const formats::GgufTensor& tensor) {
  std::string name(tensor.name);
  if (quant::find_form(tensor.dtype) != nullptr && !tensor.data.empty()) {
    return quant::block_weight(std::move(name), tensor.dtype, tensor.shape, tensor.data);
  }
  return {std::move(name), tensor.shape, nullptr, {{"blocks", tensor.dtype, tensor.shape, tensor.data}}};
}

}  // namespace

Result<std::shared_ptr<const ModelSource>> ModelSource::open(const std::string& path) {
  std::shared_ptr<const ModelSource> source;
  BRISK_TRY(catch_out_of_memory(path.c_str(), [&]() -> Status {
    if (is_folder(path)) {
      BRISK_ASSIGN(source, HuggingFaceReader::open(path));
      return {};
    }
    auto files = formats::open_gguf_parts(path);
    if (!files.ok()) return hint_at_folder(path, files.status());
    BRISK_ASSIGN(source, from_files(std::move(files).value()));
    return {};
  }));
  return source;
}

Result<std::shared_ptr<const ModelSource>> ModelSource::from_gguf(std::shared_ptr<formats::GgufFile> file) {
  BRISK_TRY(formats::refuse_lone_part(*file));
  std::vector<std::shared_ptr<formats::GgufFile>> files;
  files.push_back(std::move(file));
  return from_files(std::move(files));
}

Result<std::shared_ptr<const ModelSource>> ModelSource::from_files(
    std::vector<std::shared_ptr<formats::GgufFile>> files) {
  std::shared_ptr<ModelSource> source(new ModelSource());
  source->gguf_ = std::move(files);
  source->where_ = source->gguf_.front()->where();
  source->metadata_ = source->gguf_.front()->metadata();
  std::vector<Weight> tensors;
  for (const auto& file : source->gguf_) {
    source->file_bytes_ += file->file_bytes();
    for (const formats::GgufTensor& tensor : file->tensors()) tensors.push_back(weight_of(tensor));
  }
  BRISK_TRY(source->set_tensors(std::move(tensors)));
  return std::shared_ptr<const ModelSource>(std::move(source));
}

Status ModelSource::set_tensors(std::vector<Weight> tensors) {
  tensors_ = std::move(tensors);
  std::vector<std::string_view> names;
  names.reserve(tensors_.size());
  for (const Weight& tensor : tensors_) names.push_back(tensor.name);
  const auto same = index_.build(std::move(names));
  if (!same) return {};
  return bad_input({where_ + ", tensor " + formats::shown_name(tensors_[same->first].name), "each name once",
                    "two tensors of that name", "a complete model from one conversion"});
}

std::string ModelSource::name() const {
  if (const auto name = metadata_.get_string("general.name"); name.ok()) return std::string(*name);
  std::string_view path = where_;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::string repo = folder_ != nullptr ? repo_of(path) : "";
  return repo.empty() ? std::string(base_name(path)) : repo;
}

const Weight* ModelSource::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found ? &tensors_[*found] : nullptr;
}

bool ModelSource::damaged() const {
  for (const auto& file : gguf_) {
    if (file->mapping() != nullptr && file->mapping()->damaged()) return true;
  }
  return shards_ != nullptr && shards_->damaged();
}

Status ModelSource::check_unchanged() const {
  for (const auto& file : gguf_) {
    if (file->mapping() != nullptr) BRISK_TRY(file->mapping()->check_unchanged());
  }
  return shards_ != nullptr ? shards_->check_unchanged() : Status();
}

}  // namespace brisk::models
