// Quantised folders as the libraries wrote them (tests/data/quantized, made by
// tools/oracles/quantized_folders.py): every matrix decodes to the bits of the library's own dequantised one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/folder.hpp"
#include "base/json.hpp"
#include "models/huggingface/quantized.hpp"
#include "quant/weight_form.hpp"

namespace brisk::models {
namespace {

std::string fixtures() {
  const char* source = std::getenv("BRISK_SOURCE_DIR");
  return std::string(source != nullptr ? source : ".") + "/tests/data/quantized";
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  if (!std::filesystem::is_directory(fixtures())) return out;
  for (const auto& entry : std::filesystem::directory_iterator(fixtures())) {
    if (entry.is_directory()) out.push_back(entry.path().filename().string());
  }
  std::ranges::sort(out);
  return out;
}

std::string fnv(const std::vector<float>& values) {
  uint64_t hash = 0xCBF29CE484222325U;
  for (const std::byte byte : std::as_bytes(std::span(values))) {
    hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001B3U;
  }
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

class QuantizedFolder : public testing::TestWithParam<std::string> {};

TEST_P(QuantizedFolder, EveryMatrixHasTheBitsOfTheLibrarys) {
  const Folder folder = Folder::open(fixtures() + "/" + GetParam()).value();
  const Json config = parse_json(folder.read("config.json", 1 << 20).value(), "config.json").value();
  const Json expected = parse_json(folder.read("expected.json", 1 << 20).value(), "expected.json").value();
  const auto shards = formats::SafetensorsShards::open(folder);
  ASSERT_TRUE(shards.ok()) << shards.status().message();
  const auto layers = QuantizedLayers::from_config(config, "config.json");
  ASSERT_TRUE(layers.ok()) << layers.status().message();
  ASSERT_NE(*layers, nullptr);
  const Json& modules = expected["modules"];
  EXPECT_EQ(modules.size(), 7U);
  for (const auto& [module, hash] : modules.items()) {
    const auto read = (*layers)->read(**shards, module);
    ASSERT_TRUE(read.ok()) << read.status().message();
    ASSERT_NE(*read, nullptr) << module;
    const Weight& weight = **read;
    EXPECT_EQ(weight.name, module);
    std::vector<float> values(static_cast<size_t>(weight.shape[0] * weight.shape[1]));
    weight.form->decode_rows(weight, 0, weight.shape[0], values.data());
    EXPECT_EQ(fnv(values), hash.get<std::string>()) << module << ", first value " << values[0];
    // Each tensor of the module is one that the reader says it takes.
    for (const formats::SafetensorsTensor* tensor : (*shards)->tensors()) {
      if (!tensor->name.starts_with(module + ".")) continue;
      const auto ends = (*layers)->tensor_suffixes();
      EXPECT_NE(std::ranges::find(ends, tensor->name.substr(module.size())), ends.end()) << tensor->name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, QuantizedFolder, testing::ValuesIn(names()), [](const auto& one) {
  std::string name = one.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(QuantizedFolders, AreAllThere) { EXPECT_GE(names().size(), 22U) << fixtures(); }

}  // namespace
}  // namespace brisk::models
