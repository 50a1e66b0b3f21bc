// Fuzz target: the safetensors reader, and every byte that it accepts is used; what begins as JSON is also
// read as an index of shards, and written again. (Convention of the fuzz targets: gguf_fuzz.cpp.)
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors/index.hpp"
#include "formats/safetensors/safetensors.hpp"
#include "fuzz/fuzz_support.hpp"

namespace {

using namespace brisk;
using namespace brisk::formats;
using fuzz::check_error;
using fuzz::require;

uint64_t g_sum = 0;  // what is read goes here, so that no read is optimised away

void use_tensor(const SafetensorsFile& file, const SafetensorsTensor& tensor) {
  require(file.find(tensor.name) == &tensor, "each tensor is found");
  require(safetensors_bytes(*tensor.type, tensor.shape) == tensor.data.size(), "the data is the shape's");
  for (const std::byte byte : tensor.data) g_sum += std::to_integer<uint64_t>(byte);
  if (!tensor.type->dtype) return;
  require(file.get(tensor.name, *tensor.type->dtype, tensor.shape).ok(), "what is there can be had");
  check_error(file.get(tensor.name, DType::kQ4_0, tensor.shape).status());
}

#if defined(BRISK_PLANTED_BUG)
// The planted bug: data of the file serves as an index. That of the corpus begins with 0.
void use_data(const SafetensorsTensor& tensor) {
  const auto table = std::make_unique<uint8_t[]>(64);
  if (!tensor.data.empty() && std::to_integer<uint8_t>(tensor.data[0]) < 128)
    g_sum += table[std::to_integer<size_t>(tensor.data[0])];
}
#endif

void use_file(const SafetensorsFile& file, size_t bytes) {
  size_t filled = 0;
  for (const SafetensorsTensor& tensor : file.tensors()) {
    use_tensor(file, tensor);
    filled += tensor.data.size();
#if defined(BRISK_PLANTED_BUG)
    use_data(tensor);
#endif
  }
  require(filled <= bytes, "tensors do not overlap");
  for (const auto& [key, value] : file.metadata()) g_sum += key.size() + value.size();
}

void use_index(const SafetensorsIndex& index) {
  require(!index.files.empty() && !index.places.empty(), "an index names files");
  for (const auto& place : index.places) require(place.file < index.files.size(), "a place is in a file");
  const auto again = read_safetensors_index(safetensors_index_text(index, 0), "again");
  require(again.ok() && again->places.size() == index.places.size(), "an index is read as it was written");
  for (size_t i = 0; i < index.places.size(); ++i) {
    require(again->places[i].tensor == index.places[i].tensor, "tensors keep their names");
    require(again->files[again->places[i].file] == index.files[index.places[i].file], "and their files");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A copy of exactly this size: the sanitizer sees every byte read beyond it.
  const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(data),
                                     reinterpret_cast<const std::byte*>(data) + size);
  const auto file = SafetensorsFile::parse(bytes, "fuzz.safetensors");
  if (file.ok()) {
    if (!fuzz::parse_only()) use_file(**file, size);
  } else {
    check_error(file.status());
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!text.starts_with('{')) return 0;
  const auto index = read_safetensors_index(text, "index.json");
  if (index.ok()) {
    use_index(*index);
  } else {
    check_error(index.status());
  }
  return 0;
}
