// Divides tensors into shards, and names the files when all of them are whole.
#include "formats/safetensors/shard_writer.hpp"

#include <algorithm>
#include <cstdio>

#include "base/checked.hpp"
#include "base/file.hpp"
#include "base/folder.hpp"
#include "base/reader.hpp"

namespace brisk::formats {

namespace {

using Entry = SafetensorsWriter::Entry;

// "model-00001-of-00003.safetensors"
std::string shard_name(size_t number, size_t count) {
  char text[64];
  std::snprintf(text, sizeof(text), "model-%05zu-of-%05zu%s", number, count, kSafetensorsSuffix.data());
  return text;
}

struct Division {
  std::vector<std::vector<Entry>> shards;
  uint64_t data_bytes = 0;
};

Result<Division> divide(const std::vector<Entry>& tensors, uint64_t shard_bytes) {
  Division division;
  division.shards.emplace_back();
  uint64_t filled = 0;
  for (const Entry& entry : tensors) {
    BRISK_ASSIGN(const uint64_t bytes, safetensors_entry_bytes(entry));
    const auto sum = checked_add(filled, bytes);
    const bool fits = sum && *sum <= shard_bytes;
    if (!fits && !division.shards.back().empty()) division.shards.emplace_back();
    filled = fits ? *sum : bytes;
    division.shards.back().push_back(entry);
    const auto total = checked_add(division.data_bytes, bytes);
    if (!total) return usage_error({"writing tensors", "a size that fits 64 bits", "a larger one"});
    division.data_bytes = *total;
  }
  return division;
}

}  // namespace

Result<SafetensorsShardWriter> SafetensorsShardWriter::create(const std::string& folder,
                                                              const std::vector<Entry>& tensors,
                                                              const SafetensorsFile::Metadata& metadata,
                                                              uint64_t shard_bytes) {
  BRISK_ASSIGN(const Division division, divide(tensors, shard_bytes));
  const size_t count = division.shards.size();
  if (count > kMostShards) {
    return usage_error({"writing tensors", "at most " + std::to_string(kMostShards) + " shards",
                        std::to_string(count), "a larger size of shards"});
  }
  BRISK_ASSIGN(const Folder target, Folder::open(folder));
  for (const std::string_view name : {kSafetensorsSingle, kSafetensorsIndex}) {
    if (!target.has(name)) continue;
    return environment_error({folder + "/" + std::string(name), "no file of that name", "an existing one",
                              "another folder, or removing the old model"});
  }
  SafetensorsShardWriter writer;
  writer.folder_ = folder;
  writer.data_bytes_ = division.data_bytes;
  for (size_t i = 0; i < count; ++i) {
    const std::string name = count == 1 ? std::string(kSafetensorsSingle) : shard_name(i + 1, count);
    BRISK_ASSIGN(SafetensorsWriter shard,
                 SafetensorsWriter::create(writer.path_of(name), division.shards[i], metadata, false));
    writer.writers_.push_back(std::move(shard));
    writer.index_.files.push_back(name);
    for (const Entry& entry : division.shards[i])
      writer.index_.places.push_back({entry.name, static_cast<uint32_t>(i)});
  }
  std::vector<SafetensorsIndex::Place>& places = writer.index_.places;
  std::ranges::sort(places, {}, &SafetensorsIndex::Place::tensor);
  if (const auto twice = std::ranges::adjacent_find(places, {}, &SafetensorsIndex::Place::tensor);
      twice != places.end())
    return usage_error({"writing tensor '" + twice->tensor + "'", "a name of its own", "another"});
  return writer;
}

Status SafetensorsShardWriter::write(std::span<const std::byte> bytes) {
  ByteReader reader(bytes, folder_);
  while (reader.remaining() > 0) {
    while (current_ < writers_.size() && writers_[current_].missing() == 0)
      BRISK_TRY(writers_[current_++].finish());
    if (current_ == writers_.size())
      return usage_error({"writing tensors", "no more bytes", std::to_string(reader.remaining())});
    SafetensorsWriter& shard = writers_[current_];
    BRISK_ASSIGN(const auto piece, reader.view(std::min(reader.remaining(), shard.missing()), "data"));
    BRISK_TRY(shard.write(piece));
  }
  return {};
}

Status SafetensorsShardWriter::commit() {
  for (; current_ < writers_.size(); ++current_) BRISK_TRY(writers_[current_].finish());
  Status status = name_shards();
  if (status.ok() && writers_.size() > 1) status = write_index();
  if (status.ok()) return status;
  for (size_t i = 0; i < writers_.size(); ++i) {
    if (writers_[i].named()) (void)remove_file(path_of(index_.files[i]));
  }
  return status;
}

Status SafetensorsShardWriter::name_shards() {
  for (SafetensorsWriter& writer : writers_) BRISK_TRY(writer.commit());
  return {};
}

Status SafetensorsShardWriter::write_index() const {
  const std::string path = path_of(kSafetensorsIndex);
  BRISK_ASSIGN(AtomicFile file, AtomicFile::create(path, false));
  BRISK_TRY(file.write(safetensors_index_text(index_, data_bytes_)));
  const Status status = file.commit();
  if (!status.ok() && file.named()) (void)remove_file(path);
  return status;
}

}  // namespace brisk::formats
