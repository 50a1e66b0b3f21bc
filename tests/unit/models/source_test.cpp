// Models opened by path: what they are called, what their settings become, and what a wrong path is told.
#include "models/source.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "formats/safetensors/writer.hpp"
#include "support/gguf_builder.hpp"

namespace brisk::models {
namespace {

namespace fs = std::filesystem;

class SourceFolder : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "brisk_test_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    base_ = name;
  }
  void TearDown() override { fs::remove_all(base_); }

  std::string path(const std::string& name) const { return base_ / name; }
  void put(const std::string& name, const std::string& text) const { std::ofstream(base_ / name) << text; }

  /// A Llama of one tensor; `more` goes into its config.json.
  void put_model(const std::string& folder, const std::string& more = "") const {
    fs::create_directories(base_ / folder);
    put(folder + "/config.json",
        R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 16, "intermediate_size": 16, "vocab_size": 4,
            "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 64,
            "tie_word_embeddings": true)" +
            more + "}");
    const std::vector<float> norm(16, 1.0F);
    auto writer = formats::SafetensorsWriter::create(path(folder + "/model.safetensors"),
                                                     {{"model.norm.weight", DType::kF32, {16}}}, {}, true);
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    ASSERT_TRUE(writer->write(std::as_bytes(std::span(norm))).ok());
    ASSERT_TRUE(writer->commit().ok());
  }
  std::shared_ptr<const ModelSource> open(const std::string& name) const {
    auto source = ModelSource::open(path(name));
    EXPECT_TRUE(source.ok()) << source.status().message();
    return source.ok() ? *source : nullptr;
  }
  double rope_base() const { return open("m")->metadata().get_float("llama.rope.freq_base").value(); }
  Status refusal(const std::string& name) const { return ModelSource::open(path(name)).status(); }

  fs::path base_;
};

TEST_F(SourceFolder, ModelsAreCalledByWhatTheUserKnows) {
  put_model("my-model");
  EXPECT_EQ(open("my-model")->name(), "my-model");
  EXPECT_EQ(open("my-model/")->name(), "my-model");
  const std::string revision(40, 'a');
  put_model("models--Owner--A-model/snapshots/" + revision);
  EXPECT_EQ(open("models--Owner--A-model/snapshots/" + revision)->name(), "Owner/A-model");
  test::GgufBuilder file;
  file.add("general.architecture", "llama");
  file.write(path("file.gguf"));
  EXPECT_EQ(open("file.gguf")->name(), "file.gguf");
  file.add("general.name", "Its name");
  file.write(path("file.gguf"));
  EXPECT_EQ(open("file.gguf")->name(), "Its name");
}

TEST_F(SourceFolder, TheRotaryBaseIsFoundWhereverItStands) {
  put_model("m");
  EXPECT_EQ(rope_base(), 10000.0);
  put_model("m", R"(, "rope_theta": 5000.0, "rope_scaling": null)");
  EXPECT_EQ(rope_base(), 5000.0);
  put_model("m", R"(, "rope_parameters": {"rope_type": "default", "rope_theta": 7000.0})");
  EXPECT_EQ(rope_base(), 7000.0);
  put_model("m", R"(, "rope_theta": 5000.0, "rope_parameters": {"rope_type": "default"})");
  EXPECT_EQ(rope_base(), 5000.0);
  put_model("m", R"(, "rope_theta": 5000.0, "rope_scaling": {"rope_type": "default", "rope_theta": 7000.0})");
  EXPECT_EQ(rope_base(), 7000.0);
}

TEST_F(SourceFolder, PartlyRotatedHeadsAreRefusedWhereverTheyAreAskedFor) {
  for (const char* more : {R"(, "partial_rotary_factor": 0.5)",
                           R"(, "rope_parameters": {"rope_theta": 7000.0, "partial_rotary_factor": 0.5})"}) {
    put_model("m", more);
    EXPECT_NE(refusal("m").message().find("partial_rotary_factor: expected 1, got 0.5"), std::string::npos)
        << refusal("m").message();
  }
}

TEST_F(SourceFolder, AConfigThatCannotBeReadIsNotTakenForNone) {
  put_model("m");
  fs::rename(path("m/config.json"), path("config.json"));
  fs::create_symlink("../config.json", path("m/config.json"));
  EXPECT_EQ(refusal("m").code(), StatusCode::kBadInput);
  EXPECT_NE(refusal("m").message().find("a link that leads outside"), std::string::npos)
      << refusal("m").message();
}

TEST_F(SourceFolder, WrongPathsAreToldTheRightOne) {
  fs::create_directories(path("files"));
  EXPECT_EQ(refusal("files").code(), StatusCode::kEnvironment);
  put("files/a.gguf", "");
  EXPECT_EQ(refusal("files").parts().hint, "the path of a file in it, such as 'a.gguf'");
  put_model("m");
  for (const char* name : {"m/model.safetensors", "m/config.json"}) {
    EXPECT_EQ(refusal(name).code(), StatusCode::kBadInput);
    EXPECT_NE(refusal(name).parts().hint.find("the folder that holds it"), std::string::npos) << name;
  }
  EXPECT_EQ(refusal("m/none.safetensors").code(), StatusCode::kEnvironment);
}

}  // namespace
}  // namespace brisk::models
