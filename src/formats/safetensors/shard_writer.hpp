// Writes a model's tensors into a folder as safetensors files of limited size with an index (shards.hpp), or
// as one model.safetensors when all fits. Everything stands under temporary names until commit(), which names
// the shards and the index last: before that no reader takes the folder for a model. Nothing is left behind
// on failure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "formats/safetensors/index.hpp"
#include "formats/safetensors/writer.hpp"

namespace brisk::formats {

class SafetensorsShardWriter {
 public:
  using Entry = SafetensorsWriter::Entry;
  /// Shards of one model at most.
  static constexpr size_t kMostShards = 200;

  /// Writes all headers into `folder`, which exists and holds no model.safetensors, no index and no shard of
  /// these names (environment errors: a model in several files cannot be replaced in one step). A shard holds
  /// as many tensors in the order given as fit `shard_bytes` of data, and at least one. Usage errors as
  /// SafetensorsWriter's, and more than kMostShards shards.
  static Result<SafetensorsShardWriter> create(const std::string& folder, const std::vector<Entry>& tensors,
                                               const SafetensorsFile::Metadata& metadata,
                                               uint64_t shard_bytes);

  /// The next bytes of the data, across shards.
  Status write(std::span<const std::byte> bytes);
  /// Finishes the shards, names them, and then the index. On failure the names that it gave are removed.
  Status commit();

  size_t shards() const { return writers_.size(); }

 private:
  SafetensorsShardWriter() = default;
  Status name_shards();
  Status write_index() const;
  std::string path_of(std::string_view name) const { return folder_ + "/" + std::string(name); }

  std::string folder_;
  std::vector<SafetensorsWriter> writers_;  // of index_.files
  size_t current_ = 0;                      // the shard being written
  SafetensorsIndex index_;
  uint64_t data_bytes_ = 0;
};

}  // namespace brisk::formats
