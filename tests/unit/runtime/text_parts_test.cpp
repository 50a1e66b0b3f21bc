// Tokenizers and templates by themselves: from any part of a split GGUF file, and from a folder's files.
#include "runtime/text_parts.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/gguf_builder.hpp"
#include "support/tokenizer_json_samples.hpp"

namespace brisk::runtime {
namespace {

namespace fs = std::filesystem;

class TextPartsFolder : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "brisk_test_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    base_ = name;
    fs::create_directories(base_ / "m");
    put("m/tokenizer.json", test::byte_bpe_json());
  }
  void TearDown() override { fs::remove_all(base_); }

  std::string path(const std::string& name) const { return base_ / name; }
  void put(const std::string& name, const std::string& text) const { std::ofstream(base_ / name) << text; }
  bool ends(int32_t id) const {
    const auto parts = open_text_parts(path("m"));
    EXPECT_TRUE(parts.ok()) << parts.status().message();
    return parts.ok() && parts->tokenizer->ends_generation(id);
  }

  fs::path base_;
};

TEST_F(TextPartsFolder, EveryPartOfASplitFileLeadsToTheTokenizer) {
  test::GgufBuilder first, second;
  first.add("tokenizer.ggml.model", "gpt2");
  first.add("tokenizer.ggml.pre", "gpt-2");
  first.add("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "ab"});
  first.add("tokenizer.ggml.merges", std::vector<std::string>{"a b"});
  first.add("tokenizer.chat_template", "hello");
  uint16_t number = 0;
  for (test::GgufBuilder* part : {&first, &second}) {
    part->add("split.no", number++);
    part->add("split.count", uint16_t{2});
    part->add("split.tensors.count", int32_t{0});
    part->write(path("m-0000" + std::to_string(number) + "-of-00002.gguf"));
  }
  for (const char* name : {"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"}) {
    const auto parts = open_text_parts(path(name));
    ASSERT_TRUE(parts.ok()) << parts.status().message();
    EXPECT_EQ(parts->tokenizer->size(), 3);
    EXPECT_EQ(parts->chat_template, "hello");
  }
}

TEST_F(TextPartsFolder, EndsComeFromGenerationConfigElseFromConfig) {
  EXPECT_FALSE(ends(2));
  put("m/config.json", R"({"eos_token_id": 2})");
  EXPECT_TRUE(ends(2));
  put("m/generation_config.json", R"({"eos_token_id": [1, 5]})");
  EXPECT_TRUE(ends(1));
  EXPECT_TRUE(ends(5));
  EXPECT_FALSE(ends(2)) << "config.json counts only where there is no generation_config.json";
}

TEST_F(TextPartsFolder, EndsThatAreNoTokensNameTheirFile) {
  for (const char* file : {"config.json", "generation_config.json"}) {
    put(std::string("m/") + file, R"({"eos_token_id": 10000})");
    const Status status = open_text_parts(path("m")).status();
    EXPECT_EQ(status.code(), StatusCode::kBadInput);
    EXPECT_EQ(status.parts().where, path("m/") + file + ": eos_token_id");
  }
}

TEST_F(TextPartsFolder, FilesThatCannotBeReadAreNotLeftOut) {
  for (const char* file : {"chat_template.jinja", "tokenizer_config.json", "generation_config.json"}) {
    put(file, "{}");
    fs::create_symlink(std::string("../") + file, path("m/") + file);
    const auto parts = open_text_parts(path("m"));
    ASSERT_FALSE(parts.ok()) << file << " was left out";
    EXPECT_NE(parts.status().message().find(file), std::string::npos) << parts.status().message();
    fs::remove(path("m/") + file);
  }
  EXPECT_TRUE(open_text_parts(path("m")).ok());
}

}  // namespace
}  // namespace brisk::runtime
