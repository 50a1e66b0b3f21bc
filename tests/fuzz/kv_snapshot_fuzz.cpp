// Fuzz target: snapshots of sequences. What is accepted is read, run on, forked, cut and freed, and all
// memory comes back. No mutation would meet the right checksum, so a file that is sound but for it is written
// again with the right one. (Convention of the fuzz targets: gguf_fuzz.cpp.)
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "formats/safetensors/safetensors.hpp"
#include "formats/safetensors/writer.hpp"
#include "fuzz/fuzz_support.hpp"
#include "runtime/checksum.hpp"
#include "runtime/kv_snapshot.hpp"

namespace {

using namespace brisk;
using namespace brisk::runtime;
using formats::SafetensorsFile;
using formats::SafetensorsWriter;
using fuzz::require;

constexpr int64_t kLayers = 4;
const std::string kModel = "model";
float g_sum = 0;  // what is read goes here, so that no read is optimised away

// The groups of the corpus (tools/oracles/safetensors_seeds.py).
std::unique_ptr<KvStore> make_store() {
  std::vector<KvGroup> groups(3);
  groups[0].name = "full";
  groups[0].layers = {0, 2};
  groups[0].geometry = {2, 1, 1, DType::kF16};
  groups[1].name = "window";
  groups[1].kind = KvKind::kWindow;
  groups[1].window = 8;
  groups[1].layers = {1};
  groups[1].geometry = {1, 1, 1, DType::kF32};
  groups[2].name = "state";
  groups[2].kind = KvKind::kRecurrent;
  groups[2].layers = {3};
  groups[2].state_bytes = 4;
  groups[2].states = 2;
  return std::move(KvStore::create(kLayers, std::move(groups), 256, 128)).value();
}

KvStore& store() {
  static const std::unique_ptr<KvStore> made = make_store();
  return *made;
}

std::string folder() { return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; }

const std::string& path() {
  static const std::string name = folder() + "/brisk_fuzz_kv_" + std::to_string(getpid());
  static const int removed = std::atexit([] { std::remove(name.c_str()); });
  static_cast<void>(removed);
  return name;
}

#if defined(BRISK_PLANTED_BUG)
// The planted bug: a token of the file serves as an index. Those of the corpus are small enough.
void use_token(int32_t token) {
  const auto table = std::make_unique<uint8_t[]>(64);
  if (token >= 0 && token < 128) g_sum += table[static_cast<size_t>(token)];
}
#endif

void use_layer(SequenceId id, int64_t layer) {
  const kernels::KvLayer& shown = store().layers(id)[layer];
  if (shown.geometry == nullptr) return;
  std::vector<int32_t> positions;
  for (int64_t head = 0; head < shown.geometry->kv_heads; ++head) {
    store().positions(id, layer, head, positions);
    require(std::ranges::is_sorted(positions, std::ranges::less_equal()), "positions ascend");
    require(positions.empty() || positions.back() < store().length(id), "no position lies ahead");
    for (int64_t entry = 0; entry < static_cast<int64_t>(positions.size()); ++entry) {
      float k = 0, v = 0;
      kernels::read_entry(*shown.geometry, shown.head(head), entry, &k, &v);
      g_sum += k + v;
    }
  }
}

void use(const RestoredSequence& restored) {
  const SequenceId id = restored.id;
  const int64_t length = store().length(id);
  require(static_cast<int64_t>(restored.tokens.size()) == length, "a token for each place");
#if defined(BRISK_PLANTED_BUG)
  for (const int32_t token : restored.tokens) use_token(token);
#endif
  for (int64_t layer = 0; layer < kLayers; ++layer) use_layer(id, layer);
  const SequenceId fork = *store().fork(id);
  if (length < 100) {
    require(store().reserve(fork, 20).ok(), "there is room");
    store().advance(fork, 20);
    for (int64_t layer = 0; layer < kLayers; ++layer) use_layer(fork, layer);
  }
  store().truncate(id, store().shortest(id));
  store().free_sequence(id);
  store().free_sequence(fork);
}

void load() {
  const auto restored = load_snapshot(store(), kModel, path());
  if (restored.ok()) {
    use(*restored);
  } else {
    const StatusCode code = restored.status().code();
    require(code == StatusCode::kBadInput || code == StatusCode::kEnvironment, "a bad file is a bad input");
  }
  require(store().bytes_in_use() == 0, "all memory comes back");
}

void write_raw(std::span<const std::byte> bytes) {
  std::ofstream file(path(), std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// Writes the file with the right checksum; false when that makes no sense.
bool write_repaired(std::span<const std::byte> bytes) {
  const auto file = SafetensorsFile::parse(bytes, "fuzz");
  if (!file.ok() || !(*file)->metadata().contains("brisk.kv")) return false;
  Result<Json> record = parse_json((*file)->metadata().at("brisk.kv"), "fuzz", {8, 1U << 20});
  if (!record.ok() || !record->is_object()) return false;
  record->erase("checksum");
  Checksum sum = *Checksum::create();
  sum.add_text(to_json_text(*record));
  std::vector<SafetensorsWriter::Entry> entries;
  for (const auto& tensor : (*file)->tensors()) {
    if (!tensor.type->dtype) return false;
    entries.push_back({tensor.name, *tensor.type->dtype, tensor.shape});
    if (tensor.data.empty()) continue;
    sum.add_text(tensor.name);
    sum.add(tensor.data);
  }
  (*record)["checksum"] = sum.digits();
  auto writer = SafetensorsWriter::create(path(), entries, {{"brisk.kv", to_json_text(*record)}}, true);
  if (!writer.ok()) return false;
  for (const auto& tensor : (*file)->tensors()) require(writer->write(tensor.data).ok(), "it can be written");
  return writer->commit().ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  if (!write_repaired(bytes)) write_raw(bytes);
  load();
  return 0;
}
