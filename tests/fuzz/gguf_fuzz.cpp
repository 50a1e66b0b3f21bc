// Fuzz target: the GGUF parser, and everything that it accepts is used.
//
// Convention of the fuzz targets: tests/fuzz/<name>_fuzz.cpp is built as fuzz_<name> with -DBRISK_FUZZ=ON
// (preset asan), and has a small corpus in tests/fuzz/corpus/<name>/, written by a script of tools/oracles/.
// Compiled with -DBRISK_PLANTED_BUG=1 a target holds one bug of the kind that it is there to find, in its
// own file and never in the library; no file of the corpus meets it, and a run of 60 seconds must. So the
// pipeline proves that the fuzzer still finds things:
//     fuzz_gguf tests/fuzz/corpus/gguf -runs=100000                     # must find nothing
//     fuzz_gguf_with_the_bug tests/fuzz/corpus/gguf -max_total_time=60  # must fail
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "formats/gguf/gguf.hpp"
#include "fuzz/fuzz_support.hpp"
#include "quant/block_format.hpp"

namespace {

using namespace brisk;
using namespace brisk::formats;
using fuzz::check_error;
using fuzz::require;

uint64_t g_sum = 0;  // what is read goes here, so that no read is optimised away

void touch(std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) g_sum += std::to_integer<uint64_t>(byte);
}

void touch(std::string_view text) { touch(std::as_bytes(std::span(text))); }

// The first and the last block of a tensor, which is as far as its bytes reach.
void use_tensor(const GgufTensor& tensor) {
  const DTypeInfo& info = dtype_info(tensor.dtype);
  const auto bytes = static_cast<size_t>(info.block_bytes);
  if (tensor.data.empty())
    return require(element_count(tensor.shape) == 0, "only empty tensors have no bytes");
  require(tensor.data.size() >= bytes && tensor.data.size() % bytes == 0, "a tensor has whole blocks");
  touch(tensor.data.first(bytes));
  touch(tensor.data.last(bytes));
  const quant::BlockFormat* format = quant::find_format(tensor.dtype);
  if (format == nullptr) return;
  std::vector<float> values(static_cast<size_t>(info.block_values));
  format->decode(tensor.data.data(), info.block_values, values.data());
  format->decode(tensor.data.last(bytes).data(), info.block_values, values.data());
  float first = values[0];
  uint32_t bits;
  std::memcpy(&bits, &first, sizeof(bits));
  g_sum += bits;
}

void use_array(const GgufArray& array) {
  touch(array.bytes);
  for (const std::string_view text : array.strings) touch(text);
  if (array.element == GgufType::kString)
    require(array.strings.size() == array.count, "the count is the strings'");
}

void use_key(const GgufFile& file, std::string_view key, const GgufValue& value) {
  require(file.metadata().find(key) == &value, "each key is found");
  if (const auto* array = std::get_if<GgufArray>(&value.value)) use_array(*array);
  if (const auto* text = std::get_if<std::string_view>(&value.value)) touch(*text);
  // Each typed lookup gives a value or an error; none trusts the type.
  g_sum += file.metadata().get_int(key).ok() + file.metadata().get_float(key).ok() +
           file.metadata().get_bool(key).ok() + file.metadata().get_string(key).ok();
  g_sum += file.metadata().get_int_or(key, 0).ok() + file.metadata().get_float_or(key, 0).ok() +
           file.metadata().get_bool_or(key, false).ok();
  g_sum += file.metadata().get_array(key, GgufType::kString).ok() +
           file.metadata().get_array(key, GgufType::kI32).ok();
  if (!file.metadata().get_string(key).ok()) check_error(file.metadata().get_string(key).status());
}

#if defined(BRISK_PLANTED_BUG)
// The planted bug: a count from the file is checked against the wrong bound. Those of the corpus fit.
void use_block_count(const GgufFile& file) {
  const auto table = std::make_unique<uint8_t[]>(64);
  const auto count = file.metadata().get_int("llama.block_count");
  if (count.ok() && *count > 0 && *count <= 80) g_sum += table[static_cast<size_t>(*count) - 1];
}
#endif

void use_file(const GgufFile& file) {
  for (const auto& [key, value] : file.metadata().entries()) use_key(file, key, value);
  for (const GgufTensor& tensor : file.tensors()) {
    require(file.find_tensor(tensor.name) == &tensor, "each tensor is found");
    use_tensor(tensor);
  }
#if defined(BRISK_PLANTED_BUG)
  use_block_count(file);
#endif
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A copy of exactly this size: the sanitizer sees every byte read beyond it.
  const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(data),
                                     reinterpret_cast<const std::byte*>(data) + size);
  const auto file = GgufFile::parse(bytes, "fuzz.gguf");
  if (file.ok()) {
    if (!fuzz::parse_only()) use_file(**file);
  } else {
    check_error(file.status());
  }
  return 0;
}
