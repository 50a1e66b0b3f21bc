// An opened model, wherever it comes from: hyperparameters under GGUF's keys and weights under GGUF's names.
// A GGUF file gives them as they are; the parts of a split one are joined; a Hugging Face folder is
// translated (models/huggingface/). Architectures read this and nothing else.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/folder.hpp"
#include "base/status.hpp"
#include "formats/gguf/gguf.hpp"
#include "formats/safetensors/shards.hpp"
#include "tensor/weight.hpp"

namespace brisk::models {

enum class Origin : uint8_t {
  kGguf,
  kHuggingFace,  ///< rows of query and key matrices lie as transformers has them: rotary pairs in halves
};

class ModelSource {
 public:
  /// Opens a GGUF file (any part of a split one) or a Hugging Face folder. Headers are checked, data is
  /// mapped and not read. Nothing outside the file's folder (a Hugging Face cache: the model's) is opened.
  static Result<std::shared_ptr<const ModelSource>> open(const std::string& path);
  /// Of one opened file (tests build files in memory).
  static Result<std::shared_ptr<const ModelSource>> from_gguf(std::shared_ptr<formats::GgufFile> file);

  Origin origin() const { return origin_; }
  /// The path, for messages.
  const std::string& where() const { return where_; }
  /// What to call the model: general.name, else OWNER/REPO of a snapshot in a Hugging Face cache, else the
  /// name of the file or folder.
  std::string name() const;
  const formats::GgufMetadata& metadata() const { return metadata_; }
  /// All tensors. `form` is null where the type cannot hold weights (integers).
  std::span<const Weight> tensors() const { return tensors_; }
  const Weight* find(std::string_view name) const;

  /// Of all files.
  uint64_t file_bytes() const { return file_bytes_; }
  /// Whether a read met a missing page of a file; cheap.
  bool damaged() const;
  /// Ok unless a file changed or shrank since it was opened.
  Status check_unchanged() const;

  /// The GGUF files, the first one first; empty for a folder.
  std::span<const std::shared_ptr<formats::GgufFile>> gguf_files() const { return gguf_; }
  /// The folder, for what else lies in it (tokenizer.json, chat templates); null for GGUF files.
  const Folder* folder() const { return folder_.get(); }

 private:
  friend class HuggingFaceReader;
  ModelSource() = default;
  static Result<std::shared_ptr<const ModelSource>> from_files(
      std::vector<std::shared_ptr<formats::GgufFile>> files);
  /// Takes the tensors; two of one name are a bad-input error.
  Status set_tensors(std::vector<Weight> tensors);

  Origin origin_ = Origin::kGguf;
  std::string where_;
  formats::GgufMetadata metadata_;
  std::vector<Weight> tensors_;
  formats::GgufIndex index_;
  uint64_t file_bytes_ = 0;
  std::vector<std::shared_ptr<formats::GgufFile>> gguf_;
  std::unique_ptr<Folder> folder_;
  std::shared_ptr<formats::SafetensorsShards> shards_;
  std::deque<std::vector<float>> converted_;  // small tensors that were decoded to f32
};

}  // namespace brisk::models
