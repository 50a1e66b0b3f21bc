// The weights of a model folder: which files are taken, what is refused, and that what the sharded writer
// writes is read back.
#include "formats/safetensors/shards.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "formats/safetensors/shard_writer.hpp"

namespace brisk::formats {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

using Entries = std::vector<SafetensorsWriter::Entry>;

class SafetensorsFolder : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "brisk_shards_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    base_ = name;
    folder_ = base_ / "model";
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(base_); }

  void put(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  // A file of one-byte tensors of these names.
  void put_weights(const std::string& name, const std::vector<std::string>& tensors) const {
    Entries entries;
    for (const std::string& tensor : tensors) entries.push_back({tensor, DType::kU8, {1}});
    auto writer = SafetensorsWriter::create(folder_ / name, entries, {{"of", name}}, true);
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    const std::string data(tensors.size(), 'd');
    ASSERT_TRUE(writer->write(std::as_bytes(std::span(data))).ok());
    ASSERT_TRUE(writer->commit().ok());
  }
  void put_index(const std::string& weight_map) const {
    put("model.safetensors.index.json", R"({"metadata":{"total_size":2},"weight_map":)" + weight_map + "}");
  }
  Result<std::shared_ptr<SafetensorsShards>> open() const {
    BRISK_ASSIGN(const Folder folder, Folder::open(folder_));
    return SafetensorsShards::open(folder);
  }
  std::vector<std::string> names() const {
    const auto shards = open();
    if (!shards.ok()) return {shards.status().message()};
    std::vector<std::string> found;
    for (const SafetensorsTensor* tensor : (*shards)->tensors()) found.push_back(tensor->name);
    return found;
  }
  void expect_refused(const std::string& word) const {
    const auto shards = open();
    ASSERT_FALSE(shards.ok());
    EXPECT_THAT(shards.status().message(), HasSubstr(word));
    EXPECT_FALSE(shards.status().parts().hint.empty());
  }
  std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) found.push_back(entry.path().filename());
    std::ranges::sort(found);
    return found;
  }

  fs::path base_, folder_;
};

TEST_F(SafetensorsFolder, OneFileComesFirstThenTheIndexThenAnyName) {
  put_weights("other.safetensors", {"o"});
  EXPECT_THAT(names(), ElementsAre("o"));
  put_weights("shard.safetensors", {"s"});
  put_index(R"({"s":"shard.safetensors"})");
  EXPECT_THAT(names(), ElementsAre("s"));
  put_weights("model.safetensors", {"m"});
  EXPECT_THAT(names(), ElementsAre("m"));
}

TEST_F(SafetensorsFolder, TensorsOfAllShardsStandInOneList) {
  put_weights("1.safetensors", {"c", "a"});
  put_weights("2.safetensors", {"b", "unnamed"});
  put_weights("stray.safetensors", {"z"});
  put("config.json", "{}");
  put_index(R"({"a":"1.safetensors","b":"2.safetensors","c":"1.safetensors"})");
  const auto opened = open();
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const SafetensorsShards& shards = **opened;
  // A tensor that the index does not name is there; a file that it does not name is not.
  EXPECT_THAT(names(), ElementsAre("a", "b", "c", "unnamed"));
  EXPECT_EQ(shards.where(), folder_);
  ASSERT_NE(shards.find("b"), nullptr);
  EXPECT_EQ(shards.find("b")->name, "b");
  EXPECT_EQ(shards.file_of(*shards.find("b")), folder_ / "2.safetensors");
  EXPECT_EQ(shards.find("z"), nullptr);
  EXPECT_EQ(shards.find(""), nullptr);
  EXPECT_EQ(shards.metadata().at("of"), "1.safetensors");
  EXPECT_EQ(shards.file_bytes(),
            fs::file_size(folder_ / "1.safetensors") + fs::file_size(folder_ / "2.safetensors"));
  EXPECT_FALSE(shards.damaged());
  EXPECT_TRUE(shards.check_unchanged().ok());
}

TEST_F(SafetensorsFolder, AShardThatIsCutWhileMappedIsNoticed) {
  put_weights("1.safetensors", {"a"});
  put_weights("2.safetensors", {"b"});
  put_index(R"({"a":"1.safetensors","b":"2.safetensors"})");
  const auto shards = open();
  ASSERT_TRUE(shards.ok());
  fs::resize_file(folder_ / "2.safetensors", 0);
  EXPECT_EQ((*shards)->find("b")->data[0], std::byte{0});
  EXPECT_TRUE((*shards)->damaged());
  EXPECT_THAT((*shards)->check_unchanged().message(), HasSubstr("2.safetensors"));
}

TEST_F(SafetensorsFolder, SaysWhatIsMissing) {
  expect_refused("weights as .safetensors files, got none");
  put("model-00001-of-00002.safetensors", "");
  put("model-00002-of-00002.safetensors", "");
  expect_refused("2 files such as 'model-00001-of-00002.safetensors' and no index");
}

