// Judges safetensors files as our reader sees them (test_safetensors.py): {"refused": message}, or
// {"tensors":
// [[name, dtype, shape, data in hex], ...], "metadata": {...}}.
//     judge_safetensors copy FOLDER OUT BYTES     writes a folder's weights again, in shards of so many bytes
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "differential/judge.hpp"
#include "formats/safetensors/shard_writer.hpp"
#include "formats/safetensors/shards.hpp"

namespace {

using namespace brisk;
using namespace brisk::formats;

Json judge(std::span<const std::byte> bytes) {
  const auto file = SafetensorsFile::parse(bytes, "file");
  if (!file.ok()) return {{"refused", file.status().message()}};
  Json tensors = Json::array();
  for (const SafetensorsTensor& tensor : (*file)->tensors())
    tensors.push_back({tensor.name, tensor.type->name, tensor.shape, differential::to_hex(tensor.data)});
  return {{"tensors", std::move(tensors)}, {"metadata", Json((*file)->metadata())}};
}

Status copy(const std::string& from, const std::string& to, uint64_t shard_bytes) {
  BRISK_ASSIGN(const Folder folder, Folder::open(from));
  BRISK_ASSIGN(const auto shards, SafetensorsShards::open(folder));
  // Large elements first, as the writer wants them.
  std::vector<const SafetensorsTensor*> tensors = shards->tensors();
  std::ranges::stable_sort(tensors, std::greater<>(), [](const auto* tensor) { return tensor->type->bits; });
  std::vector<SafetensorsWriter::Entry> entries;
  for (const SafetensorsTensor* tensor : tensors)
    entries.push_back({tensor->name, tensor->type, tensor->shape});
  BRISK_ASSIGN(auto writer, SafetensorsShardWriter::create(to, entries, shards->metadata(), shard_bytes));
  for (const SafetensorsTensor* tensor : tensors) BRISK_TRY(writer.write(tensor->data));
  return writer.commit();
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 1) return differential::judge_all(judge);
  if (count != 5 || std::string_view(arguments[1]) != "copy") return 2;
  const Status status = copy(arguments[2], arguments[3], std::strtoull(arguments[4], nullptr, 10));
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.exit_code();
}
