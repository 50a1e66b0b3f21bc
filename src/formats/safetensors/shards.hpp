// The weights of a model folder: one safetensors file or several with an index, as one list of tensors.
//
// What a folder may hold, in the order in which it is looked for:
//     model.safetensors
//     model.safetensors.index.json    {"weight_map": {tensor: file, ...}, ...}, and the files (shards) it
//     names one *.safetensors of any other name
// The index says where a tensor is. A tensor that its shard lacks, and one that stands in two shards, are
// errors; a tensor in a shard that the index does not name is there all the same, as the usual loaders have
// it. Files that the index does not name are not opened. Pickled weights (*.bin, *.pt) are never opened.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/folder.hpp"
#include "base/status.hpp"
#include "formats/safetensors/safetensors.hpp"

namespace brisk::formats {

class SafetensorsShards {
 public:
  /// Maps the files and checks all headers. Bad-input errors: no weights, only pickled ones, several files
  /// without an index, an index or a file that is damaged or names what is not there or outside the folder.
  static Result<std::shared_ptr<SafetensorsShards>> open(const Folder& folder);

  /// The file, or the folder when there is an index.
  const std::string& where() const { return where_; }
  /// All tensors by name.
  const std::vector<const SafetensorsTensor*>& tensors() const { return tensors_; }
  /// Null when there is none.
  const SafetensorsTensor* find(std::string_view name) const;
  /// The file that holds a tensor of this list, for messages.
  const std::string& file_of(const SafetensorsTensor& tensor) const;
  /// The metadata of the first file.
  const SafetensorsFile::Metadata& metadata() const { return files_.front()->metadata(); }
  /// Bytes of all files.
  uint64_t file_bytes() const;

  /// As MappedFile's, for all files.
  bool damaged() const;
  Status check_unchanged() const;

 private:
  SafetensorsShards() = default;
  Status open_files(const Folder& folder);
  Status open_index(const Folder& folder);
  Status open_file(const Folder& folder, std::string_view name);
  Status list_tensors();

  std::string where_;
  std::vector<std::shared_ptr<SafetensorsFile>> files_;
  std::vector<const SafetensorsTensor*> tensors_;
};

}  // namespace brisk::formats