TEST_F(SafetensorsFolder, PicklesAreNeverOpened) {
  for (const char* name : {"pytorch_model.bin", "consolidated.00.pth", "model.pt", "model.ckpt"}) {
    put(name, "pickle");
    fs::permissions(folder_ / name, fs::perms::none);
    expect_refused(std::string("'") + name + "', a pickle");
    expect_refused("save_pretrained");
    fs::remove(folder_ / name);
  }
  put("pytorch_model.bin", "pickle");
  put_index(R"({"a":"pytorch_model.bin"})");
  expect_refused("names of .safetensors files, got 'pytorch_model.bin'");
}

TEST_F(SafetensorsFolder, AnIndexThatNamesFilesOutsideIsRefused) {
  // Weights outside that would do: only the way to them is wrong.
  put_weights("../outside.safetensors", {"a"});
  for (const std::string& name :
       {std::string("../outside.safetensors"), (base_ / "outside.safetensors").string(),
        std::string("x/../../outside.safetensors"), std::string("./../outside.safetensors"),
        std::string("..\\\\outside.safetensors")}) {
    put_index("{\"a\":\"" + name + "\"}");
    const auto shards = open();
    ASSERT_FALSE(shards.ok()) << name;
    EXPECT_EQ(shards.status().code(), StatusCode::kBadInput);
    EXPECT_THAT(shards.status().message(), HasSubstr("the name of a file beneath the folder"));
  }
  put_index(R"({"a":"../../etc/passwd"})");
  expect_refused("names of .safetensors files");
  fs::create_symlink("../outside.safetensors", folder_ / "link.safetensors");
  put_index(R"({"a":"link.safetensors"})");
  expect_refused("a link that leads outside");
  fs::remove(folder_ / "model.safetensors.index.json");
  fs::rename(folder_ / "link.safetensors", folder_ / "model.safetensors");
  expect_refused("a link that leads outside");
}

TEST_F(SafetensorsFolder, AnIndexThatDisagreesWithItsFilesIsRefused) {
  put_weights("1.safetensors", {"a", "b"});
  put_weights("2.safetensors", {"b", "c"});
  put_index(R"({"a":"1.safetensors","c":"3.safetensors"})");
  expect_refused("3.safetensors: expected a readable file, got No such file");
  put_index(R"({"a":"1.safetensors","x":"1.safetensors"})");
  expect_refused("tensor 'x' in 1.safetensors, got a file without it");
  put_index(R"({"a":"1.safetensors","c":"2.safetensors"})");
  expect_refused("tensor 'b' in one file, got it in");
  put("2.safetensors", "no weights");
  expect_refused("2.safetensors");
}

TEST_F(SafetensorsFolder, AnIndexThatIsNoneIsRefused) {
  put_weights("1.safetensors", {"a"});
  const std::string good = R"({"metadata":{"x":[{"y":1}]},"weight_map":{"a":"1.safetensors"},"more":[1]})";
  put("model.safetensors.index.json", good);
  EXPECT_THAT(names(), ElementsAre("a"));
  for (size_t length = 0; length < good.size(); ++length) {
    put("model.safetensors.index.json", good.substr(0, length));
    expect_refused("valid JSON");
  }
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"[]", "an object, got a list"},
      {"1", "an object, got number"},
      {"{}", "a weight_map, got none"},
      {R"({"metadata":{"weight_map":{}}})", "a weight_map, got none"},
      {R"({"weight_map":{}})", "an empty one"},
      {R"({"weight_map":[]})", "weight_map as an object, got a list"},
      {R"({"weight_map":null})", "weight_map as an object, got null"},
      {R"({"weight_map":{"a":1}})", "the name of a file for tensor 'a', got number"},
      {R"({"weight_map":{"a":["1.safetensors"]}})", "the name of a file for tensor 'a', got a list"},
      {R"({"weight_map":{"a":{"b":"1.safetensors"}}})", "the name of a file for tensor 'a', got an object"},
      {R"({"weight_map":{"a":"1.safetensors","a":"1.safetensors"}})", "each tensor once, got 'a' twice"},
      {R"({"weight_map":{"a":"1.safetensors"},"weight_map":{}})", "weight_map once"},
      {R"({"weight_map":{"a":""}})", "names of .safetensors files"},
  };
  for (const auto& [text, word] : bad) {
    put("model.safetensors.index.json", text);
    expect_refused(word);
    expect_refused("index.json");
  }
}

TEST_F(SafetensorsFolder, TheWriterDividesAndIndexes) {
  const Entries entries = {{"f", DType::kF32, {3}}, {"g", DType::kF32, {1}}, {"none", DType::kF32, {0}},
                           {"h", DType::kU8, {17}}, {"i", DType::kU8, {1}},  {"j", DType::kU8, {15}}};
  auto writer = SafetensorsShardWriter::create(folder_, entries, {{"format", "pt"}}, 16);
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  EXPECT_EQ(writer->shards(), 3U);
  std::string data(49, '\0');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i);
  const auto bytes = std::as_bytes(std::span(data));
  ASSERT_TRUE(writer->write(bytes.first(20)).ok());
  EXPECT_THAT(open().status().message(), HasSubstr("got none")) << "before commit there is no model";
  EXPECT_EQ(writer->commit().code(), StatusCode::kUsage) << "bytes are missing";
  ASSERT_TRUE(writer->write(bytes.subspan(20)).ok());
  EXPECT_EQ(writer->write(bytes.first(1)).code(), StatusCode::kUsage) << "one too many";
  ASSERT_TRUE(writer->commit().ok());
  EXPECT_THAT(files(), ElementsAre("model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
                                   "model-00003-of-00003.safetensors", "model.safetensors.index.json"));
  const auto shards = open();
  ASSERT_TRUE(shards.ok()) << shards.status().message();
  EXPECT_THAT(names(), ElementsAre("f", "g", "h", "i", "j", "none"));
  EXPECT_EQ((*shards)->find("g")->data[0], std::byte{12});
  EXPECT_EQ((*shards)->find("h")->data[16], std::byte{32});
  EXPECT_EQ((*shards)->find("j")->data[14], std::byte{48});
  EXPECT_EQ((*shards)->find("f")->shape, (Shape{3}));
}

TEST_F(SafetensorsFolder, WhatFitsIsWrittenAsOneFile) {
  auto writer = SafetensorsShardWriter::create(folder_, {{"a", DType::kU8, {1}}}, {}, 1);
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  ASSERT_TRUE(writer->write(std::as_bytes(std::span("x", 1))).ok());
  ASSERT_TRUE(writer->commit().ok());
  EXPECT_THAT(files(), ElementsAre("model.safetensors"));
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(SafetensorsFolder, TheWriterLeavesNothingWithoutCommitAndReplacesNoModel) {
  const Entries entries = {{"a", DType::kU8, {1}}, {"b", DType::kU8, {1}}};
  const auto code = [&](const Entries& list, uint64_t bytes) {
    return SafetensorsShardWriter::create(folder_, list, {}, bytes).status().code();
  };
  EXPECT_EQ(code(entries, 1), StatusCode::kOk);
  EXPECT_EQ(code({{"a", DType::kU8, {1}}, {"a", DType::kU8, {1}}}, 1), StatusCode::kUsage) << "across shards";
  EXPECT_EQ(code({{"a", DType::kQ4_0, {32}}}, 1), StatusCode::kUsage);
  EXPECT_EQ(code({{"a", DType::kU8, {INT64_MAX}}, {"b", DType::kU8, {INT64_MAX}}, {"c", DType::kU8, {2}}}, 1),
            StatusCode::kUsage);
  Entries many;
  for (size_t i = 0; i <= SafetensorsShardWriter::kMostShards; ++i)
    many.push_back({std::to_string(i), DType::kU8, {1}});
  EXPECT_EQ(code(many, 1), StatusCode::kUsage);
  many.pop_back();
  EXPECT_EQ(code(many, 1), StatusCode::kOk);
  EXPECT_THAT(files(), ElementsAre());
  for (const char* name :
       {"model.safetensors", "model.safetensors.index.json", "model-00002-of-00002.safetensors"}) {
    put(name, "old");
    EXPECT_EQ(code(entries, 1), StatusCode::kEnvironment) << name;
    EXPECT_THAT(files(), ElementsAre(name));
    fs::remove(folder_ / name);
  }
  EXPECT_EQ(SafetensorsShardWriter::create(folder_ / "none", entries, {}, 1).status().code(),
            StatusCode::kEnvironment);
}

TEST_F(SafetensorsFolder, AFileThatAppearsBeforeTheLastStepStopsTheWriter) {
  for (const char* name : {"model-00002-of-00002.safetensors", "model.safetensors.index.json"}) {
    auto writer =
        SafetensorsShardWriter::create(folder_, {{"a", DType::kU8, {1}}, {"b", DType::kU8, {1}}}, {}, 1);
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    ASSERT_TRUE(writer->write(std::as_bytes(std::span("xy", 2))).ok());
    put(name, "theirs");
    EXPECT_EQ(writer->commit().code(), StatusCode::kEnvironment);
    writer = usage_error({});
    EXPECT_THAT(files(), ElementsAre(name));
    EXPECT_EQ(fs::file_size(folder_ / name), 6U);
    fs::remove(folder_ / name);
  }
}

}  // namespace
}  // namespace brisk::formats
